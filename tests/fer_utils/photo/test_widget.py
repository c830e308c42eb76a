"""The widget, without a browser."""

import io

import pytest
from PIL import Image

from fer_utils.photo.reading import PhotoError
from fer_utils.photo.widget import PhotoWidget


@pytest.fixture
def widget(monkeypatch):
    import matplotlib.pyplot as plt

    def analyse(content):
        if content == b"damaged":
            raise PhotoError("the photo: found nothing")
        return f"{len(content)} bytes", plt.figure()

    made = PhotoWidget(analyse)
    monkeypatch.setattr(made, "send", lambda message, buffers=(): made.sent.append((message, list(buffers))))
    made.sent = []
    return made


def test_the_widget_sends_words_and_a_picture_back(widget):
    import matplotlib.pyplot as plt

    widget._handle_custom_msg({}, [memoryview(b"abc")])
    ((message, (picture,)),) = widget.sent
    assert message == {"words": "3 bytes"} and Image.open(io.BytesIO(picture)).format == "PNG"
    assert plt.get_fignums() == []


def test_the_widget_says_what_is_wrong_with_a_photo(widget):
    widget._handle_custom_msg({}, [memoryview(b"damaged")])
    assert widget.sent == [({"words": "the photo: found nothing"}, [])]


def test_no_photo_is_part_of_the_widgets_state(widget):
    before = str(widget.get_state())
    widget._handle_custom_msg({}, [memoryview(b"abc")])
    assert str(widget.get_state()) == before
    assert "run this cell" in widget._repr_mimebundle_()[0]["text/plain"]
