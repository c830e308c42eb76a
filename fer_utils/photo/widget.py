"""Takes a photo from a file or the camera, or looks at the camera live, in JupyterLab and Colab: `PhotoWidget`.

The browser (widget.js) sends each picture to the kernel as a message and gets the answer back as another. Neither is
part of the widget's state: Jupyter would store that with the notebook, and the learner's face with it.
"""

import io
from pathlib import Path

import anywidget
import matplotlib.pyplot as plt
import traitlets


class PhotoWidget(anywidget.AnyWidget):
    """A field to choose a photo and a button to take one; shows what `analyse` makes of it. With `look`, also live.

    `analyse` takes the bytes of an image file and returns (words, matplotlib figure). `look` takes those of a small
    picture of the camera and returns [(box, word, probability), ...], a face each: it is called again and again, and
    should answer within a fifth of a second. A `ValueError` of either is shown as words.
    """

    _esm = Path(__file__).with_name("widget.js")
    live = traitlets.Bool().tag(sync=True)  # whether the browser offers the live camera

    def __init__(self, analyse, look=None):
        super().__init__(live=look is not None)
        self._analyse, self._look = analyse, look
        self.on_msg(self._answer)

    def __repr__(self):
        return "A field to choose a photo and a button to take one: run this cell in JupyterLab or Colab to see them."

    def _answer(self, widget, message, buffers):
        """Sends back what the picture in `buffers` shows; a live one has a number, and its answer the same."""
        content = bytes(buffers[0])
        if "look" in message:
            self.send({"look": message["look"], **self._answer_live(content)})
        else:
            self.send(*self._answer_photo(content))

    def _answer_photo(self, content):
        """Returns (words, [the figure as png]) for the bytes of a photo."""
        try:
            words, figure = self._analyse(content)
        except ValueError as error:
            return {"words": str(error)}, []
        picture = io.BytesIO()
        figure.savefig(picture, format="png")
        plt.close(figure)  # else the next cell that draws would show it
        return {"words": words}, [picture.getvalue()]

    def _answer_live(self, content):
        """Returns the faces in a picture of the camera, and words for all of them, as JSON."""
        try:
            found = self._look(content)
        except ValueError as error:
            return {"words": str(error), "faces": []}
        faces = [
            {"box": [int(edge) for edge in box], "word": word, "probability": float(probability)}
            for box, word, probability in found
        ]
        words = ", ".join(face["word"] for face in faces)
        return {"words": f"Live: {words or 'no face found'}", "faces": faces}
