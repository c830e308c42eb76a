"""The checks of the exercises on right, plausible wrong and senseless answers; one table of cases per notebook."""

import functools
import inspect
import re
import statistics
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import pytest

from fer_utils import exercises
from fer_utils.exercises import Verdict
from fer_utils.experiments import EXPERIMENTS
from fer_utils.models import keras, predict, resnet_like, vgg_like


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


# --- 05 shortcut connections ---


def small_resnet():
    """Its last projection goes from 32 to 64 maps."""
    return (resnet_like(width=0.25),)


def pair(x, maps, relu_at_the_end=False):
    for last in (False, True):
        x = keras.layers.Conv2D(maps, 3, padding="same", use_bias=False)(x)
        x = keras.layers.BatchNormalization()(x)
        x = x if last and not relu_at_the_end else keras.layers.ReLU()(x)
    return x


def pad_maps(x, maps, first=0):
    return keras.ops.pad(x, ((0, 0), (0, 0), (0, 0), (first, maps - x.shape[-1] - first)))


def relu(x):
    return keras.layers.ReLU()(x)


def project(x, maps):
    return keras.layers.Conv2D(maps, 1, use_bias=False)(x)


def repeat_maps(x, maps):
    return keras.layers.Concatenate()([x] * maps)[..., :maps]


def epochs_to_reach(run, accuracy, curve="val_accuracy", first=1, never=None):
    reached = np.flatnonzero(np.array(run.history[curve]) >= accuracy)
    return first + int(reached[0]) if len(reached) else never


def epoch_or_none_for_the_first(run, accuracy):
    epoch = int(np.argmax(np.array(run.history["val_accuracy"]) >= accuracy))
    return epoch + 1 if epoch else None


def epoch_above(run, accuracy):
    return next((number for number, value in enumerate(run.history["val_accuracy"], 1) if value > accuracy), None)


def epochs_below(run, accuracy):
    values = np.array(run.history["val_accuracy"])
    return int((values < accuracy).sum()) + 1 if values.max() >= accuracy else None


def last_epoch(run, accuracy):
    reached = np.flatnonzero(np.array(run.history["val_accuracy"]) >= accuracy)
    return int(reached[-1]) + 1 if len(reached) else None


CASES_05 = [
    Case(
        "projection_weights",
        small_resnet,
        right=[2048, 2048.0, np.int64(2048)],
        wrong=[
            (9 * 2048, "3×3"),
            (2048 + 64, "bias"),
            (2048 + 256, "behind it"),
            (32, "single new map"),
            (64, "one weight for each"),
            (96, "added"),
            (32 * 32, "come in are taken"),
            (64 * 64, "go out are taken"),
            (2047, "small"),
        ],
    ),
    Case(
        "free_block",
        no_data,
        right=[
            lambda x, maps: relu(pair(x, maps) + pad_maps(x, maps)),
            lambda x, maps: relu(keras.layers.Add()([pad_maps(x, maps, maps - x.shape[-1]), pair(x, maps)])),
        ],
        wrong=[
            (lambda x, maps: relu(pair(x, maps) + project(x, maps)), "more than the plain"),
            (lambda x, maps: relu(pad_maps(x, maps)), "fewer than the plain"),
            (lambda x, maps: relu(pair(x, maps)), "does not reach"),
            (lambda x, maps: pair(x, maps) + pad_maps(x, maps), "negative"),
            (lambda x, maps: pair(x, maps, relu_at_the_end=True) + pad_maps(x, maps), "negative"),
            (lambda x, maps: relu(pair(x, maps) + repeat_maps(x, maps)), "belongs there"),
            (lambda x, maps: relu(keras.layers.Concatenate()([pair(x, maps), x])), "go in"),
            (lambda x, maps: relu(pair(x, maps) + 2 * pad_maps(x, maps)), "something else"),
            (lambda x, maps: np.zeros((1, 6, 6, maps)), "last layer"),
        ],
    ),
    Case(
        "epochs_to_reach",
        no_data,
        right=[epochs_to_reach, lambda run, accuracy: np.int64(e) if (e := epochs_to_reach(run, accuracy)) else None],
        wrong=[
            (functools.partial(epochs_to_reach, never=1), "never reached gives"),
            (functools.partial(epochs_to_reach, first=0), "counted from 0"),
            (functools.partial(epochs_to_reach, curve="accuracy"), "training accuracy"),
            (epoch_or_none_for_the_first, "very first"),
            (epoch_above, "passed"),
            (epochs_below, "fall again"),
            (last_epoch, "last epoch"),
            (lambda run, accuracy: epochs_to_reach(run, accuracy, first=10), "for validation accuracies"),
        ],
    ),
]

# --- 06 activation visualisation ---

RANDOM = np.random.default_rng(0)


def pick_middle(values):
    return (1 + RANDOM.integers(4)) * values.shape[1] + 1 + RANDOM.integers(4)


@functools.cache
def two_networks():
    """What notebook 06 calls `found`: R² and where the probe is right, by state and layer, for 100 faces."""
    accuracies = {"trained": (37, 33, 47), "untrained": (37, 39, 36)}
    r2 = {"trained": (0.96, 0.94, 0.74), "untrained": (0.96, 0.97, 0.86)}
    layers = ("scale", "conv1_relu", "conv8_relu")
    return {
        state: {
            layer: (value, np.arange(100) < n)
            for layer, value, n in zip(layers, r2[state], accuracies[state], strict=True)
        }
        for state in accuracies
    }


CASES_06 = [
    Case(
        "patch_width",
        no_data,
        right=[10, 10.0],
        wrong=[
            (3, "filter"),
            (5, "second convolution"),
            (6, "three places of it"),
            (7, "without the pooling"),
            (8, "shifted"),
            (18, "overlap"),
            (24, "in a row"),
            (100, "whole patch"),
            (11, "large"),
        ],
    ),
    Case(
        "pick_middle",
        no_data,
        right=[pick_middle, lambda values: int(RANDOM.choice(np.arange(36).reshape(6, 6)[1:5, 1:5].ravel()))],
        wrong=[
            (lambda values: tuple(1 + RANDOM.integers(4, size=2)), "np.argmax"),
            (lambda values: pick_middle(values) + 0.5, "are whole"),
            (lambda values: pick_middle(values) + 36, "are whole"),
            (lambda values: np.random.default_rng(0).integers(1, 5) * 6 + 2, "same place"),
            (lambda values: RANDOM.integers(16), "middle places alone"),
            (lambda values: RANDOM.integers(36), "border"),
            (lambda values: RANDOM.integers(2, 4) * 6 + RANDOM.integers(2, 4), "never picks"),
        ],
    ),
    Case(
        "learned",
        lambda: (two_networks(),),
        right=[
            {"scale": 0.0, "conv1_relu": -0.06, "conv8_relu": 0.11},
            {"scale": np.float64(0), "conv1_relu": np.float64(-0.06), "conv8_relu": 0.11, "more": 1},
        ],
        wrong=[
            ({"scale": 0.0, "conv1_relu": 0.06, "conv8_relu": -0.11}, "signs"),
            ({"scale": 0.0, "conv1_relu": -0.03, "conv8_relu": -0.12}, "R²"),
            ({"scale": 0.0, "conv1_relu": -0.04, "conv8_relu": 0.1}, "over the pixels"),
            ({"scale": 0.37, "conv1_relu": 0.33, "conv8_relu": 0.47}, "trained network alone"),
            ({"scale": 0, "conv1_relu": -6, "conv8_relu": 11}, "these are points"),
            ({"scale": 0.0, "conv1_relu": -0.06}, "no number for conv8_relu"),
            ({"scale": 0.0, "conv1_relu": "less", "conv8_relu": 0.11}, "the text less"),
            (0.11, "a dictionary"),
            ({"scale": 0.0, "conv1_relu": -0.06, "conv8_relu": 0.2}, "others than those asked for"),
        ],
    ),
]

# --- 07 report reproduction ---


@functools.cache
def four_rows():
    """Dots mix between c and d alone; intervals overlap between a and b too."""
    dots = {"a": (58, 59, 60), "b": (61, 62, 63), "c": (72, 73, 74), "d": (73.5, 75, 76)}
    return {
        name: [
            SimpleNamespace(test_accuracy=dot / 100, test_correct=np.arange(1000) < round(10 * dot)) for dot in of_row
        ]
        for name, of_row in dots.items()
    }


def no_worse(difference, margin):
    return "holds" if difference.low > -margin else "does not hold" if difference.high < -margin else "cannot be told"


def no_worse_if_no_clear_loss(difference, margin):
    return "does not hold" if difference.high < 0 else "holds"


def no_worse_only_without_a_loss(difference, margin):
    return "does not hold" if difference.high < 0 else no_worse(difference, margin)


def no_worse_but_any_clear_loss_fails(difference, margin):
    return "does not hold" if difference.high < 0 and difference.low > -margin else no_worse(difference, margin)


FACES = 1.96**2 * (0.56 * 0.44 + 0.58 * 0.42) / 0.02**2
CASES_07 = [
    Case(
        "mixing_rows",
        lambda: (four_rows(),),
        right=[[("c", "d")], ("d", "c"), {("c", "d")}, [["d", "c"], ("c", "d")]],
        wrong=[
            ([("a", "b"), ("c", "d")], "about images"),
            ([("c", "d"), ("b", "c")], "too many"),
            ([("a", "b")], "too many"),
            ([("a", "c")], "no neighbours"),
            ([("c", "e")], "the text e"),
            (["c", "d", "a"], "a pair of two"),
            ("c", "a list of pairs"),
        ],
    ),
    Case(
        "faces_needed",
        no_data,
        right=[4706, 4710, 4750.5, FACES],
        wrong=[
            (FACES / 1.96**2, "one standard error"),
            (1.96**2 * 0.56 * 0.44 / 0.02**2, "plain network"),
            (4 * FACES, "two points long"),
            (2 * FACES, "both networks together"),
            (3589, "the report's test set"),
            (3000, "small"),
            (7000, "large"),
        ],
    ),
    Case(
        "no_worse_rule",
        no_data,
        right=[no_worse],
        wrong=[
            (no_worse_if_no_clear_loss, "zero in it"),
            (no_worse_but_any_clear_loss_fails, "is smaller than"),
            (no_worse_only_without_a_loss, "larger than the margin is not"),
            (lambda difference, margin: no_worse(difference, -margin), "which side"),
            (lambda difference, margin: difference.low > -margin, "gives a value of type bool"),
        ],
    ),
]

# --- 08 training fast ---

FAST_RECIPE = EXPERIMENTS["fast"].recipes["full"]
LEAST = 3 * 8e6 * 28_709 * FAST_RECIPE.epochs / 2e11


def time_calls(step, rounds, clock, average=statistics.median, warm_ups=1, forget=1):
    """The average seconds of the calls of `step`, without the first `forget`."""
    seconds = []
    for _ in range(rounds + warm_ups):
        start = clock()
        step()
        seconds.append(clock() - start)
    return average(seconds[forget:])


def choose(at_60, at_300, at_900):
    return {60: at_60, 300: at_300, 900: at_900}


CASES_08 = [
    Case(
        "least_seconds",
        lambda: (8e6, FAST_RECIPE, {"float32": 1e11, "mixed_bfloat16": 2e11}),
        right=[LEAST, np.float64(LEAST), 1.003 * LEAST],
        wrong=[
            (LEAST / 3, "counted once"),
            (LEAST / 1.5, "counted twice"),
            (LEAST / 5, "one epoch"),
            (LEAST / 28_709, "single face"),
            (LEAST / 60, "minutes"),
            (LEAST * 1e9, "thousands of millions"),
            (2 * LEAST, "slower number format"),
            (3 * LEAST, "large"),
        ],
    ),
    Case(
        "time_median",
        no_data,
        right=[time_calls],
        wrong=[
            (functools.partial(time_calls, average=statistics.mean), "single slow call"),
            (functools.partial(time_calls, average=min), "luckiest"),
            (functools.partial(time_calls, average=sum), "all rounds together"),
            (functools.partial(time_calls, forget=0), "the warm-up is among"),
            (functools.partial(time_calls, warm_ups=0, forget=0), "one call more"),
            (functools.partial(time_calls, warm_ups=2, forget=2), "called 7 times"),
            (lambda step, rounds, clock: time_calls(step, rounds, lambda: 1.0), "no time goes by"),
        ],
    ),
    Case(
        "choices",
        lambda: (
            {
                "small": (np.array([30.0, 60.0, 90.0]), np.array([0.4, 0.5, 0.51])),
                "middle": (np.array([100.0, 200.0, 300.0]), np.array([0.4, 0.5, 0.6])),
                "large": (np.array([290.0, 600.0, 900.0]), np.array([0.5, 0.59, 0.7])),
            },
            (60, 300, 900),
        ),
        right=[choose("small", "middle", "large"), {**choose("small", "middle", "large"), 1: "small"}],
        wrong=[
            (choose("large", "large", "large"), "first epoch"),
            (choose("small", "large", "large"), "at the end"),
            (choose("small", "small", "small"), "not the one"),
            (choose("small", "middle", "best"), "the text best"),
            ({60: "small", 300: "middle"}, "no network for 900"),
            ("small", "a dictionary"),
        ],
    ),
]

# --- all of them ---

CASES = [*CASES_05, *CASES_06, *CASES_07, *CASES_08]
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


def test_patch_width_is_that_of_the_network():
    """A place of the third convolution moves with the columns of the face that it depends on, and with no other."""
    network = vgg_like(width=0.25)
    places = keras.Model(network.input, network.get_layer("conv3_norm").output)
    face = np.random.default_rng(0).integers(0, 256, (1, 48, 48, 1), dtype=np.uint8)
    changed = np.repeat(face, 48, axis=0)
    for column, image in enumerate(changed):
        image[:, column] = 255 - image[:, column]
    moved = np.abs(predict(places, changed) - predict(places, face))[:, 12, 12].max(axis=-1) > 1e-5
    columns = np.flatnonzero(moved)
    assert exercises.check_patch_width(columns[-1] - columns[0] + 1).right, columns
