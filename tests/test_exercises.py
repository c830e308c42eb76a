"""The checks of the exercises on right, plausible wrong and senseless answers; one table of cases per notebook."""

import functools
import inspect
import re
from collections.abc import Callable
from typing import Any, NamedTuple

import nbformat
import numpy as np
import pytest

from fer_utils import exercises
from fer_utils.data import CLASS_NAMES, FaceDataset, Split
from fer_utils.drawn_faces import draw_faces
from fer_utils.environment import PROJECT
from fer_utils.exercises import Verdict
from fer_utils.models import keras, lenet_like, predict
from small_training import build_small_network, make_run


class Case(NamedTuple):
    """One check: its name without `check_`, a function that makes its data, right answers, and wrong ones.

    `wrong` holds at least two pairs: a plausible wrong answer, and a word that the verdict on it must say and the
    verdicts on the others must not.
    """

    name: str
    make_data: Callable[[], tuple]
    right: list[Any]
    wrong: list[tuple[Any, str]]

    def judge(self, answer):
        return getattr(exercises, f"check_{self.name}")(answer, *_data_of(self.make_data))


@functools.cache
def _data_of(make_data):
    return make_data()


def no_data():
    return ()


@functools.cache
def faces():
    images, labels, usage = draw_faces((140, 140, 40), seed=0)
    splits = [Split(images[usage == part, ..., np.newaxis], labels[usage == part]) for part in range(3)]
    return FaceDataset("drawn faces", "0123456789abcdef", CLASS_NAMES, *splits)


# --- 01 data exploration ---


def answer_nearest(measure, split="train", choose=np.argmin):
    """A learner's `nearest_mean`, with one thing changed: the `measure`, the `split` of the means, or the choice."""

    def nearest_mean(images):
        labels = getattr(faces(), split).labels
        means = [getattr(faces(), split).images[labels == label].mean(axis=0) for label in range(7)]
        distances = [measure(images - mean).sum(axis=(1, 2, 3)) for mean in means]
        return choose(distances, axis=0)

    return nearest_mean


def answer_honestly(count):
    """A learner's `honest_accuracy`: `count` is given (correct, leaked)."""

    def honest_accuracy(correct, test_images, train_images):
        leaked = np.array([(image == train_images).all(axis=(1, 2, 3)).any() for image in test_images])
        return count(correct, leaked)

    return honest_accuracy


CASES_01 = [
    Case(
        "added_units",
        no_data,
        right=[[4, 20], (20, 4), {4: 1.0, 20: 1.0}, np.array([4, 20])],
        wrong=[
            ([1, 2, 4, 5, 20, 26], "all movements"),
            ([4, 26], "already"),
            ([12], "no movement of fear"),
            ([4], "not all yet"),
            (20, "not all yet"),
            ([3], "no action unit 3"),
        ],
    ),
    Case(
        "nearest_mean",
        lambda: (faces(),),
        right=[answer_nearest(np.square), lambda images: list(answer_nearest(np.square)(images))],
        wrong=[
            (answer_nearest(np.square, choose=np.argmax), "farthest"),
            (answer_nearest(np.abs), "absolute"),
            (answer_nearest(np.square, split="validation"), "validation faces"),
            (answer_nearest(np.square, choose=np.min), "distances"),
            (lambda images: faces().validation.labels, "must not know"),
            (lambda images: np.full(len(images), 3), "the same class"),
            (lambda images: answer_nearest(np.square)(images[:, :, ::-1]), "others than"),
            (0.25, "a function is asked for"),
            (lambda images: np.zeros((len(images), 7)), "an array of shape (140,)"),
        ],
    ),
    Case(
        "honest_accuracy",
        lambda: (faces(),),
        right=[answer_honestly(lambda correct, leaked: correct[~leaked].mean())],
        wrong=[
            (answer_honestly(lambda correct, leaked: correct.mean()), "all test images, the copies"),
            (answer_honestly(lambda correct, leaked: correct[leaked].mean()), "copies alone"),
            (answer_honestly(lambda correct, leaked: (correct & ~leaked).mean()), "divides"),
            (answer_honestly(lambda correct, leaked: 1 - leaked.mean()), "right on them or not"),
            (answer_honestly(lambda correct, leaked: 100 * correct[~leaked].mean()), "percentage"),
            (answer_honestly(lambda correct, leaked: 0.1), "too small"),
        ],
    ),
]

# --- 02 baseline overfitting ---


def make_matrix(seed):
    return np.random.default_rng(seed).integers(1, 50, (7, 7)) + np.diag([40, 50, 60, 150, 30, 20, 10])


def make_judged_run():
    return make_run(confusion=make_matrix(0), validation_confusion=make_matrix(1))


MATRIX = make_matrix(0)


def answer_stop_epoch(first=1, extra=0, with_previous=False, at_end=None):
    """A learner's `stop_epoch`, with one thing changed."""

    def stop_epoch(val_loss, patience):
        waited = 0
        for epoch in range(1, len(val_loss)):
            lowest = val_loss[epoch - 1] if with_previous else min(val_loss[:epoch])
            waited = waited + 1 if val_loss[epoch] >= lowest else 0
            if waited == patience + extra:
                return epoch + first
        return at_end if at_end is not None else len(val_loss) - 1 + first

    return stop_epoch


def kept_epoch(val_loss, patience):
    return int(np.argmin(val_loss[: answer_stop_epoch()(val_loss, patience)])) + 1


CASES_02 = [
    Case(
        "quarter_width",
        lambda: (lenet_like,),
        right=[0.5, np.float32(0.5), np.array([0.5])],
        wrong=[
            (0.25, "both sides"),
            (0.75, "too many"),
            (171_000, "number of parameters"),
            (2, "larger"),
            (-1, "no width"),
        ],
    ),
    Case(
        "precision",
        lambda: (make_judged_run(),),
        right=[MATRIX[3, 3] / MATRIX[:, 3].sum(), round(MATRIX[3, 3] / MATRIX[:, 3].sum(), 3)],
        wrong=[
            (MATRIX[3, 3] / MATRIX[3].sum(), "a row of the matrix"),
            (np.trace(MATRIX) / MATRIX.sum(), "over all expressions"),
            (MATRIX[:, 3].sum() / MATRIX.sum(), "right or wrong"),
            (make_matrix(1)[3, 3] / make_matrix(1)[:, 3].sum(), "validation faces"),
            (100 * MATRIX[3, 3] / MATRIX[:, 3].sum(), "percentage"),
            (0.99, "too large"),
        ],
    ),
    Case(
        "stop_epoch",
        no_data,
        right=[answer_stop_epoch()],
        wrong=[
            (answer_stop_epoch(first=0), "from 0"),
            (answer_stop_epoch(extra=1), "longer than the patience"),
            (answer_stop_epoch(with_previous=True), "the one before"),
            (lambda val_loss, patience: val_loss.argmin() + 1, "lowest loss of all"),
            (kept_epoch, "weights are kept"),
            (lambda val_loss, patience: len(val_loss), "never stops early"),
            (answer_stop_epoch(at_end=0), "with losses [1.8, 1.5, 1.4, 1.3, 1.2]"),
            (lambda val_loss: 4, "raises TypeError"),
        ],
    ),
]

# --- 03 data augmentation ---


@functools.cache
def network():
    keras.utils.set_random_seed(0)
    return build_small_network(1.0)


FEW = faces().test.images[:35]
SEEN, MIRRORED, TURNED = (predict(network(), view) for view in (FEW, FEW[:, :, ::-1].copy(), FEW[:, ::-1].copy()))

CASES_03 = [
    Case(
        "mirrored",
        lambda: (FEW,),
        right=[FEW[:, :, ::-1], np.flip(FEW, axis=2).astype(float)],
        wrong=[
            (FEW, "as they were"),
            (FEW[..., ::-1], "as they were"),
            (FEW[:, ::-1], "upside down"),
            (FEW[::-1], "reverse order"),
            (FEW[:, ::-1, ::-1], "half a circle"),
            (FEW.swapaxes(1, 2), "on their sides"),
            (FEW[0], "an array of shape (35, 48, 48, 1)"),
            (255 - FEW[:, :, ::-1], "others than"),
        ],
    ),
    Case(
        "two_views",
        lambda: (network(), FEW),
        right=[(SEEN + MIRRORED) / 2, np.mean([SEEN, MIRRORED], axis=0)],
        wrong=[
            (SEEN, "as they are"),
            (MIRRORED, "mirrored faces alone"),
            (SEEN + MIRRORED, "a sum"),
            ((SEEN + TURNED) / 2, "upside down"),
            (SEEN * MIRRORED, "a product"),
            (SEEN.argmax(axis=1), "this is an array of shape (35,)"),
            (np.concatenate([SEEN, MIRRORED]), "this is an array of shape (70, 7)"),
        ],
    ),
    Case(
        "most_disagreements",
        no_data,
        right=[104, 104.0],
        wrong=[
            (20, "the least"),
            (10, "at least"),
            (90, "still is with more"),
            (106, "too many"),
            (105, "even number"),
            (10.4, "whole number"),
            (1040, "only 1,000"),
        ],
    ),
]

# --- 04 depth comparison ---


TWO, ONE = 2 * 9 * 64 * 64, 25 * 64 * 64


def receptive_fields(model):
    """The function of notebook 04, from its cell."""
    cells = nbformat.read(PROJECT / "notebooks" / "04_depth_comparison.ipynb", as_version=4).cells
    source = next(cell.source for cell in cells if cell.source.startswith("def receptive_fields"))
    names = {}
    exec(source[: source.index("\n\n\n")], names)
    return names["receptive_fields"](model)


def make_network(*layers, size=48, outputs=7):
    keras.utils.set_random_seed(0)
    closing = [keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(outputs, activation="softmax")]
    return keras.Sequential([keras.Input((size, size, 1)), *layers, *closing])


def convolve(maps, size=3, stride=1):
    return keras.layers.Conv2D(maps, size, stride, padding="same")


CASES_04 = [
    Case(
        "stacked_weights",
        no_data,
        right=[(TWO, ONE), [TWO, ONE], np.array([TWO, ONE])],
        wrong=[
            ((ONE, TWO), "changed places"),
            ((2 * 9 * 64, 25 * 64), "all 64 maps"),
            ((TWO // 2, ONE), "single convolution"),
            ((2 * 9, 25), "one filter"),
            ((TWO + 128, ONE + 64), "biases"),
            ((TWO, TWO), "one 5×5 is too small"),
            (TWO, "the number 73728"),
        ],
    ),
    Case(
        "strided_field",
        no_data,
        right=[33, 33.0],
        wrong=[
            (18, "without the change"),
            (36, "twice the patch"),
            (53, "all three"),
            (41, "last pooling"),
            (20, "too small"),
        ],
    ),
    Case(
        "far_sighted",
        lambda: (receptive_fields, lenet_like()),
        right=[make_network(convolve(8, 5, 4), convolve(16, 3, 2), convolve(32), convolve(32), convolve(32))],
        wrong=[
            (make_network(convolve(8)), "3 of 48 pixels"),
            (make_network(convolve(32, 47), convolve(32)), "multiply-adds; the limit is 22.5"),
            (make_network(keras.layers.Flatten(), keras.layers.Reshape((48, 48, 1))), "no convolution"),
            (make_network(convolve(8), size=96), "goes from (96, 96, 1)"),
            (make_network(convolve(8), outputs=1), "to (1,)"),
            (convolve(8), "a keras.Model is asked for"),
        ],
    ),
]

# --- 11 your own photo ---


def run_of_known_worth():
    """Test answers with confidences from 0.2 to 1, right wherever they exceed 0.6, else never: 90 % from about 0.56."""
    confidence = np.linspace(0.2, 1, 801)
    probabilities = np.zeros((801, 7))
    probabilities[:, 0] = confidence
    return make_run(confidence > 0.6, test_probabilities=probabilities)


def as_uint8(change):
    return lambda face: change(face).astype(np.uint8)


CASES_11 = [
    Case(
        "sureness",
        lambda: (run_of_known_worth(),),
        right=[0.56, np.float64(0.56)],
        wrong=[(0.4, "only"), (0.8, "leaves more"), (56, "percentage"), (-1, "lies between")],
    ),
    Case(
        "wider_square",
        no_data,
        right=[
            lambda square, factor: (
                square[0] - square[2] * (factor - 1) / 2,
                square[1] - square[2] * (factor - 1) / 2,
                square[2] * factor,
            )
        ],
        wrong=[
            (lambda square, factor: (square[0], square[1], square[2] * factor), "to the right and down"),
            (
                lambda square, factor: (
                    square[0] - square[2] * (factor - 1),
                    square[1] - square[2] * (factor - 1),
                    square[2] * factor,
                ),
                "half of the growth belongs",
            ),
            (
                lambda square, factor: (
                    square[0] - square[2] * (factor - 1) / 2,
                    square[1] - square[2] * (factor - 1) / 2,
                    square[2],
                ),
                "still the old one",
            ),
            (lambda square, factor: square, "as it was"),
            ((90, 70, 60), "a function is asked for"),
        ],
    ),
    Case(
        "grey_levels",
        no_data,
        right=[as_uint8(lambda face: np.round(255 * face)), as_uint8(lambda face: 255 * face)],
        wrong=[
            (as_uint8(lambda face: face), "dark room"),
            (as_uint8(lambda face: (256 * face).astype(int)), "does not fit"),
            (as_uint8(lambda face: 200 * face), "wrong by"),
            (lambda face: 255 * face, "of type float32"),
        ],
    ),
]

# --- all of them ---

CASES = [*CASES_01, *CASES_02, *CASES_03, *CASES_04, *CASES_11]
RIGHT = [pytest.param(case, answer, id=f"{case.name}-{i}") for case in CASES for i, answer in enumerate(case.right)]
WRONG = [pytest.param(case, answer, word, id=f"{case.name}-{word}") for case in CASES for answer, word in case.wrong]


def raise_an_error(*_):
    raise RuntimeError("out of order")


GARBAGE = {
    "text": "x",
    "nan": float("nan"),
    "infinity": float("inf"),
    "bool": True,
    "empty list": [],
    "ragged list": [[1], [1, 2]],
    "list of text": ["x", "y"],
    "empty dict": {},
    "wrong shape": np.zeros((3, 5, 2)),
    "nan array": np.full(7, np.nan),
    "empty array": np.zeros(0),
    "object": object(),
    "function that raises": raise_an_error,
    "function of nothing": lambda: 1,
    "function that gives nothing": lambda *_: None,
    "function that gives text": lambda *_: "x",
    "function that gives nan": lambda *_: float("nan"),
    "function that gives its argument": lambda *arguments: arguments[0] if arguments else 0,
    "type": dict,
    "huge": 10**400,
}
each_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


@pytest.mark.parametrize(("case", "answer"), RIGHT)
def test_right_answer_passes(case, answer):
    verdict = case.judge(answer)
    assert verdict.right and repr(verdict).startswith("Right: ") and verdict.words, verdict


@pytest.mark.parametrize(("case", "answer", "word"), WRONG)
def test_verdict_names_the_mistake(case, answer, word):
    verdict = case.judge(answer)
    assert not verdict.right and word in verdict.words, verdict
    others = [other for _, other in case.wrong if other != word]
    assert others and not any(other in verdict.words for other in others), f"not told apart: {verdict}"


@each_case
def test_unfilled_is_told_what_is_asked_for(case):
    verdict = case.judge(None)
    assert repr(verdict).startswith("Not yet: ") and len(verdict.words.split()) >= 6, verdict
    assert case.judge(...) == verdict
    assert "raises" not in verdict.words and "ends in" not in verdict.words


@pytest.mark.parametrize("kind", GARBAGE)
@each_case
def test_any_answer_gets_a_verdict(case, kind):
    verdict = case.judge(GARBAGE[kind])
    assert isinstance(verdict, Verdict) and not verdict.right and verdict.words, verdict


@each_case
def test_no_verdict_gives_the_answer_away(case):
    numbers = [answer for answer in case.right if isinstance(answer, int | float)]
    given = [None, *(answer for answer, _ in case.wrong)]
    texts = [case.judge(answer).words for answer in given]
    for number in numbers:
        spelled = "|".join(re.escape(text) for text in {f"{number:g}", f"{number:,}", str(number)})
        assert [text for text in texts if re.search(rf"(?<![\d.,])({spelled})(?![\d.,]*\d)", text)] == []


def test_every_check_is_tried():
    names = [name for name, _ in inspect.getmembers(exercises, inspect.isfunction) if name.startswith("check_")]
    assert sorted(f"check_{case.name}" for case in CASES) == names


# What the checks share.


def test_a_fault_of_a_check_becomes_words():
    broken = exercises.check("fill in a number")(lambda answer: 1 / 0)
    verdict = broken(1)
    assert not verdict.right and "ZeroDivisionError" in verdict.words and "fill in a number" in verdict.words
