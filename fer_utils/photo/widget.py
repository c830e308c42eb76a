"""Takes a photo from a file or the camera, in JupyterLab and Colab: `PhotoWidget`.

The browser sends the photo to the kernel as a message and gets words and a figure back. Neither is part of the widget's
state: Jupyter would store that with the notebook, and the learner's face with it.
"""

import io

import anywidget
import matplotlib.pyplot as plt

SCRIPT = """
// A message must stay below the servers' limit of 10 MB: larger files, and camera pictures, are sent as a jpg.
const LARGEST_FILE = 5e6;
const LONGEST_SIDE = 2000;

async function asJpeg(source, width, height) {
  const scale = Math.min(1, LONGEST_SIDE / Math.max(width, height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(width * scale));
  canvas.height = Math.max(1, Math.round(height * scale));
  const context = canvas.getContext("2d");
  context.fillStyle = "white";  // a jpg knows no transparency
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(source, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.95));
}

async function shrink(file) {
  if (file.size <= LARGEST_FILE) return file;
  const bitmap = await createImageBitmap(file);
  return asJpeg(bitmap, bitmap.width, bitmap.height);
}

function render({ model, el }) {
  el.innerHTML = `
    <p><label>Choose a photo: <input type="file" accept="image/*"></label></p>
    <p><button type="button">Use the camera</button></p>
    <video hidden muted playsinline style="max-width: 100%; width: 480px"></video>
    <pre role="status" style="white-space: pre-wrap"></pre>
    <img hidden style="max-width: 100%">`;
  const [input, button, video, words, picture] =
    ["input", "button", "video", "pre", "img"].map((name) => el.querySelector(name));
  let stream = null;

  async function send(blob) {
    words.textContent = "The network looks at the photo ...";
    model.send({}, undefined, [await blob.arrayBuffer()]);
  }

  function closeCamera() {
    stream?.getTracks().forEach((track) => track.stop());
    stream = null;
    video.hidden = true;
    button.textContent = "Use the camera";
  }

  async function openCamera() {
    if (!navigator.mediaDevices) {
      words.textContent = "The browser gives no camera to this page (it must be https or localhost). Choose a file.";
      return;
    }
    words.textContent = "The browser asks whether this page may use the camera.";
    let opened;
    try {
      opened = await navigator.mediaDevices.getUserMedia({ video: true });
    } catch (error) {
      words.textContent = `No picture from the camera (${error.name}): allow it in the browser, or choose a file.`;
      return;
    }
    words.textContent = "";
    video.srcObject = opened;
    video.hidden = false;
    await video.play();
    stream = opened;  // from here on there is a picture to take
    button.textContent = "Take the photo";
  }

  async function takePhoto() {
    const photo = await asJpeg(video, video.videoWidth, video.videoHeight);
    closeCamera();
    await send(photo);
  }

  function showAnswer(answer, buffers) {
    URL.revokeObjectURL(picture.src);
    words.textContent = answer.words;
    picture.alt = answer.words;
    picture.hidden = buffers.length === 0;
    if (buffers.length) picture.src = URL.createObjectURL(new Blob([buffers[0]], { type: "image/png" }));
  }

  input.addEventListener("change", async () => {
    const [file] = input.files;
    if (!file) return;
    try {
      await send(await shrink(file));
    } catch (error) {
      words.textContent = `${file.name} could not be sent (${error.name}): save it as a smaller jpg.`;
    }
  });
  button.addEventListener("click", () => (stream ? takePhoto() : openCamera()));
  model.on("msg:custom", showAnswer);
  return () => {
    closeCamera();
    model.off("msg:custom", showAnswer);
  };
}

export default { render };
"""


class PhotoWidget(anywidget.AnyWidget):
    """A field to choose a photo and a button to take one; shows what `analyse` makes of it.

    `analyse` takes the bytes of an image file and returns (words, matplotlib figure); a `ValueError` is shown as words.
    """

    _esm = SCRIPT

    def __init__(self, analyse):
        super().__init__()
        self._analyse = analyse
        self.on_msg(self._answer)

    def __repr__(self):
        return "A field to choose a photo and a button to take one: run this cell in JupyterLab or Colab to see them."

    def _answer(self, widget, message, buffers):
        """Sends back words and, as png, the figure for the photo in `buffers`."""
        try:
            words, figure = self._analyse(bytes(buffers[0]))
        except ValueError as error:
            self.send({"words": str(error)})
            return
        picture = io.BytesIO()
        figure.savefig(picture, format="png")
        plt.close(figure)  # else the next cell that draws would show it
        self.send({"words": words}, [picture.getvalue()])
