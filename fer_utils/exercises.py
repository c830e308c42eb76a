"""Checks of the exercises: each takes a learner's answer and returns a `Verdict`, which says in words what is wrong.

One function per closed exercise, in the order of the notebooks. A check never raises for an answer, whatever it is, and
never gives the answer away; an empty cell (`None`) is told what is asked for. The worked solutions are in
`notebooks/solutions`.
"""

import functools
import itertools
import math
import statistics
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np

from fer_utils.evaluation import Difference, average_over_seeds
from fer_utils.fer2013 import COUNTS


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
