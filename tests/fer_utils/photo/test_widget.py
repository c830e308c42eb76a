"""The widget, without a browser."""

import io
import json

import pytest
from PIL import Image

from fer_utils.photo.answers import Box
from fer_utils.photo.reading import PhotoError
from fer_utils.photo.widget import PhotoWidget


def refuse_damaged(content):
    if content == b"damaged":
        raise PhotoError("the photo: found nothing")


@pytest.fixture
def widget(monkeypatch):
    import matplotlib.pyplot as plt
    import numpy as np

    def analyse(content):
        refuse_damaged(content)
        return f"{len(content)} bytes", plt.figure()

    def look(content):
        refuse_damaged(content)
        return [(Box(1, 2, np.int64(3)), "Happy", np.float32(0.75)), (Box(5, 2, 4), "Sad", 0.5)] if content else []

    made = PhotoWidget(analyse, look)
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


def test_a_live_picture_is_answered_with_boxes_words_and_its_number(widget):
    widget._handle_custom_msg({"look": 7}, [memoryview(b"abc")])
    ((message, buffers),) = widget.sent
    assert buffers == [] and json.loads(json.dumps(message)) == {
        "look": 7,
        "words": "Live: Happy, Sad",
        "faces": [
            {"box": [1, 2, 3], "word": "Happy", "probability": 0.75},
            {"box": [5, 2, 4], "word": "Sad", "probability": 0.5},
        ],
    }


@pytest.mark.parametrize(("content", "words"), [(b"", "Live: no face found"), (b"damaged", "the photo: found nothing")])
def test_a_live_picture_without_a_face_or_damaged_is_answered_in_words(widget, content, words):
    widget._handle_custom_msg({"look": 1}, [memoryview(content)])
    assert widget.sent == [({"look": 1, "words": words, "faces": []}, [])]


def test_the_browser_offers_the_live_camera_only_where_somebody_looks(widget):
    assert widget.get_state()["live"] is True
    assert PhotoWidget(lambda content: ("", None)).get_state()["live"] is False


@pytest.mark.parametrize("message", [{}, {"look": 1}])
def test_no_picture_is_part_of_the_widgets_state(widget, message):
    before = str(widget.get_state())
    widget._handle_custom_msg(message, [memoryview(b"abc")])
    assert widget.sent and str(widget.get_state()) == before
    assert "run this cell" in widget._repr_mimebundle_()[0]["text/plain"]
