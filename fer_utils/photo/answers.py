"""Finds the faces in a photo and lets a network name their expressions.

A photo goes from `read_photo` to `find_faces`, `crop_face` and the network; `name_expressions` does all but read it.

How tight a face is cut decides what the network sees, so the crop was chosen by measurement. On 1,000 training images
of FER2013 (drawn with seed 0, enlarged four times, their borders continued by half a frame) the detector found 749
faces; the median side of its square was 0.96 of FER2013's frame (middle half 0.90 to 1.02), its centre 0.50 of the
frame from the left and 0.50 from the top. FER2013's own crops are as good as the detector's squares: a face is cut out
along the square, without a margin.
"""

import functools
from typing import NamedTuple

import cv2
import numpy as np
from PIL import Image

from fer_utils.data import CLASS_NAMES, prepare_face
from fer_utils.evaluation import accuracy_at

# Of OpenCV's frontal detectors the one that saw no face in two photos without faces (scikit-learn's china and flower).
DETECTOR = "haarcascade_frontalface_alt.xml"
# Faces are looked for in a copy whose longer side lies between these: large enough for faces of a twentieth of it,
# small enough for a second on two cores. Of FER2013's faces fewer are found at 48 pixels than from 96 on.
SEARCHED_SIDE = 192, 800
WHAT_IT_IS_NOT = "An answer says how people who label pictures would call this face, not what the person feels."
NO_FACE = "no face found; it should be upright, seen from the front, and no smaller than a twentieth of the photo"


class Box(NamedTuple):
    """A square in a photo, in its pixels: left and upper edge, and the length of a side."""

    left: int
    top: int
    side: int


class Answer(NamedTuple):
    """What a network says of one face, and what such an answer has been worth on FER2013's test set."""

    box: Box
    image: np.ndarray  # (48, 48, 1) uint8: all that the network sees of the photo
    probabilities: np.ndarray  # (7,) float32, in the order of CLASS_NAMES
    share_right: float  # of FER2013's test answers that were as sure as this one

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
        worth = f"of FER2013's test answers this sure, {self.share_right:.0%} were right"
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
    """Cuts the face in the `box` out of a photo: uint8 (48, 48, 1), made in the same way as FER2013's images here."""
    left, top, side = box
    return prepare_face(Image.fromarray(photo[top : top + side, left : left + side]))[..., np.newaxis]


def name_expressions(photo, network, run):
    """Returns what `network` says of each face in a photo: [`Answer`, ...] from left to right; [] without a face.

    `run` is the network's `Run` on FER2013; its test answers tell what an answer is worth, so that each face is judged
    by as many views as they were.
    """
    from fer_utils.models import predict_views  # here, so that a photo is read without waiting for TensorFlow

    boxes = find_faces(photo)
    if not boxes:
        return []
    images = np.stack([crop_face(photo, box) for box in boxes])
    answers = []
    for box, image, probabilities in zip(boxes, images, predict_views(network, images, run.views), strict=True):
        share_right = accuracy_at(probabilities.max(), run.test_probabilities, run.test_correct)
        answers.append(Answer(box, image, probabilities, share_right))
    return answers


def format_answers(answers):
    """Returns answers as text for a reader: how many faces, a line for each, and what an answer is not."""
    if not answers:
        return NO_FACE
    lines = ["1 face" if len(answers) == 1 else f"{len(answers)} faces, from left to right"]
    for number, answer in enumerate(answers, start=1):
        lines.append(f"{number}: {answer}")
        seven = zip(CLASS_NAMES, answer.probabilities, strict=True)
        lines.append("   " + ", ".join(f"{name} {probability:.0%}" for name, probability in seven))
    return "\n".join([*lines, WHAT_IT_IS_NOT])
