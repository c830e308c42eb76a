"""Checks of the exercises: each takes a learner's answer and returns a `Verdict`, which says in words what is wrong.

One function per closed exercise, in the order of the notebooks. A check never raises for an answer, whatever it is, and
never gives the answer away; an empty cell (`None`) is told what is asked for. The worked solutions are in
`notebooks/solutions`.
"""

import functools
import math
from typing import NamedTuple

import numpy as np

from fer_utils.drawn_faces import ACTION_UNITS, UNITS
from fer_utils.evaluation import compare_on_same_images


class Verdict(NamedTuple):
    """Whether an answer is right, and what there is to say about it; a notebook shows it as one line of text."""

    right: bool
    words: str

    def __repr__(self):
        return f"{'Right' if self.right else 'Not yet'}: {self.words}"


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
    if isinstance(answer, int | float | np.number) and not isinstance(answer, bool):
        return f"the number {answer:g}"
    return "a function" if callable(answer) else f"a value of type {type(answer).__name__}"


def list_values(values):
    """The numbers in words.

    >>> list_values({26, 5, 1})
    '1, 5 and 26'
    """
    *first, last = (str(value) for value in sorted(values))
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
    units = set(answer) if isinstance(answer, list | tuple | dict | set | np.ndarray) else {as_number(answer)}
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
    return "this is early stopping: it saves the epochs that only learn by heart"


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


@check("build a keras.Model from faces (48, 48, 1) to seven probabilities")
def check_far_sighted(answer, receptive_fields, limit):
    """A network whose last convolution sees 48 pixels or more for at most the multiply-adds of the network `limit`."""
    from fer_utils.models import count_multiply_adds

    if not hasattr(answer, "layers") or not hasattr(answer, "input_shape"):
        raise Mistake(f"a keras.Model is asked for, and this is {describe(answer)}")
    if answer.input_shape != (None, 48, 48, 1) or answer.output_shape != (None, 7):
        raise Mistake(
            f"it has to go from (48, 48, 1) to 7 numbers, and this goes from {answer.input_shape[1:]} "
            f"to {answer.output_shape[1:]}"
        )
    fields = receptive_fields(answer)
    if not fields:
        raise Mistake("it has no convolution, or none whose name begins with conv")
    cost, most = (count_multiply_adds(network) / 1e6 for network in (answer, limit))
    if max(fields.values()) < 48:
        raise Mistake(f"its last convolution sees {max(fields.values())} of 48 pixels")
    if cost > most:
        raise Mistake(f"it sees the whole face, but costs {cost:.1f} million multiply-adds; the limit is {most:.1f}")
    return "it sees the whole face at no more cost; where the maps are small, another layer is cheap"


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
