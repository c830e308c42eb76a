"""Checks of the exercises of notebook 02, baseline overfitting."""

import math

import numpy as np

from fer_utils.exercises.checking import Mistake, as_array, as_number, as_share, call, check, compare_numbers


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
