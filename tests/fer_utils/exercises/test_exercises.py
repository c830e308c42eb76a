"""The checks of the exercises on right, plausible wrong and senseless answers; one table of cases per notebook."""

import ast
import functools
import inspect
import re
import statistics
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, NamedTuple

import nbformat
import numpy as np
import pytest

from fer_utils import exercises
from fer_utils.data.drawn_faces import draw_faces
from fer_utils.data.fer2013 import CLASS_NAMES
from fer_utils.data.load import FaceDataset, Split
from fer_utils.device import keras
from fer_utils.environment import PROJECT
from fer_utils.exercises import checking
from fer_utils.exercises.checking import Verdict
from fer_utils.models.of_report import lenet_like, vgg_like
from fer_utils.models.prediction import predict
from fer_utils.training.experiments import EXPERIMENTS
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
        answer = answer() if isinstance(answer, Made) else answer
        return getattr(exercises, f"check_{self.name}")(answer, *_data_of(self.make_data))


class Made(functools.partial):
    """An answer that takes some time to make, such as a network: it is made when it is judged."""


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


def train_to_memorise(images, labels, validation_images, validation_labels, epochs=60):
    network = build_small_network(1.0)
    network.compile(keras.optimizers.Adam(1e-2), "sparse_categorical_crossentropy", metrics=["accuracy"])
    validation = (validation_images, validation_labels)
    network.fit(images, labels, epochs=epochs, validation_data=validation, verbose=0)
    return network


CASES_02 = [
    Case(
        "memorise",
        lambda: (faces(),),
        right=[train_to_memorise],
        wrong=[
            (lambda *_: build_small_network(1.0), "not compiled"),
            (lambda *arguments: train_to_memorise(*arguments, epochs=0), "never trained"),
            (lambda images, labels: None, "raises TypeError"),
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


def flip(mode="horizontal"):
    return keras.layers.RandomFlip(mode)


def shift():
    return keras.layers.RandomTranslation(0.1, 0.1, fill_mode="nearest")


def stack(*layers, name="own"):
    """A learner's function that builds a stack of these layers."""
    return lambda: keras.Sequential(layers, name=name)


def train_in_no_time(layer):
    """The end of a training with `layer`: a narrow gap, or what its name says."""
    training, validation = {"weak": (0.9, 0.5), "too_strong": (0.2, 0.2)}.get(layer and layer.name, (0.55, 0.5))
    return {"accuracy": [0.3, training if layer else 0.9], "val_accuracy": [0.3, validation]}


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
        "own_augmentation",
        lambda: (train_in_no_time, FEW),
        right=[stack(flip(), shift()), stack(keras.layers.RandomErasing(0.5, value_range=(0, 1))), shift],
        wrong=[
            (stack(flip("horizontal_and_vertical"), shift()), "upside down"),
            (stack(keras.layers.RandomRotation(0.4), shift()), "share of a full turn"),
            (lambda: keras.layers.RandomRotation(10), "raises ValueError"),
            (stack(keras.layers.RandomZoom(0.0)), "nothing is changed"),
            (stack(keras.layers.RandomTranslation((0.1, 0.1), (0.1, 0.1))), "nothing in it is random"),
            (stack(shift(), keras.layers.Rescaling(0.5)), "outside training"),
            (stack(keras.layers.RandomBrightness(0.3)), "value_range"),
            (stack(flip(), keras.layers.RandomZoom(0.1)), "layers of the lesson"),
            (stack(shift(), name="weak"), "a gap of 40 points"),
            (stack(shift(), name="too_strong"), "too strong"),
            (stack(shift(), keras.layers.CenterCrop(40, 40)), "in another shape"),
            (lambda: [flip()], "this is a list of 1"),
        ],
    ),
]

# --- 04 depth comparison ---


TWO, ONE = 2 * 9 * 64 * 64, 25 * 64 * 64


def receptive_fields(model):
    """The function of notebook 04, from its cell."""
    cells = nbformat.read(PROJECT / "notebooks" / "04_depth_comparison.ipynb", as_version=4).cells
    source = next(cell.source for cell in cells if "def receptive_fields" in cell.source)
    (function,) = [
        node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef) and node.name == "receptive_fields"
    ]
    names = {}
    exec(ast.get_source_segment(source, function), names)
    return names["receptive_fields"](model)


def build(*layers, size=48, outputs=7):
    """A learner's function that builds a network of these layers."""
    closing = [keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(outputs, activation="softmax")]
    return lambda: keras.Sequential([keras.Input((size, size, 1)), *layers, *closing])


def convolve(maps, size=3, stride=1):
    return keras.layers.Conv2D(maps, size, stride, padding="same")


def separate(name, maps):
    return keras.layers.SeparableConv2D(maps, 25, padding="same", name=name)


def learn_something(model):
    """The end of a training: good enough, unless the first convolution has 7 or 9 maps."""
    maps = model.layers[0].filters if hasattr(model.layers[0], "filters") else None
    training, validation = {7: (0.25, 0.25), 9: (0.8, 0.3)}.get(maps, (0.5, 0.4))
    return {"accuracy": [0.2, training], "val_accuracy": [0.2, validation]}


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
        lambda: (receptive_fields, lenet_like(), learn_something, 0.3),
        right=[build(convolve(8, 5, 4), convolve(16, 3, 2), convolve(32), convolve(32), convolve(32))],
        wrong=[
            (build(convolve(8)), "3 of 48 pixels"),
            (build(convolve(32, 47), convolve(32)), "costs 184.10 million multiply-adds; the limit is 22.49"),
            (build(keras.layers.Flatten(), keras.layers.Reshape((48, 48, 1))), "no convolution"),
            (build(convolve(8), size=96), "goes from (96, 96, 1)"),
            (build(convolve(8), outputs=1), "to (1,)"),
            (lambda: convolve(8), "return a keras.Model"),
            (build(convolve(16, 9))(), "9 of 48 pixels"),
            (build(separate("conv1", 16), separate("conv2", 256)), "costs 33.96 million"),
            # Dense layers on maps work at each place.
            (build(convolve(1, 48), keras.layers.Dense(5000), keras.layers.Dense(1)), "costs 28.35 million"),
            (build(convolve(7, 47, 4), convolve(7)), "It has learned little"),
            (build(convolve(9, 47, 4), convolve(9)), "it memorises"),
            (
                build(convolve(1, 48), keras.layers.EinsumDense("nhwc,cd->nhwd", (48, 48, 640))),
                "its cost cannot be told, and so not be compared: einsum_dense (EinsumDense)",
            ),
        ],
    ),
]


# --- 05 shortcut connections ---


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


def pass_maps_on(network, factor=1.0):
    """A learner's start of a stack: each convolution gives `factor` times its maps."""
    for layer in network.layers:
        if layer.name.startswith("conv"):
            kernel = np.zeros(layer.kernel.shape)
            kernel[1, 1] = factor * np.eye(16) if np.isscalar(factor) else factor
            layer.set_weights([kernel])
    return network


CASES_05 = [
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
    Case(
        "start",
        lambda: (lambda network: [1.9, 1.7], 1.8),
        right=[pass_maps_on],
        wrong=[
            (lambda network: network, "what they were"),
            (lambda network: pass_maps_on(network, 0), "all kernels are zero"),
            (lambda network: pass_maps_on(network, 2), "times as large"),
            (lambda network: pass_maps_on(network, -1), "all maps are zero"),
            (lambda network: pass_maps_on(network, np.roll(np.eye(16), 1, axis=0)), "not those that go in"),
            (lambda network: keras.Model(network.input, network.layers[-2].output), "its layers are others"),
        ],
    ),
]

# --- 06 activation visualisation ---

RANDOM = np.random.default_rng(0)


def pick_middle(values):
    return (1 + RANDOM.integers(4)) * values.shape[1] + 1 + RANDOM.integers(4)


@functools.cache
def frozen_network():
    keras.utils.set_random_seed(0)
    return lenet_like(width=0.25), faces()


def answer_happy(epochs=40, units=1):
    """A learner's new output; it learns the very faces it is judged by, as the network was never trained."""
    keras.utils.set_random_seed(0)
    body = lenet_like(width=0.25)
    body.trainable = False
    x = keras.layers.Flatten()(body.get_layer("conv3_relu").output)
    answer = keras.Model(body.inputs, keras.layers.Dense(units, activation="sigmoid")(x))
    happy = faces().validation.labels == CLASS_NAMES.index("Happy")
    answer.compile(keras.optimizers.Adam(3e-3), "mse")
    if epochs:
        answer.fit(faces().validation.images, happy.astype("float32")[:, np.newaxis], epochs=epochs, verbose=0)
    return answer


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
        "new_output",
        frozen_network,
        right=[Made(answer_happy)],
        wrong=[
            (Made(answer_happy, epochs=0), "is right on"),
            (Made(answer_happy, epochs=0, units=7), "seven old answers"),
            (Made(lambda: frozen_network()[0]), "built on `network` itself"),
            (0.9, "a trained keras.Model"),
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


# --- 09 blocks at equal cost ---


def cost_of_width(width):
    """Mostly the width squared, and a little the width itself, like that of a MobileNet."""
    return 9e6 * width**2 + 1e6 * width


SEPARABLE = 144 * (9 * 64 + 64 * 128)

CASES_09 = [
    Case(
        "separable_cost",
        no_data,
        right=[SEPARABLE, float(SEPARABLE), np.int64(SEPARABLE)],
        wrong=[
            (144 * 9 * 64 * 128, "plain 3x3"),
            (144 * 9 * 64, "filters alone"),
            (144 * 64 * 128, "1x1 convolution alone"),
            (9 * 64 + 64 * 128, "one place"),
            (144 * (9 * 128 + 64 * 128), "maps come in"),
            (12 * (9 * 64 + 64 * 128), "row"),
            (144 * 9 * 64 * 64 * 128, "add up"),
            (SEPARABLE + 144, "large"),
            (SEPARABLE - 144, "small"),
        ],
    ),
    Case(
        "half_cost_width",
        lambda: (cost_of_width,),
        right=[0.69, 0.694],
        wrong=[
            (0.5, "half the width"),
            (0.5**0.5, "near"),
            (0.8, "many"),
            (0.6, "few"),
            (2, "between 0 and 1"),
            ("half", "a single number"),
        ],
    ),
]


# --- 10 the strongest network ---

WHOLE = 3 * 185e6 * 28_709 * 90


def draw_best(n_networks, accuracy, n_faces):
    """{name: array} of 4,000 rounds: the highest, the lowest and the first of the measured accuracies."""
    measured = np.random.default_rng(3).binomial(n_faces, accuracy, size=(4_000, n_networks)) / n_faces
    return {"best": measured.max(axis=1), "worst": measured.min(axis=1), "first": measured[:, 0]}


def luck(n_networks, accuracy, n_faces):
    return draw_best(n_networks, accuracy, n_faces)["best"].mean() - accuracy


def only_if_several(wrong):
    """The right answer for a single network, else that of `wrong`."""
    return lambda *asked: wrong(*asked) if asked[0] > 1 else 0.0


CASES_10 = [
    Case(
        "training_cost",
        no_data,
        right=[WHOLE, np.float32(WHOLE), 1.434e15],
        wrong=[
            (WHOLE / 3, "forward alone"),
            (2 * WHOLE / 3, "backward alone"),
            (WHOLE / 90, "one epoch"),
            (WHOLE / 28_709, "one face"),
            (1.1 * WHOLE, "large"),
            ("many", "a single number"),
        ],
    ),
    Case(
        "luck_of_the_best",
        no_data,
        right=[luck, lambda *asked: float(luck(*asked))],
        wrong=[
            (lambda *asked: draw_best(*asked)["best"].mean(), "a single network is not chosen"),
            (only_if_several(lambda *asked: draw_best(*asked)["best"].mean()), "published accuracy"),
            (only_if_several(lambda *asked: 100 * luck(*asked)), "in points"),
            (only_if_several(lambda n, p, faces: (p * (1 - p) / faces) ** 0.5), "standard deviation"),
            (only_if_several(lambda *asked: np.ptp([*map(np.mean, draw_best(*asked).values())])), "worst to the best"),
            (only_if_several(lambda n, p, faces: 1.96 * (p * (1 - p) / faces) ** 0.5), "95 % interval"),
            (only_if_several(lambda *asked: 0.5 * luck(*asked)), "average over more rounds"),
            (lambda n, p, faces: "some", "a single number"),
        ],
    ),
    Case(
        "mean_of_networks",
        no_data,
        right=[
            lambda probabilities: np.mean(probabilities, axis=0).argmax(axis=1),
            lambda probabilities: probabilities.sum(axis=0).argmax(axis=-1).astype(float),
        ],
        wrong=[
            (lambda p: np.eye(7)[p.argmax(axis=2)].sum(axis=0).argmax(axis=1), "a vote"),
            (lambda p: p.max(axis=0).argmax(axis=1), "surest"),
            (lambda p: p.max(axis=2).argmax(axis=0), "number of a network"),
            (lambda p: p[0].argmax(axis=1), "first network"),
            (lambda p: p[-1].argmax(axis=1), "last network"),
            (lambda p: p.prod(axis=0).argmax(axis=1), "multiplies"),
            (lambda p: p.mean(axis=0).max(axis=1), "probabilities, not classes"),
            (lambda p: p.mean(axis=0), "an array of shape (200,)"),
            (lambda p: p.mean(axis=0).argmin(axis=1), "others than"),
        ],
    ),
]


# --- 11 reading the mistakes ---


def table_of_votes():
    return np.array(
        [
            [0, 0, 0, 10, 0, 0, 0, 0],
            [5, 0, 1, 0, 3, 0, 1, 0],
            [0, 0, 4, 0, 0, 4, 2, 0],
            [0, 0, 0, 2, 0, 0, 6, 0],
            [1, 0, 0, 0, 2, 0, 3, 4],
        ]
    )


def calibrate(combine, last_bin=True, empty=False):
    """A learner's expected calibration error: `combine` makes a number of the bins' (shares, gaps)."""

    def calibration_error(confidence, correct, n_bins):
        bins = (confidence * n_bins).astype(int)
        bins = np.minimum(bins, n_bins - 1) if last_bin else bins
        places = [place for place in range(n_bins) if empty or np.any(bins == place)]
        with np.errstate(invalid="ignore"):
            sums = [(np.sum(bins == place), np.sum((confidence - correct)[bins == place])) for place in places]
            shares, gaps = np.array([(n / len(bins), gap / n) for n, gap in sums]).T
        return combine(shares, gaps)

    return calibration_error


def cover_square(score, image, top, left, size, grey=None, cut=lambda edge: max(edge, 0)):
    covered = image.copy()
    covered[cut(top) : top + size, cut(left) : left + size] = image.mean() if grey is None else grey
    return score(image) - score(covered)


def cover_in_place(score, image, top, left, size):
    before = score(image)
    image[max(top, 0) : top + size, max(left, 0) : left + size] = image.mean()
    return before - score(image)


CASES_11 = [
    Case(
        "ceiling",
        lambda: (table_of_votes(),),
        right=[0.59, np.float64(0.59)],
        wrong=[
            (0.61, "no word for"),
            (28 / 48, "pools"),
            (0.63, "leaves out"),
            (0.4, "more than half agree"),
            (0.41, "is wrong"),
            (59, "percentage"),
        ],
    ),
    Case(
        "calibration_error",
        no_data,
        right=[calibrate(lambda shares, gaps: np.sum(shares * np.abs(gaps)))],
        wrong=[
            (calibrate(lambda shares, gaps: np.abs(gaps).mean()), "counts the same"),
            (calibrate(lambda shares, gaps: np.abs(gaps).max()), "worst bin"),
            (calibrate(lambda shares, gaps: abs(np.sum(shares * gaps))), "cancel"),
            (calibrate(lambda shares, gaps: np.sum(shares * np.abs(gaps)), last_bin=False), "left out is"),
            (calibrate(lambda shares, gaps: np.sum(shares * np.abs(gaps)) / np.sum(shares), False), "it is left out"),
            (calibrate(lambda shares, gaps: np.sum(shares * np.abs(gaps)), empty=True), "gives nan"),
        ],
    ),
    Case(
        "drop",
        no_data,
        right=[
            cover_square,
            lambda score, image, *square: cover_square(score, image, *square, grey=round(image.mean())),
        ],
        wrong=[
            (lambda *square: -cover_square(*square), "sign"),
            (lambda score, image, top, left, size: cover_square(score, image, left, top, size), "changed places"),
            (functools.partial(cover_square, grey=0), "black"),
            (lambda score, image, *square: score(image) - cover_square(score, image, *square), "score after, not"),
            (cover_in_place, "has changed"),
            (functools.partial(cover_square, cut=int), "begins outside"),
        ],
    ),
]


# --- 12 your own photo ---


def run_of_known_worth():
    """Test answers with confidences from 0.2 to 1, right wherever they exceed 0.6, else never: 90 % from about 0.56."""
    confidence = np.linspace(0.2, 1, 801)
    probabilities = np.zeros((801, 7))
    probabilities[:, 0] = confidence
    return make_run(confidence > 0.6, test_probabilities=probabilities)


def as_uint8(change):
    return lambda face: change(face).astype(np.uint8)


CASES_12 = [
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

CASES = [
    case
    for cases in (
        CASES_01,
        CASES_02,
        CASES_03,
        CASES_04,
        CASES_05,
        CASES_06,
        CASES_07,
        CASES_08,
        CASES_09,
        CASES_10,
        CASES_11,
        CASES_12,
    )
    for case in cases
]
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
    broken = checking.check("fill in a number")(lambda answer: 1 / 0)
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


def test_a_long_verdict_is_broken_between_words():
    first, second = repr(Verdict(False, " ".join(20 * ["word"]))).splitlines()
    assert len(first) <= checking.LINE and set(f"{first} {second}".removeprefix("Not yet: ").split()) == {"word"}
    assert repr(Verdict(True, "short")) == "Right: short"
