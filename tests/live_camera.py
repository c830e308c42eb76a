"""The live camera of notebook 12's photo widget in a real Chromium, for test_browser.py."""

import base64
import re
import time
from pathlib import Path

from matplotlib import cbook

# A camera that shows a picture, instead of Chromium's own, which shows none with a face. It moves: a camera's picture
# is a new one many times a second.
SHOW_TO_THE_CAMERA = """async (source) => {
    const image = new Image();
    image.src = source;
    await image.decode();
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [640, 480];
    const context = canvas.getContext("2d");
    setInterval(() => {
        context.fillRect(0, 0, 640, 480);
        context.drawImage(image, 115 + 5 * Math.sin(Date.now() / 500), 0, 410, 480);
    }, 40);
    navigator.mediaDevices.getUserMedia = async () => canvas.captureStream(25);
}"""
KEEP_TRACK = "video => { window.track = video.srcObject.getTracks()[0]; }"
IS_CLOSED = "() => window.track.readyState === 'ended'"
COUNT_ANSWERS = "canvas => Number(canvas.dataset.answers)"
IS_DRAWN_ON = """() => {
    const canvas = document.querySelector(".jp-OutputArea canvas");
    const {data} = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    return data.some((value) => value > 0);
}"""


class LiveCamera:
    """The live camera of the photo widget on a page."""

    def __init__(self, page):
        self.page = page
        self.words, self.video, self.canvas = (
            page.locator(f".jp-OutputArea {name}") for name in ("[role=status]", "video", "canvas")
        )

    def press(self, name):
        self.page.get_by_role("button", name=name, exact=True).click()

    def start(self, words):
        """Presses Live, and waits until `words` are said."""
        self.press("Live")
        self.words.filter(has_text=re.compile(f"Live: {words}")).wait_for(timeout=60_000)
        self.video.evaluate(KEEP_TRACK)

    def wait_for_answers(self, number=3):
        """Waits until so many more answers are drawn; notebook 12 tells how many a second a quiet machine gives."""
        wanted = number + self.canvas.evaluate(COUNT_ANSWERS)
        deadline = time.monotonic() + 60
        while self.canvas.evaluate(COUNT_ANSWERS) < wanted:
            assert time.monotonic() < deadline, "the live camera draws no more answers"
            self.page.wait_for_timeout(100)

    def is_closed(self):
        """Whether the camera that was last started is closed, at once or within two seconds."""
        for _ in range(20):
            if self.page.evaluate(IS_CLOSED):
                return True
            self.page.wait_for_timeout(100)
        return False


def check_live(page, class_names, shot):
    """Tries the live camera without a face and with one, of which the picture `shot` is taken, and ways to leave it."""
    camera, content = LiveCamera(page), Path(cbook.get_sample_data("grace_hopper.jpg", False)).read_bytes()
    camera.start("no face found")
    camera.wait_for_answers()
    assert not page.evaluate(IS_DRAWN_ON)
    camera.press("Stop")
    assert camera.is_closed() and camera.video.is_hidden()

    page.evaluate(SHOW_TO_THE_CAMERA, f"data:image/jpeg;base64,{base64.b64encode(content).decode()}")
    camera.start(f"({'|'.join(class_names)})$")
    page.wait_for_function(IS_DRAWN_ON)
    camera.wait_for_answers()
    page.screenshot(path=shot)

    page.evaluate("() => document.querySelector('.jp-WindowedPanel-outer').scrollTo(0, 0)")
    assert camera.is_closed() and "closed" in camera.words.text_content()
    camera.start("")
    page.evaluate("() => Object.defineProperty(document, 'hidden', {get: () => true, configurable: true})")
    page.evaluate("() => document.dispatchEvent(new Event('visibilitychange'))")
    assert camera.is_closed()
    page.evaluate("() => { delete document.hidden; }")
    for keys in ("Control+Enter", "d d"):  # run again, deleted
        camera.start("")
        page.locator(".jp-CodeCell", has_text="PhotoWidget(analyse").last.locator(".jp-InputPrompt").click()
        for key in keys.split():
            page.keyboard.press(key)
        assert camera.is_closed()
