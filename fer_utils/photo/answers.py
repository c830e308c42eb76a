"""Finds the faces in a photo and lets a network name their expressions.

A photo goes from `read_photo` to `find_faces`, `crop_face` and the network; `name_expressions` does all but read it.

How a face is cut decides what the network sees, so the cut was chosen by measurement, on the first 1,800 validation
images of FER2013 (enlarged four times, their borders continued by half a frame). The detector found 1,331 faces. The
median side of its square was 0.97 of FER2013's frame (nine of ten 0.72 to 1.20), its centre 0.50 of the frame from the
left and 0.49 from the top: FER2013 frames some faces tighter than others, which no one margin undoes. The best recorded
network (two views) was right on 71.0 % of the frames themselves, and on cuts along the square, by its side:

=================  ====  ====  ====  ====  ====  ===========  =================
side               0.9   1.0   1.1   1.2   1.3   1.0 and 1.2  0.9, 1.1 and 1.3
=================  ====  ====  ====  ====  ====  ===========  =================
scaled by BICUBIC  66.3  68.7  68.1  67.7  65.1  68.9         69.2
scaled by LANCZOS  66.8  69.1  68.8  68.4  66.3  69.8         69.9
=================  ====  ====  ====  ====  ====  ===========  =================

So a face is judged on two squares, and the mean counts. To shift the square by a twentieth up or down gained nothing.
On the other 1,789 images, which chose nothing, the detector found 1,281 faces. With all ten views the network was right
on 72.4 % of their frames, on 69.1 % cut along the detector's square and scaled by BICUBIC, on 70.3 % cut as below: the
square costs 2.1 points instead of 3.4. Each of these answers is recorded (`worth`), and the printed shares are theirs.
"""

import functools
from typing import NamedTuple

import cv2
import numpy as np
from PIL import Image

from fer_utils.data import CLASS_NAMES, IMAGE_SIZE, prepare_face
from fer_utils.models import predict_views
from fer_utils.photo.worth import load_photo_record, measure_worth

# Of OpenCV's frontal detectors the one that saw no face in two photos without faces (scikit-learn's china and flower).
DETECTOR = "haarcascade_frontalface_alt.xml"
# Faces are looked for in a copy whose longer side lies between these: large enough for faces of a twentieth of it,
# small enough for a second on two cores. Of FER2013's faces fewer are found at 48 pixels than from 96 on.
SEARCHED_SIDE = 192, 800
SQUARES = 1, 1.2  # the squares on which a face is judged, as multiples of the detector's
# A picture that is already a cropped face. Of the first 1,000 validation images given as files the detector finds no
# face in 460, and in all but 29 others one that fills the frame. The best network was right on 69.7 % of the files, and
# on 69.9 % when it was fed directly.
SMALL_SIDE = 160  # pixels, the longer side of a small picture
NEARLY_SQUARE = 1.25  # times the shorter side
FILLS = 2 / 3  # of the shorter side: a face of at least this is about as large as the picture
WHAT_IT_IS_NOT = "An answer says how people who label pictures would call this face, not what the person feels."
NO_FACE = "no face found; it should be upright, seen from the front, and no smaller than a twentieth of the photo"


class Box(NamedTuple):
    """A square in a photo, in its pixels: left and upper edge, and the length of a side."""

    left: int
    top: int
    side: int


class Answer(NamedTuple):
    """What a network says of one face, and what such an answer has been worth."""

    box: Box
    image: np.ndarray  # (48, 48, 1) uint8: what is in the box, as the network sees it
    probabilities: np.ndarray  # (7,) float32, in the order of CLASS_NAMES
    share_right: float  # of the answers that were as sure as this one
    such_answers: str = "FER2013's test answers this sure"  # which answers these are
    note: str = ""  # why the picture was judged whole; "" for a face that was found and cut out

    @property
    def name(self):
        """The class of the highest probability."""
        return CLASS_NAMES[self.probabilities.argmax()]

    @property
    def probability(self):
        """The highest probability, a float."""
        return float(self.probabilities.max())

    @property
    def uncertain(self):
        """Whether answers as sure as this one were wrong at least as often as right."""
        return self.share_right <= 0.5

    @property
    def certainty(self):
        """What the answer is worth, in words."""
        worth = f"of {self.such_answers}, {self.share_right:.0%} were right"
        return f"UNCERTAIN: {worth}" if self.uncertain else worth

    def __str__(self):
        return f"{self.name} {self.probability:.0%} ({self.certainty})"


def find_faces(photo):
    """Finds the faces in a photo (height, width, 3): a list of `Box`, squares from left to right; [] without a face."""
    height, width = photo.shape[:2]
    scale = np.clip(max(height, width), *SEARCHED_SIDE) / max(height, width)
    size = max(round(width * scale), 1), max(round(height * scale), 1)
    searched = Image.fromarray(photo).convert("L").resize(size, Image.Resampling.BILINEAR, reducing_gap=3)
    found = _detector().detectMultiScale(np.asarray(searched), scaleFactor=1.1, minNeighbors=5)
    boxes = []
    for place in found:
        left, top, side = (int(value / scale) for value in place[:3])
        boxes.append(Box(left, top, min(side, width - left, height - top)))
    return sorted(boxes)


@functools.cache
def _detector():
    return cv2.CascadeClassifier(cv2.data.haarcascades + DETECTOR)


def crop_face(photo, box):
    """Cuts the face in the `box` out of a photo: uint8 (48, 48, 1), made in the same way as FER2013's images here.

    Where the box reaches beyond the photo, the border is continued.
    """
    left, top, side = box
    height, width = photo.shape[:2]
    rows = np.clip(np.arange(top, top + side), 0, height - 1)
    columns = np.clip(np.arange(left, left + side), 0, width - 1)
    face = Image.fromarray(photo[np.ix_(rows, columns)])
    if side != IMAGE_SIZE:
        face = face.resize((IMAGE_SIZE, IMAGE_SIZE), Image.Resampling.LANCZOS)
    return prepare_face(face)[..., np.newaxis]


def cut_squares(photo, box):
    """Cuts a face out along the squares on which it is judged: uint8 (squares, 48, 48, 1), the `box` itself first."""
    return np.stack([crop_face(photo, _widen(box, factor)) for factor in SQUARES])


def _widen(box, factor):
    side = round(factor * box.side)
    shift = (side - box.side) // 2
    return Box(box.left - shift, box.top - shift, side)


def judge_squares(faces, network, views):
    """Returns class probabilities float32 (N, 7) of faces uint8 (N, squares, 48, 48, 1), the mean over their squares.

    Each square is judged by as many `views` as the network's test images were.
    """
    faces = np.asarray(faces)
    return np.mean([predict_views(network, faces[:, place], views) for place in range(faces.shape[1])], axis=0)


def name_expressions(photo, network, run, whole=False):
    """Returns what `network` says of each face in a photo: [`Answer`, ...] from left to right; [] without a face.

    `run` is the network's `Run`. A picture that seems to be a cropped face already is judged whole, like FER2013's own
    images: it is small or nearly square, and no face is found in it, or one about as large as itself. With `whole`
    every picture is judged so. Of a picture that is no square it is the largest square in its middle. `worth` says how
    it is counted what an answer is worth.
    """
    boxes, note = ([], "judged whole, as asked") if whole else _find_or_take_whole(photo)
    if note:
        boxes = [_middle_square(photo)]
    if not boxes:
        return []
    faces = [crop_face(photo, box)[np.newaxis] if note else cut_squares(photo, box) for box in boxes]
    record = None if note else load_photo_record(run)
    answers = []
    for box, face, probabilities in zip(boxes, faces, judge_squares(faces, network, run.views), strict=True):
        answers.append(Answer(box, face[0], probabilities, *measure_worth(probabilities.max(), run, record), note))
    return answers


def _find_or_take_whole(photo):
    """Returns (boxes of the faces, ""), or ([], why the picture is to be judged whole)."""
    boxes, (shorter, longer) = find_faces(photo), sorted(photo.shape[:2])
    if longer > SMALL_SIDE and longer > NEARLY_SQUARE * shorter:
        return boxes, ""
    if not boxes:
        return [], "no face was found, so the picture was judged whole, as if it were one"
    if max(box.side for box in boxes) >= FILLS * shorter:
        return [], "the face fills the picture, so it was judged whole"
    return boxes, ""


def _middle_square(photo):
    height, width = photo.shape[:2]
    side = min(height, width)
    return Box((width - side) // 2, (height - side) // 2, side)


def format_answers(answers):
    """Returns answers as text for a reader: how many faces, a line for each, and what an answer is not."""
    if not answers:
        return NO_FACE
    lines = ["1 face" if len(answers) == 1 else f"{len(answers)} faces, from left to right"]
    if answers[0].note:
        lines = [answers[0].note]
    for number, answer in enumerate(answers, start=1):
        lines.append(f"{number}: {answer}")
        seven = zip(CLASS_NAMES, answer.probabilities, strict=True)
        lines.append("   " + ", ".join(f"{name} {probability:.0%}" for name, probability in seven))
    return "\n".join([*lines, WHAT_IT_IS_NOT])
