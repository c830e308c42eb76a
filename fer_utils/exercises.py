"""Checks of the exercises: each takes a learner's answer and returns a `Verdict`, which says in words what is wrong.

One function per closed exercise, in the order of the notebooks. A check never raises for an answer, whatever it is, and
never gives the answer away; an empty cell (`None`) is told what is asked for. The worked solutions are in
`notebooks/solutions`.
"""

import functools
import itertools
import math
import statistics
import textwrap
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np

from fer_utils.drawn_faces import ACTION_UNITS, UNITS
from fer_utils.evaluation import Difference, average_over_seeds, compare_on_same_images
from fer_utils.fer2013 import COUNTS

LINE = 96  # characters that fit beside a prompt; a longer line would be cut within a word


class Verdict(NamedTuple):
    """Whether an answer is right, and what there is to say about it; a notebook shows it as text."""

    right: bool
    words: str

    def __repr__(self):
        return textwrap.fill(f"{'Right' if self.right else 'Not yet'}: {self.words}", LINE)


class Mistake(Exception):
    """What is wrong with an answer, in words."""


class Unfilled(Exception):
    """There is no answer yet."""


def check(asked):
    """Makes a check of a function that returns words about a right answer and raises `Mistake` for any other.

    `asked` is the verdict where nothing is filled in yet: None, `...`, or a list without anything in it.
    """

    def decorate(judge):
        @functools.wraps(judge)
        def judge_safely(answer, *data):
            try:
                refuse_unfilled(answer)
                return Verdict(True, judge(answer, *data))
            except Unfilled:
                return Verdict(False, asked)
            except Mistake as mistake:
                return Verdict(False, str(mistake))
            except Exception as error:  # a check is no place to fail, however strange the answer is
                return Verdict(False, f"your answer ends in {type(error).__name__} ({error}); {asked}")

        return judge_safely

    return decorate


# --- what the checks share ---


def refuse_unfilled(answer):
    """Raises `Unfilled` for None, `...`, and a list, tuple, dict or set that is empty or holds one of the two."""
    if isinstance(answer, list | tuple | dict | set):
        parts = list(answer.values() if isinstance(answer, dict) else answer)
    else:
        parts = [answer]
    if not parts or any(part is None or part is ... for part in parts):
        raise Unfilled


def describe(answer):
    """What `answer` is, in a few words.

    >>> describe(np.zeros((3, 7))), describe("Happy"), describe(0.25)
    ('an array of shape (3, 7)', 'the text Happy', 'the number 0.25')
    """
    if isinstance(answer, np.ndarray) and answer.ndim:
        return f"an array of shape {answer.shape}"
    if isinstance(answer, str):
        return f"the text {answer}"
    if isinstance(answer, list | tuple | dict | set):
        return f"a {type(answer).__name__} of {len(answer)}"
    if isinstance(answer, int | float | np.number) and not isinstance(answer, bool):
        return f"the number {answer:g}"
    return "a function" if callable(answer) else f"a value of type {type(answer).__name__}"


def list_values(values):
    """The numbers in words.

    >>> list_values({26, 5, 1})
    '1, 5 and 26'
    """
    *first, last = (f"{value:g}" for value in sorted(values))
    return f"{', '.join(first)} and {last}" if first else last


def as_number(answer):
    """`answer` as a float; a `Mistake` unless it is one finite number."""
    is_value = hasattr(answer, "dtype") or np.isscalar(answer)
    values = np.asarray(answer if is_value else None)
    if values.size != 1 or values.dtype.kind not in "iuf":
        raise Mistake(f"a single number is asked for, and this is {describe(answer)}")
    number = float(values.reshape(()))
    if not math.isfinite(number):
        raise Mistake(f"a finite number is asked for, and this is {number}")
    return number


def as_share(answer):
    """`answer` as a float from 0 to 1; a `Mistake` for a percentage or anything else."""
    share = as_number(answer)
    if 1 < share <= 100:
        raise Mistake("a share between 0 and 1 is asked for, and this looks like a percentage: divide by 100")
    if not 0 <= share <= 1:
        raise Mistake(f"a share lies between 0 and 1, and this is {describe(answer)}")
    return share


def as_array(answer, shape):
    """`answer` as an array of `shape`; a `Mistake` unless it is one, of finite numbers."""
    values = np.asarray(answer)
    if values.dtype.kind not in "biuf" or values.shape != tuple(shape):
        found = describe(values if values.ndim and values.dtype.kind in "biuf" else answer)
        raise Mistake(f"an array of shape {tuple(shape)} is asked for, and this is {found}")
    if not np.isfinite(values).all():
        raise Mistake("some of the numbers are not finite")
    return values


def call(function, *arguments):
    """What the learner's `function` returns; a `Mistake` if it is no function or raises, `Unfilled` if it is a stub."""
    if not callable(function):
        raise Mistake(f"a function is asked for (its name, without brackets), and this is {describe(function)}")
    try:
        result = function(*arguments)
    except Exception as error:
        raise Mistake(f"your function raises {type(error).__name__}: {error}") from error
    refuse_unfilled(result)
    return result


def compare_numbers(number, expected, mistakes, tolerance=0.005):
    """Raises the `Mistake` that leads to `number`, if it is not `expected`; `tolerance` is a share of the number.

    `mistakes` maps words about a mistake to the number that it leads to.
    """
    if math.isclose(number, expected, rel_tol=tolerance):
        return
    for words, value in mistakes.items():
        if math.isclose(number, value, rel_tol=tolerance):
            raise Mistake(words)
    raise Mistake(f"that is too {'large' if number > expected else 'small'}")


def compare_arrays(values, expected, mistakes, agreement=0.99):
    """Raises the `Mistake` that leads to the array `values`, if fewer than `agreement` of them are those `expected`.

    `mistakes` maps words about a mistake to the array that it leads to.
    """

    def share_equal(others):
        return np.mean(np.isclose(values, others, rtol=1e-3, atol=1e-4))

    if share_equal(expected) >= agreement:
        return
    for words, others in mistakes.items():
        if np.shape(others) == np.shape(expected) and share_equal(others) >= agreement:
            raise Mistake(words)
    raise Mistake(f"{1 - share_equal(expected):.0%} of the numbers are others than those asked for")


# --- 01 data exploration ---


@check("list the numbers of the movements that a frightened face has over a surprised one, such as [12]")
def check_added_units(answer):
    """The action units of fear that surprise does not have."""
    parts = answer if isinstance(answer, list | tuple | dict | set | np.ndarray) else [answer]
    units = {as_number(part) for part in parts}
    surprise, fear = set(ACTION_UNITS["Surprise"]), set(ACTION_UNITS["Fear"])
    if unknown := units - set(UNITS):
        raise Mistake(f"there is no action unit {list_values(unknown)}; the figure names those there are")
    if units == fear:
        raise Mistake("these are all movements of a frightened face; asked for are those that surprise does not have")
    if units & surprise:
        raise Mistake(f"a surprised face has unit {list_values(units & surprise)} already")
    if units - fear:
        raise Mistake(f"unit {list_values(units - fear)} is no movement of fear: look at the picture again")
    if units != fear - surprise:
        raise Mistake("so far so good, but it is not all yet")
    return "two movements of a few pixels tell the two apart, and a network has to find them"


@check("write a function that gives each face the class whose mean training face is nearest to it")
def check_nearest_mean(answer, faces):
    """A function of images (N, 48, 48, 1) that returns the classes (N,) of the nearest mean training faces."""
    images, labels = faces.validation.images[:500], faces.validation.labels[:500]
    classes = as_array(call(answer, images), labels.shape)
    change = images[:, np.newaxis] - _mean_faces(faces.train)
    squared, absolute = (np.sum(distance, axis=(2, 3, 4)) for distance in (change**2, np.abs(change)))
    of_validation = np.sum((images[:, np.newaxis] - _mean_faces(faces.validation)) ** 2, axis=(2, 3, 4))
    mistakes = {
        "these are the classes whose mean face is farthest": squared.argmax(axis=1),
        "these are the nearest by absolute differences; asked for are squared ones": absolute.argmin(axis=1),
        "your mean faces are those of the validation faces; asked for are those of training": of_validation.argmin(
            axis=1
        ),
        "these are the labels: the function must not know them": labels,
        "these are distances and not classes: which of the seven is smallest?": squared.min(axis=1),
        "every face gets the same class": np.full(len(labels), classes[0]),
    }
    compare_arrays(classes, squared.argmin(axis=1), mistakes)
    return "seven mean faces are a classifier, the simplest there is; the next question is whether it beats the floor"


@check("write a function that returns the accuracy on those test images that do not stand in training, a share")
def check_honest_accuracy(answer, faces):
    """A function of (correct, test images, training images): the accuracy on test images without a copy in training."""
    train = faces.train.images[:60]
    test = np.concatenate([faces.test.images[:20], train[30:20:-1]])
    correct = np.repeat([True, False, True, False], [8, 12, 9, 1])
    share = as_share(call(answer, correct, test, train))
    known = {image.tobytes() for image in train}
    leaked = np.array([image.tobytes() in known for image in test])
    mistakes = {
        "this is the accuracy on all test images, the copies among them": correct.mean(),
        "this is the accuracy on the copies alone: the other way round": correct[leaked].mean(),
        "this divides by the number of all test images; the copies have to go there, too": np.mean(correct & ~leaked),
        "this is a share of images, whether the network is right on them or not": np.mean(~leaked),
    }
    compare_numbers(share, correct[~leaked].mean(), mistakes)
    return "this is the accuracy on faces that the network has never seen, and the one to report"


def _mean_faces(split):
    return np.stack([split.images[split.labels == label].mean(axis=0) for label in range(7)])


# --- 02 baseline overfitting ---


@check("fill in the width of a network with about a quarter of the parameters, a number")
def check_quarter_width(answer, build):
    """The width at which `build(width)` has a quarter of the parameters of `build(1.0)`."""
    width = as_number(answer)
    if width <= 0 or width > 100:
        what = "a number of parameters?" if width > 100 else "no width"
        raise Mistake(f"this is {what} Asked for is the width, which is 1 for the whole network")
    if width > 1:
        raise Mistake("a width above 1 makes the network larger than the whole one")
    share = build(width).count_params() / build(1.0).count_params()
    if share < 0.2:
        why = "narrower layers lose weights on both sides, in what they read and in what they give"
        raise Mistake(f"this leaves {share:.2f} of the parameters, too few: {why}")
    if share > 0.3:
        raise Mistake(f"this leaves {share:.2f} of the parameters, too many")
    return "between two layers of half the width there is a quarter of the weights"


@check("fill in the share of faces that are happy among those that the network calls Happy, between 0 and 1")
def check_precision(answer, run):
    """The precision of the class Happy on the test faces of `run`, from its confusion matrix."""
    share, happy = as_share(answer), 3

    def precision(confusion):
        return confusion[happy, happy] / confusion[:, happy].sum()

    confusion = run.confusion
    mistakes = {
        "this is the share of the happy faces that the network finds: a row of the matrix. Asked for is the share of "
        "its answers Happy that are right": confusion[happy, happy] / confusion[happy].sum(),
        "this is the accuracy over all expressions": np.trace(confusion) / confusion.sum(),
        "this is how often the network says Happy, right or wrong": confusion[:, happy].sum() / confusion.sum(),
        "this is of the validation faces; asked for is the matrix of the test faces": precision(
            run.validation_confusion
        ),
    }
    compare_numbers(share, precision(confusion), mistakes, tolerance=0.01)
    return "a row asks which faces are found, a column which answers can be trusted"


@check("write a function that returns the epoch, counted from 1, after which a training with this patience stops")
def check_stop_epoch(answer):
    """A function of (validation losses, patience): the epoch at which early stopping ends the training."""
    cases = [(np.array(losses), patience) for losses, patience in _LOSSES]
    epochs = as_array([as_number(call(answer, losses.copy(), patience)) for losses, patience in cases], [len(cases)])
    expected = np.array([_stop_epoch(*case) for case in cases])
    last = np.array([len(losses) for losses, _ in cases])
    of_lowest = np.array([losses.argmin() + 1 for losses, _ in cases])
    kept = np.array([losses[:stop].argmin() + 1 for (losses, _), stop in zip(cases, expected, strict=True)])
    mistakes = {
        "you count epochs from 0": expected - 1,
        "this is the epoch with the lowest loss of all; the training must stop without knowing what comes": of_lowest,
        "this is the epoch whose weights are kept; training goes on until the patience is used up": kept,
        "you compare each loss with the one before; compare it with the lowest so far": np.array(
            [_stop_epoch(*case, compare_with_previous=True) for case in cases]
        ),
        "you wait one epoch longer than the patience": np.array(
            [_stop_epoch(x, patience + 1) for x, patience in cases]
        ),
        "this never stops early": last,
    }
    for words, values in mistakes.items():
        if not np.array_equal(epochs, expected) and np.array_equal(epochs, values):
            raise Mistake(words)
    for (losses, patience), epoch, right in zip(cases, epochs, expected, strict=True):
        if epoch != right:
            when = "early" if epoch < right else "late"
            raise Mistake(f"with losses {losses.tolist()} and patience {patience} you stop at {epoch:g}: too {when}")
    return "this is early stopping; what it saves and what it costs, a pair of curves tells"


_LOSSES = (
    ([1.8, 1.5, 1.6, 1.55, 1.52, 1.2], 2),
    ([1.8, 1.5, 1.4, 1.3, 1.2], 2),
    ([1.8, 1.7, 1.6, 1.65, 1.66, 1.67, 1.7, 1.8], 3),
    ([1.5, 1.6, 1.4, 1.7, 1.3, 1.9], 1),
)


def _stop_epoch(losses, patience, compare_with_previous=False):
    best, waited = math.inf, 0
    for epoch, loss in enumerate(losses, start=1):
        waited = 0 if loss < best else waited + 1
        if waited == patience:
            return epoch
        best = loss if compare_with_previous else min(best, loss)
    return len(losses)


# --- 03 data augmentation ---


@check("fill in the faces mirrored, an array of the same shape")
def check_mirrored(answer, images):
    """The images (N, 48, 48, 1) with left and right exchanged."""
    mirrored = as_array(answer, images.shape)
    mistakes = {
        "these are the faces as they were: the last axis holds the single grey value": images,
        "these faces stand upside down: of the two axes of a picture, the first runs from top to bottom": images[
            :, ::-1
        ],
        "these are the faces in reverse order, each as it was: the first axis counts the faces": images[::-1],
        "these faces are turned by half a circle: one axis too many is reversed": images[:, ::-1, ::-1],
        "these faces lie on their sides: rows and columns have changed places": images.swapaxes(1, 2),
    }
    compare_arrays(mirrored, images[:, :, ::-1], mistakes, agreement=1)
    return "left and right are exchanged, and each face keeps its label"


@check("fill in the mean of the probabilities for the faces and for the mirrored faces, an array (N, 7)")
def check_two_views(answer, network, images):
    """The mean of what `network` says about `images` (N, 48, 48, 1) and about their mirror images."""
    from fer_utils.models import predict

    probabilities = as_array(answer, (len(images), 7))
    plain, mirrored, upside_down = (
        predict(network, np.ascontiguousarray(view)) for view in (images, images[:, :, ::-1], images[:, ::-1])
    )
    mistakes = {
        "this is the network's answer to the faces as they are": plain,
        "this is the network's answer to the mirrored faces alone": mirrored,
        "this is a sum: each face's seven numbers must add up to 1": plain + mirrored,
        "this is a mean with faces that stand upside down": (plain + upside_down) / 2,
        "this is a product; asked for is the mean": plain * mirrored,
    }
    compare_arrays(probabilities, (plain + mirrored) / 2, mistakes)
    return "two views of each face, one answer; whether that is worth twice the work, the validation faces say"


@check("fill in the largest number of faces on which exactly one of the two may be right, a whole number")
def check_most_disagreements(answer):
    """How many of 1,000 faces may tell two networks apart if the second's lead of 20 is to be clear."""
    number = as_number(answer)
    if number != int(number):
        raise Mistake(f"a whole number of faces is asked for, and this is {describe(answer)}")
    if number > 1000:
        raise Mistake("there are only 1,000 faces")
    if number < 20:
        raise Mistake("if the second is right on 20 faces more, it is alone in being right on 20 faces at least")
    if number % 2:
        raise Mistake(
            "that cannot be: what one gains less what it loses is 20, so gains and losses add up to an even number"
        )
    if number == 20:
        raise Mistake("this is the least: 20 gained and none lost. How many may be lost before the lead is unclear?")
    if not _compare_disagreeing(number).clear:
        raise Mistake("that is too many: the interval of the difference includes zero")
    if _compare_disagreeing(number + 2).clear:
        raise Mistake("with so many the lead is clear, but it still is with more")
    return "the same lead is clear if the two disagree seldom, and unclear if they disagree often"


def _compare_disagreeing(number, lead=20, n_images=1000):
    """The `Difference` of two networks of which exactly one is right on `number` of the images."""
    gained = (int(number) + lead) // 2
    lost = int(number) - gained
    before, after = np.zeros((2, n_images), bool)
    after[:gained], before[gained : gained + lost] = True, True
    return compare_on_same_images(before, after)


# --- 04 depth comparison ---


@check("fill in two numbers of weights: (two convolutions of 3×3, one of 5×5)")
def check_stacked_weights(answer):
    """(weights of two 3×3 convolutions from 64 to 64 maps, weights of one 5×5), without biases."""
    if np.size(answer) != 2:
        raise Mistake(f"two numbers are asked for, one for each, and this is {describe(answer)}")
    small, large = (as_number(part) for part in answer)
    expected = 2 * 3 * 3 * 64 * 64, 5 * 5 * 64 * 64
    mistakes = {
        "the two numbers have changed places": expected[::-1],
        "you forgot that each filter reads all 64 maps": (2 * 9 * 64, 25 * 64),
        "the first number is that of a single convolution of 3×3; there are two": (expected[0] / 2, expected[1]),
        "these are the weights of one filter; each layer has 64": (2 * 9, 25),
        "you counted biases; the convolutions of this course have none": (expected[0] + 128, expected[1] + 64),
    }
    for words, values in mistakes.items():
        if (small, large) == values:
            raise Mistake(words)
    for size, number, right in zip(("two 3×3", "one 5×5"), (small, large), expected, strict=True):
        if number != right:
            raise Mistake(f"the number for {size} is too {'large' if number > right else 'small'}")
    return "the two see as far as the one, with fewer weights"


@check("fill in how many pixels wide the patch of the last convolution is then, a number")
def check_strided_field(answer):
    """The receptive field of `lenet_like`'s last convolution if the stride of its first convolution is 2."""
    mistakes = {
        "this is the patch without the change": 18,
        "this is twice the patch, but what the first convolution itself sees is not doubled, only what comes after": 36,
        "this is the patch if all three convolutions have stride 2; only the first one does": 53,
        "this counts the last pooling; asked for is the last convolution": 41,
    }
    compare_numbers(as_number(answer), 33, mistakes)
    return "every step behind the first convolution is twice as long, and no weight was added"


@check("write a function that builds a keras.Model, from faces (48, 48, 1) to seven probabilities")
def check_far_sighted(answer, receptive_fields, limit):
    """A function that builds a network whose last convolution sees 48 pixels or more, at no more cost than `limit`.

    `receptive_fields` is the function of the notebook, `limit` the network whose multiply-adds are the most allowed.
    """
    from fer_utils.models import count_multiply_adds

    network = answer if hasattr(answer, "layers") else call(answer)
    if not hasattr(network, "layers") or not hasattr(network, "input_shape"):
        raise Mistake(f"your function has to return a keras.Model, and this is {describe(network)}")
    if network.input_shape != (None, 48, 48, 1) or network.output_shape != (None, 7):
        raise Mistake(
            f"it has to go from (48, 48, 1) to 7 numbers, and this goes from {network.input_shape[1:]} "
            f"to {network.output_shape[1:]}"
        )
    fields = receptive_fields(network)
    if not fields:
        raise Mistake("the network has no convolution yet, or none whose name begins with conv")
    try:
        cost, most = (count_multiply_adds(model) / 1e6 for model in (network, limit))
    except ValueError as error:
        raise Mistake(f"its cost cannot be told, and so not be compared: {error}") from error
    if max(fields.values()) < 48:
        raise Mistake(f"its last convolution sees {max(fields.values())} of 48 pixels")
    if cost > most:
        raise Mistake(f"it sees the whole face, but costs {cost:.1f} million multiply-adds; the limit is {most:.1f}")
    return "it sees the whole face at no more cost; where the maps are small, another layer is cheap"


# --- 05 shortcut connections ---


@check("fill in the number of weights of the 1×1 convolution on the last shortcut")
def check_projection_weights(answer, residual):
    """The number of weights of the last projection of `residual`, a `resnet_like`, without its normalisation."""
    maps_in, maps_out = residual.get_layer("shortcut4").kernel.shape[-2:]
    right = maps_in * maps_out
    mistakes = {
        "that would be a 3×3 convolution: the projection looks at one pixel at a time": 9 * right,
        "a bias is counted, and the convolutions here have none, because a normalisation follows": right + maps_out,
        "the normalisation behind it is counted: asked for is the convolution alone": right + 4 * maps_out,
        "that is what a single new map needs. How many new maps are there?": maps_in,
        "that is one weight for each new map: each of them is made of all the maps that come in": maps_out,
        "in and out are added: each new map has a weight for each map that comes in": maps_in + maps_out,
        "the maps that come in are taken for both sides": maps_in**2,
        "the maps that go out are taken for both sides": maps_out**2,
    }
    compare_numbers(as_number(answer), right, mistakes, tolerance=1e-6)
    return "a weight for each pair of a map that comes in and one that goes out, the same at all places"


@check("write a block as a function of x and maps that gives ReLU(f(x) + x), without weights on the shortcut")
def check_free_block(answer):
    """A residual block `answer(x, maps)` whose shortcut has no weights: what x has no map for, it leaves at zero."""
    import keras  # here, because the notebooks before the first network do without it

    for maps_in, maps_out in ((3, 3), (2, 3)):
        inputs = keras.Input((6, 6, maps_in))
        outputs = call(answer, inputs, maps_out)
        if not isinstance(outputs, keras.KerasTensor):
            raise Mistake(f"your block gives {describe(outputs)}: give what its last layer puts out")
        if outputs.shape[1:] != (6, 6, maps_out):
            found = " × ".join(map(str, outputs.shape[1:]))
            raise Mistake(f"{maps_in} maps of 6 × 6 go in, {maps_out} should come out, and {found} numbers do")
        _refuse_faulty_block(keras.Model(inputs, outputs), maps_in, maps_out)
    return "not a parameter more than the plain pair has, and x goes through"


def _refuse_faulty_block(network, maps_in, maps_out):
    """Raises the `Mistake` of a `network` of one block. With its kernels at zero, f(x) = 0, it must give ReLU(x)."""
    more = network.count_params() - (9 * maps_out * (maps_in + maps_out) + 8 * maps_out)
    if more:
        words = f"{abs(more)} parameters {'more' if more > 0 else 'fewer'} than the plain pair of convolutions"
        raise Mistake(f"from {maps_in} to {maps_out} maps your block has {words}")
    for variable in network.trainable_variables:
        if variable.path.endswith("kernel"):
            variable.assign(np.zeros(variable.shape))
    x = np.random.default_rng(0).normal(size=(1, 6, 6, maps_in)).astype(np.float32)
    found = np.asarray(network(x))
    if not found.any():
        raise Mistake("where f(x) is zero, nothing comes out: x does not reach the end of the block")
    if found.min() < 0:
        raise Mistake("negative numbers come out: the last ReLU has to stand behind the addition")
    if found.any(axis=(0, 1, 2)).sum() > maps_in:
        raise Mistake("the shortcut puts something into the new maps, and x has nothing that belongs there")
    if not np.allclose(found.sum(axis=-1), np.maximum(x, 0).sum(axis=-1), atol=1e-5):
        raise Mistake("where f(x) is zero, ReLU(x) should come out, each map of x once, and it is something else")


@check("write a function of run and accuracy that gives the first epoch, or None where there is none")
def check_epochs_to_reach(answer):
    """`answer(run, accuracy)`: the first epoch, from 1, with at least `accuracy` in validation; None if none has it."""
    run = SimpleNamespace(history={"accuracy": [0.3, 0.7, 0.8, 0.9], "val_accuracy": [0.2, 0.5, 0.4, 0.6]})
    call(answer, run, 0.45)  # where a stub and what is no function end; below, None may be an answer
    *found, never = (answer(run, mark) for mark in (0.45, 0.5, 0.55, 0.2, 0.95))
    if never is not None:
        raise Mistake(f"a mark that is never reached gives {describe(never)}, as if there were such an epoch")
    mistakes = {
        "the epochs are counted from 0": [1, 1, 3, 0],
        "a mark counts only when it is passed: to reach it is enough": [2, 4, 4, 2],
        "that is the curve of the training accuracy: the marks are of validation": [2, 2, 2, 1],
        "a mark that is reached in the very first epoch gives None": [2, 2, 4, None],
        "the epochs below the mark are counted, and a curve may fall again after it reached the mark": [3, 3, 4, 1],
        "that is the last epoch at the mark or above it, not the first": [4, 4, 4, 4],
    }
    for words, epochs in mistakes.items():
        if found == epochs:
            raise Mistake(words)
    if found != [2, 2, 4, 1]:
        curve = ", ".join(map(str, run.history["val_accuracy"]))
        raise Mistake(f"for validation accuracies of {curve} and a mark of 0.45 it gives {describe(found[0])}")
    return "the first epoch where there is one, and no epoch 1 for a mark that is never reached"


# --- 06 activation visualisation ---


@check("fill in how many pixels wide the patch is that one place behind the third convolution depends on")
def check_patch_width(answer):
    """The width in pixels of the patch that one place of `conv3_relu` of a `vgg_like` depends on."""
    mistakes = {
        "that is the filter, on the maps before it: each place of these depends on several pixels itself": 3,
        "that is behind the second convolution: a pooling and one more convolution follow": 5,
        "that is behind the pooling: the third convolution looks at three places of it side by side": 6,
        "these are three convolutions without the pooling": 7,
        "behind the pooling, the patches of two neighbours are shifted by more than one pixel": 8,
        "these are the patches of three places side by side as if they did not overlap": 18,
        "that is how many places one of its maps has in a row": 24,
        "that is the number of pixels in the whole patch. How many lie side by side?": 100,
    }
    compare_numbers(as_number(answer), 10, mistakes, tolerance=1e-6)
    return "a convolution widens the patch by two steps, and behind a pooling a step is two pixels"


@check("write a function of a heat map's values that gives the flat index of one of the middle places")
def check_pick_middle(answer):
    """`answer(values)`: a random flat index into `values` (6, 6), none of the outermost places."""
    values = np.arange(36.0).reshape(6, 6)
    middle = set(values[1:-1, 1:-1].astype(int).flat)
    # That 500 picks leave out one of sixteen equally likely places happens once in some million million times.
    found = [call(answer, values.copy()) for _ in range(500)]
    if not all(np.ndim(pick) == 0 for pick in found):
        raise Mistake(f"it gives {describe(found[0])}: `cover` wants one number, like that of np.argmax")
    picks = {as_number(pick) for pick in found}
    if odd := [pick for pick in picks if not (pick.is_integer() and 0 <= pick < 36)]:
        raise Mistake(f"it gives {describe(odd[0])}: the flat indices of a map are whole, from 0 to 35")
    if len(picks) == 1:
        raise Mistake("it picks the same place every time: a generator that is made anew each time starts anew")
    if picks == set(range(16)):
        raise Mistake("it counts the sixteen middle places alone: `cover` counts all places of the map")
    if outside := sorted(picks - middle):
        row, column = divmod(int(outside[0]), 6)
        raise Mistake(f"it picks row {row}, column {column}, counted from 0: that lies at the border")
    if missing := middle - picks:
        raise Mistake(f"it never picks {len(missing)} of the sixteen middle places")
    return "each of the middle places has its chance, and the border has none"


@check("fill in a dictionary from each layer in `found` to what learning added to the accuracy of its probe")
def check_learned(answer, found):
    """{layer: accuracy of the probe with training less that without}, of `found` {state: {layer: (R², correct)}}."""
    if not isinstance(answer, dict):
        raise Mistake(f"a dictionary is asked for, and this is {describe(answer)}")
    layers = list(found["trained"])
    if missing := [layer for layer in layers if layer not in answer]:
        raise Mistake(f"there is no number for {', '.join(missing)}")
    numbers = np.array([as_number(answer[layer]) for layer in layers])
    r2, accuracy = ({state: [] for state in found} for _ in range(2))
    for state, by_layer in found.items():
        r2[state] = np.array([by_layer[layer][0] for layer in layers])
        accuracy[state] = np.array([np.mean(by_layer[layer][1]) for layer in layers])
    learned, over_pixels = (accuracy["trained"] - less for less in (accuracy["untrained"], accuracy["trained"][0]))
    mistakes = {
        "the signs are the wrong way round": -learned,
        "that is R², which is about the face: asked for is the class": r2["trained"] - r2["untrained"],
        "that is the gain over the pixels, which is partly the work of the architecture": over_pixels,
        "that is the trained network alone. How much of it does the untrained one have as well?": accuracy["trained"],
        "these are points: fill in fractions of 1": 100 * learned,
    }
    compare_arrays(numbers, learned, mistakes)
    return "trained less untrained, layer by layer: what the architecture brings by itself is taken off"


# --- 07 report reproduction ---


@check("fill in a list of the pairs of neighbouring rows whose dots mix, each pair as (name, name)")
def check_mixing_rows(answer, rows):
    """The pairs of neighbours among `rows` {name: runs} of which a seed of the lower one beats one of the higher."""
    names = list(rows)
    found = _as_pairs(answer, names)
    neighbours = {frozenset(pair) for pair in itertools.pairwise(names)}
    if strangers := found - neighbours:
        raise Mistake(f"{' and '.join(sorted(min(strangers, key=sorted)))} are no neighbours in Table 1")
    seeds = {name: _range_of([run.test_accuracy for run in runs]) for name, runs in rows.items()}
    images = {name: average_over_seeds([run.test_correct for run in runs])[2:] for name, runs in rows.items()}
    mixing, by_images = ({pair for pair in neighbours if _overlap(pair, of)} for of in (seeds, images))
    if found == mixing:
        return "where dots mix, one training of each row could have come out in either order"
    if found == by_images:
        raise Mistake("those are the pairs whose intervals overlap, which are about images; the dots are about seeds")
    if found - mixing:
        raise Mistake("there is a pair too many: every dot of the one row lies above every dot of the other")
    raise Mistake("there is a pair too few: somewhere a dot of the lower row lies above one of the higher row")


def _as_pairs(answer, names):
    """`answer` as a set of frozensets of two of the `names`; a `Mistake` unless it is a list of such pairs."""
    if not isinstance(answer, list | tuple | set):
        raise Mistake(f"a list of pairs is asked for, and this is {describe(answer)}")
    if len(answer) == 2 and all(isinstance(name, str) for name in answer):
        answer = [answer]  # a pair by itself
    for pair in answer:
        if not isinstance(pair, list | tuple | set | frozenset) or len(pair) != 2:
            raise Mistake(f"a pair of two names is asked for, and this is {describe(pair)}")
        if unknown := [name for name in pair if name not in names]:
            raise Mistake(f"the rows are {', '.join(names)}, and this is {describe(unknown[0])}")
    return {frozenset(pair) for pair in answer}


def _range_of(values):
    return min(values), max(values)


def _overlap(pair, ranges):
    (low_a, high_a), (low_b, high_b) = (ranges[name] for name in pair)
    return low_a <= high_b and low_b <= high_a


@check("fill in how many faces each of the two networks would have to be tested on")
def check_faces_needed(answer):
    """How many faces of its own each network needs for a 95 % interval of 58 % less 56 % without zero, to 2 %."""
    low, high, step = 0.56, 0.58, 0.02
    of_low, of_high = ((1.96 / step) ** 2 * share * (1 - share) for share in (low, high))
    right, number = of_low + of_high, as_number(answer)
    mistakes = {
        "that is one standard error to either side, and an interval of 95 % has 1.96": right / 1.96**2,
        "that counts the luck of the plain network alone": of_low,
        "that counts the luck of the network with shortcuts alone": of_high,
        "that makes the whole interval two points long: it may reach so far to either side": 4 * right,
        "that is both networks together: asked for is what each of them needs": 2 * right,
        "that is the size of the report's test set, and its interval of the step still includes zero": 3589,
    }
    compare_numbers(number, right, mistakes, tolerance=0.02)
    return "with so many the interval just leaves out zero, and FER2013's test set has fewer"


@check('write a function of difference and margin that gives "holds", "does not hold" or "cannot be told"')
def check_no_worse_rule(answer):
    """`answer(difference, margin)`: the verdict on "no worse by more than `margin`", from a `Difference`."""
    intervals = ((-0.005, 0.02), (0.01, 0.03), (-0.03, -0.015), (-0.03, 0.01), (-0.02, -0.004), (-0.008, -0.002))
    holds, fails, unknown = "holds", "does not hold", "cannot be told"
    right = (holds, holds, fails, unknown, unknown, holds)
    traps = {
        3: (holds, "an interval with zero in it may hide a loss as large as its lower end"),
        4: (fails, "the loss is certain, but whether it is larger than the margin is not"),
        5: (fails, "the loss is certain, and so is that it is smaller than the margin"),
    }
    for number, (low, high) in enumerate(intervals):
        difference = Difference((low + high) / 2, low, high)
        verdict = call(answer, difference, 0.01)
        if not isinstance(verdict, str) or verdict not in right:
            raise Mistake(f'your function gives {describe(verdict)}, not "{holds}", "{fails}" or "{unknown}"')
        if verdict != right[number]:
            trap, why = traps.get(number, ("", ""))
            if verdict != trap:
                why = "on which side of the margin does the interval lie, or does it lie on both?"
            raise Mistake(f'for {difference.in_points()} and a margin of 1 point it says "{verdict}": {why}')
    return "what counts is where the whole interval lies, and the margin is what it is held against"


# --- 08 training fast ---


@check("fill in the seconds that the whole training takes at least, from multiply_adds, recipe and ceilings")
def check_least_seconds(answer, multiply_adds, recipe, ceilings):
    """Seconds of FER2013's training faces in `recipe` at the best of `ceilings` {precision: multiply-adds a second}."""
    n_images = sum(COUNTS["Training"])
    products = 3 * multiply_adds * n_images * recipe.epochs
    right = products / max(ceilings.values())
    mistakes = {
        "training needs every product three times, and here it is counted once": right / 3,
        "every product is counted twice: the way back needs it for the maps and for the weights": right * 2 / 3,
        "that is one epoch": right / recipe.epochs,
        "that is a single face in each epoch": right / n_images,
        "these are minutes": right / 60,
        "the ceilings are in multiply-adds a second, not in thousands of millions of them": right * 1e9,
        "that is the slower number format: asked for is the best speed": products / min(ceilings.values()),
    }
    compare_numbers(as_number(answer), right, mistakes)
    return "three passes over every face in every epoch, at the best speed that was measured"


@check("write a function of step, rounds and clock that gives the median seconds of a call of step")
def check_time_median(answer):
    """`answer(step, rounds, clock)`: the median seconds of `rounds` calls of `step`, after one that warms up."""
    for rounds in (5, 3):
        step = _Step()
        seconds = as_number(call(answer, step, rounds, step.clock))
        if step.calls == rounds:
            raise Mistake(f"for {rounds} rounds the step is called {rounds} times: warming up takes one call more")
        if step.calls != rounds + 1:
            raise Mistake(f"for {rounds} rounds and a warm-up the step is called {step.calls} times")
        timed, every = step.seconds[1 : rounds + 1], step.seconds[: rounds + 1]
        mistakes = {
            "that is the mean, which a single slow call can move": statistics.mean(timed),
            "the warm-up is among the times that count": statistics.median(every),
            "that is the mean, and the warm-up is among the times that count": statistics.mean(every),
            "that is the time of all rounds together": sum(timed),
            "that is the fastest call, the luckiest one": min(timed),
            "no time goes by: what counts is the clock that is passed, before and after the step": 0.0,
        }
        compare_numbers(seconds, statistics.median(timed), mistakes)
    return "the first call does not count, and a single slow one does not matter"


class _Step:
    """A step that takes known seconds on a clock of its own, the first call longest of all."""

    seconds = (50.0, 10.0, 2.0, 30.0, 4.0, 7.0)

    def __init__(self):
        self.calls = 0

    def __call__(self):
        self.calls += 1

    def clock(self):
        whole, rest = divmod(self.calls, len(self.seconds))
        return whole * sum(self.seconds) + sum(self.seconds[:rest])


@check("fill in a dictionary from each of the budgets, in seconds, to the name of the network to take")
def check_choices(answer, race, budgets):
    """{seconds: the experiment of `race` {name: (seconds, accuracies)} that is ahead by then}, for all `budgets`."""
    if not isinstance(answer, dict):
        raise Mistake(f"a dictionary is asked for, and this is {describe(answer)}")
    best_of_all = max(race, key=lambda name: max(race[name][1]))
    for budget in budgets:
        if budget not in answer:
            raise Mistake(f"there is no network for {budget} seconds")
        name = answer[budget]
        if not isinstance(name, str) or name not in race:
            raise Mistake(f"in the race are {', '.join(race)}, and this is {describe(name)}")
        reached = {network: _reached_within(budget, *curve) for network, curve in race.items()}
        if not reached[name]:
            raise Mistake(f"after {budget} seconds {name} has not finished its first epoch")
        if reached[name] < max(reached.values()):
            if name == best_of_all:
                raise Mistake(f"{name} is ahead at the end of the race, not yet after {budget} seconds")
            raise Mistake(f"{name} is not the one that is ahead after {budget} seconds")
    return "each time the line that is highest at that place on the axis of seconds"


def _reached_within(seconds, ends, accuracies):
    """The accuracy at the end of the last epoch that ends within `seconds`; 0 where none does."""
    finished = np.flatnonzero(np.asarray(ends) <= seconds)
    return float(accuracies[finished[-1]]) if len(finished) else 0.0


# --- 09 blocks at equal cost ---


@check("fill in the multiply-adds of both convolutions of the block together, a number")
def check_separable_cost(answer):
    """Multiply-adds of a 3x3 filter per map and a 1x1 convolution, from 64 to 128 maps at 12x12 places."""
    places, before, after = 12 * 12, 64, 128
    per_map, across = 9 * before, before * after
    mistakes = {
        "that is the plain 3x3 convolution, which reads all maps at nine places": places * 9 * before * after,
        "that is the 3x3 filters alone; the maps still have to be mixed": places * per_map,
        "that is the 1x1 convolution alone; before it each map has a 3x3 filter of its own": places * across,
        "that counts one place of the map; the block works at all of them": per_map + across,
        "the 3x3 filters stand before the mixing: there are as many as maps come in": places * (9 * after + across),
        "a row of the map is not the whole map": 12 * (per_map + across),
        "the two convolutions come one after the other: their costs add up": places * per_map * across,
    }
    compare_numbers(as_number(answer), places * (per_map + across), mistakes, tolerance=1e-6)
    return "a filter for each map that comes in, then one mixture for each map that goes out, at every place"


@check("fill in the width multiplier that halves the multiply-adds, a number between 0 and 1")
def check_half_cost_width(answer, cost_of_width):
    """The width at which `cost_of_width(width)` is half of what it is at width 1, to 2 %."""
    width = as_number(answer)
    if not 0 < width <= 1:
        raise Mistake("a width multiplier that saves work lies between 0 and 1")
    share = cost_of_width(width) / cost_of_width(1.0)
    if math.isclose(share, 0.5, rel_tol=0.02):
        return "most of the work goes with the square of the width, and the rest with the width itself"
    if math.isclose(width, math.sqrt(0.5), rel_tol=3e-3):
        raise Mistake("near: that would be it if all of the work went with the square of the width, and some does not")
    if width == 0.5:
        raise Mistake("half the width halves the maps that a layer reads and those that it gives: count again")
    raise Mistake(f"this leaves {share:.0%} of the multiply-adds, too {'many' if share > 0.5 else 'few'}")


@check("write a function of probabilities (networks, N, 7) that returns the class of each face, an array (N,)")
def check_mean_of_networks(answer):
    """`answer(probabilities)`: the class with the highest mean over the networks, int (N,), of invented networks."""
    random = np.random.default_rng(0)
    probabilities = random.dirichlet(np.full(7, 0.4), size=(3, 200))
    classes = as_array(call(answer, probabilities), (200,))
    votes = np.eye(7)[probabilities.argmax(axis=2)].sum(axis=0)
    surest = probabilities.max(axis=2).argmax(axis=0)
    mistakes = {
        "that is a vote: it counts a network that is sure no more than one that guesses": votes.argmax(axis=1),
        "that is the answer of whichever network is surest": probabilities.max(axis=0).argmax(axis=1),
        "that is the number of a network, not of a class": surest,
        "that is the first network alone": probabilities[0].argmax(axis=1),
        "that is the last network alone": probabilities[-1].argmax(axis=1),
        "that multiplies the probabilities: one network that says never decides": probabilities.prod(axis=0).argmax(1),
        "those are probabilities, not classes": probabilities.mean(axis=0).max(axis=1),
    }
    compare_arrays(classes, probabilities.mean(axis=0).argmax(axis=1), mistakes)
    return "the mean over the networks first, then the highest of the seven"


# --- 10 reading the mistakes ---


@check("fill in the share right of the best answers, if each label were drawn like one more of these votes")
def check_ceiling(answer, votes):
    """The label ceiling of `votes` int (faces, 8): seven classes, and last the votes for something else."""
    total, of_classes = votes.sum(axis=1), votes[:, :7]
    most = of_classes.max(axis=1)
    mistakes = {
        "on the face that most people find no word for, the best answer of the seven is another than theirs": np.mean(
            votes.max(axis=1) / total
        ),
        "this pools all votes: each face counts the same, however many voted on it": most.sum() / total.sum(),
        "this leaves out the votes for something else; a label that is one of them is missed, too": np.mean(
            most / of_classes.sum(axis=1)
        ),
        "this counts the faces on which more than half agree; an answer there is not always right": np.mean(
            most > total / 2
        ),
        "this is how often the best answer is wrong": 1 - np.mean(most / total),
    }
    compare_numbers(as_share(answer), np.mean(most / total), mistakes)
    return "no network, however good, would stand above it, except by luck"


@check("write a function of confidence, correct and n_bins that gives the expected calibration error")
def check_calibration_error(answer):
    """`answer(confidence, correct, n_bins)`: the expected calibration error over bins of equal width from 0 to 1."""
    random = np.random.default_rng(10)
    confidence = np.concatenate([0.3 + 0.69 * random.random(380) ** 0.5, np.full(20, 1.0)])
    correct = random.random(400) < np.where(confidence < 0.6, confidence + 0.25, confidence - 0.2)
    for n_bins in (10, 5):
        error = call(answer, confidence.copy(), correct.copy(), n_bins)
        if np.isscalar(error) and not isinstance(error, str) and np.isnan(error):
            raise Mistake("your function gives nan: a bin without answers has no mean, and no part in the error")
        weights, gaps = _bin_gaps(confidence, correct, n_bins)
        inside_weights, inside_gaps = _bin_gaps(confidence[confidence < 1], correct[confidence < 1], n_bins)
        mistakes = {
            "every bin counts the same here, however few answers lie in it": np.abs(gaps).mean(),
            "that is the worst bin alone": np.abs(gaps).max(),
            "too sure here and too unsure there cancel: take each bin's distance without its sign": abs(
                np.sum(weights * gaps)
            ),
            "an answer of confidence 1 belongs to the last bin, and here it is left out": np.sum(
                inside_weights * np.abs(inside_gaps)
            ),
            "left out is the answer of confidence 1, though it is counted in the number of all": (
                np.sum(inside_weights * np.abs(inside_gaps)) * np.mean(confidence < 1)
            ),
        }
        compare_numbers(as_number(error), np.sum(weights * np.abs(gaps)), mistakes)
    return "each bin counts by its answers, and no sign cancels another"


def _bin_gaps(confidence, correct, n_bins):
    """The share of the answers, and mean confidence less accuracy, of each bin that has answers."""
    bins = np.minimum((confidence * n_bins).astype(int), n_bins - 1)
    filled = np.unique(bins)
    gaps = [confidence[bins == place].mean() - correct[bins == place].mean() for place in filled]
    return np.array([np.mean(bins == place) for place in filled]), np.array(gaps)


@check("write a function that gives the drop of the score when a square of the image is covered with grey")
def check_drop(answer):
    """`answer(score, image, top, left, size)`: what a square of the image's mean grey takes from `score(image)`."""
    rows, columns = np.mgrid[:48, :48]
    image = (40 + 3 * rows + columns % 7)[..., np.newaxis].astype(np.uint8)
    image[8:20, 30:44] = 250
    image[:6, :10] = 220

    def score(seen):
        return (seen[8:20, 30:44].mean() + 2 * seen[:6, :10].mean()) / 765

    def cover(top, left, size, grey):
        covered = image.copy()
        covered[max(top, 0) : max(top + size, 0), max(left, 0) : max(left + size, 0)] = grey
        return score(image) - score(covered)

    for top, left, size in ((8, 30, 10), (-4, -2, 9)):
        given = image.copy()
        drop = as_number(call(answer, score, given, top, left, size))
        if not np.array_equal(given, image):
            raise Mistake("the image that was passed has changed: cover a copy of it")
        right = cover(top, left, size, image.mean())
        mistakes = {
            "the sign is wrong: a drop is the score before less the score after": -right,
            "rows and columns have changed places: the first index goes from top to bottom": cover(
                left, top, size, image.mean()
            ),
            "the square is black, and black is a grey level with a meaning: asked for is the image's mean": cover(
                top, left, size, 0
            ),
            "this is the score after, not what it lost": score(image) - right,
        }
        if top < 0 and abs(drop) < 1e-6:
            raise Mistake("a square that begins outside covers nothing here: a negative index counts from the end")
        compare_numbers(drop, right, mistakes, tolerance=0.03)
    return "one square of the map; the whole map is this in a loop over the places"


# --- 11 your own photo ---


@check("fill in how sure an answer must be, a share with two decimals")
def check_sureness(answer, run):
    """The lowest probability such that of the test answers of `run` that are at least as sure, 90 % are right."""
    sureness, confidence = as_share(answer), run.test_probabilities.max(axis=1).astype(float)
    if sureness > confidence.max():
        raise Mistake("no answer is as sure as that")

    def accuracy_from(least):
        return np.mean(run.test_correct[confidence >= least])

    if accuracy_from(sureness) < 0.9:
        raise Mistake(f"of the answers at least this sure only {accuracy_from(sureness):.1%} are right")
    if sureness >= 0.01 and accuracy_from(sureness - 0.01) >= 0.9:
        spared = np.mean(confidence >= sureness)
        raise Mistake(
            f"this is enough, but leaves {spared:.0%} of the answers; a lower value, that leaves more, is enough"
        )
    return f"it leaves {np.mean(confidence >= sureness):.0%} of the answers; on the others the network should be silent"


@check("write a function that returns the wider square as (left, top, side)")
def check_wider_square(answer):
    """A function of a square (left, top, side) and a factor: the square round its centre, `factor` times as wide."""
    for (left, top, side), factor in (((100, 80, 40), 1.5), ((60, 90, 80), 2)):
        growth = side * (factor - 1)
        mistakes = {
            "the square grew to the right and down only: its centre has moved": (left, top, side + growth),
            "the centre moved up and to the left: half of the growth belongs on each side": (
                (left - growth, top - growth, side + growth)
            ),
            "the place is right, but the side is still the old one": (left - growth / 2, top - growth / 2, side),
            "the square is as it was": (left, top, side),
        }
        square = as_array(call(answer, (left, top, side), factor), (3,))
        compare_arrays(square, (left - growth / 2, top - growth / 2, side + growth), mistakes)
    return "half of the growth on each side, and the centre stays"


@check("write a function that returns the grey levels, an array of uint8")
def check_grey_levels(answer):
    """A function that brings a face of floats from 0 to 1 back to the networks' uint8 grey levels from 0 to 255."""
    face = np.linspace(0, 1, 48 * 48, dtype=np.float32).reshape(48, 48, 1)
    levels = call(answer, face)
    as_array(levels, face.shape)
    if np.max(levels) <= 1:
        raise Mistake("no number is above 1: the networks divide by 255, and would see a dark room")
    if np.asarray(levels).dtype != np.uint8:
        raise Mistake(f"the numbers are of type {np.asarray(levels).dtype}; the faces of the course are uint8")
    away = np.abs(levels - 255 * face)
    if away.max() > 250:
        raise Mistake("white has become black: 256 does not fit into 8 bits")
    if away.max() > 1:
        raise Mistake(f"some grey levels are wrong by {away.max():.0f}")
    return "black is 0, white is 255, and the network divides by itself"
