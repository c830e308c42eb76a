"""Checks of the exercises of notebook 07, report reproduction."""

import itertools

from fer_utils.evaluation import Difference, average_over_seeds
from fer_utils.exercises.checking import Mistake, as_number, call, check, compare_numbers, put_in_words


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
        raise Mistake(f"a list of pairs is asked for, and this is {put_in_words(answer)}")
    if len(answer) == 2 and all(isinstance(name, str) for name in answer):
        answer = [answer]  # a pair by itself
    for pair in answer:
        if not isinstance(pair, list | tuple | set | frozenset) or len(pair) != 2:
            raise Mistake(f"a pair of two names is asked for, and this is {put_in_words(pair)}")
        if unknown := [name for name in pair if name not in names]:
            raise Mistake(f"the rows are {', '.join(names)}, and this is {put_in_words(unknown[0])}")
    return {frozenset(pair) for pair in answer}


def _range_of(values):
    return min(values), max(values)


def _overlap(pair, ranges):
    (low_a, high_a), (low_b, high_b) = (ranges[name] for name in pair)
    return low_a <= high_b and low_b <= high_a


@check("fill in how many faces each of the two networks would have to be tested on")
def check_faces_needed(answer):
    """How many faces of its own each network needs for a 95 % interval of 58 % minus 56 % without zero, to 2 %."""
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
            raise Mistake(f'your function gives {put_in_words(verdict)}, not "{holds}", "{fails}" or "{unknown}"')
        if verdict != right[number]:
            trap, why = traps.get(number, ("", ""))
            if verdict != trap:
                why = "on which side of the margin does the interval lie, or does it lie on both?"
            raise Mistake(f'for {difference.in_points()} and a margin of 1 point it says "{verdict}": {why}')
    return "what counts is where the whole interval lies, and the margin is what it is held against"
