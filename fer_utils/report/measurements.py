"""Measures the claims of the report, each from the runs of the rows that it is about: (words, verdict).

The verdicts presume several seeds of every row; what one seed says is certain of nothing (`claims.judge_claims`).
"""

import numpy as np

from fer_utils.evaluation import (
    Difference,
    average_over_seeds,
    compare_on_different_images,
    compare_over_seeds,
    compare_seeds,
)
from fer_utils.report.published import BASELINE_TRAINING_ACCURACY, GAIN_OF_DEPTH
from fer_utils.report.recorded import correct_answers, late_accuracies
from fer_utils.report.speeds import TRAINING_IMAGES
from fer_utils.report.tables import describe_accuracy
from fer_utils.report.verdicts import FAILS, HOLDS, IN_PART, UNKNOWN, judge_gain, judge_level, tolerate_level

# Validation accuracies; how many epochs a network needs to each of them says how fast it converges (notebook 05).
MARKS = (0.50, 0.55, 0.58, 0.60)


def measure_level(runs, percent):
    """Measures whether `runs` of one row reach `percent` on the test images."""
    accuracy = average_over_seeds(correct_answers(runs))
    tolerance = tolerate_level(accuracy, len(runs), _deviation_of_one(runs))
    words = f"{describe_accuracy(accuracy)} on the test set; tolerance {100 * tolerance:.1f} points"
    return words, judge_level(accuracy.mean, percent / 100, tolerance)


def _deviation_of_one(runs):
    """Returns how far single trainings lie from each other: by their seed and by the epoch in which they end."""
    endings = [late_accuracies(run) for run in runs]
    of_seeds = np.std([values.mean() for values in endings], ddof=1) if len(runs) > 1 else 0.0
    return float(np.hypot(of_seeds, np.sqrt(np.mean([values.var() for values in endings]))))


def measure_difference(difference, at_least, at_most=np.inf):
    """Returns (words, verdict) of a gain."""
    p_value = "" if np.isnan(difference.p_value) else f", p = {difference.p_value:.2g}"
    return difference.in_points() + p_value, judge_gain(difference, at_least, at_most)


def measure_climb(runs):
    """Measures in which epoch the training accuracy passes the report's 80 %; quickly: in the first half of them."""
    reached = [_first_epoch(run.history["accuracy"], BASELINE_TRAINING_ACCURACY / 100) for run in runs]
    n_epochs = len(runs[0].history["accuracy"])
    if None in reached:
        return f"not reached in {n_epochs} epochs by {reached.count(None)} of {len(runs)} seeds", FAILS
    words = f"reached in epoch {_range(reached)} of {n_epochs}"
    return words, HOLDS if max(reached) <= n_epochs / 2 else IN_PART


def measure_overfitting(runs):
    """Measures the gap between training and validation accuracy at the last epoch."""
    gaps = [_gap_of(run) for run in runs]
    words = f"gap at the last epoch {100 * np.mean([gap.value for gap in gaps]):.1f} points, {_count_seeds(runs)}"
    return words, HOLDS if all(gap.low > 0 for gap in gaps) else UNKNOWN


def measure_gap(plain, augmented):
    """Measures by how much augmentation reduces this gap; largely: by half or more."""
    before, after = ([_gap_of(run).value for run in runs] for runs in (plain, augmented))
    reduction = compare_seeds(after, before)
    words = f"from {100 * np.mean(before):.1f} to {100 * np.mean(after):.1f} points: {reduction.in_points()}"
    if reduction.low <= 0:
        return words, FAILS if reduction.high < 0 else UNKNOWN
    return words, HOLDS if np.mean(after) <= np.mean(before) / 2 else IN_PART


def measure_depth(shallow, deep):
    """Measures the gain of validation accuracy; its interval is about images and seeds."""
    n_images = int(shallow[0].validation_confusion.sum())
    values = [[late_accuracies(run, "validation").mean() for run in runs] for runs in (shallow, deep)]
    of_images = compare_on_different_images(np.mean(values[0]), n_images, np.mean(values[1]), n_images)
    of_seeds = compare_seeds(*values)
    reach = np.hypot(of_images.high - of_images.value, of_seeds.high - of_seeds.value)
    difference = Difference(of_images.value, of_images.value - reach, of_images.value + reach)
    least, most = (points / 100 for points in GAIN_OF_DEPTH)
    words, verdict = measure_difference(difference, least, most)
    return f"{words}, not paired", verdict


def measure_convergence(plain, shortcut):
    """Measures the epochs to those of `MARKS` that all trainings reach, mean over the marks."""
    curves = [[run.history["val_accuracy"] for run in runs] for runs in (plain, shortcut)]
    marks = [mark for mark in MARKS if all(max(curve) >= mark for side in curves for curve in side)]
    if not marks:
        return f"no mark from {MARKS[0]:.0%} on is reached by all trainings", UNKNOWN
    epochs = [[np.mean([_first_epoch(curve, mark) for mark in marks]) for curve in side] for side in curves]
    fewer = compare_seeds(epochs[1], epochs[0])
    levels = f"{marks[0]:.0%}" if len(marks) == 1 else f"{len(marks)} marks, {marks[0]:.0%} to {marks[-1]:.0%}"
    words = f"epochs to {levels} of validation accuracy: {np.mean(epochs[0]):.1f} to {np.mean(epochs[1]):.1f}"
    return words + _describe_interval(fewer, ".1f"), judge_gain(fewer, at_least=0)


def measure_falling_loss(plain, shortcut):
    """Measures the mean training loss: of two that end alike, the one that got there faster has the lower mean."""
    losses = [[float(np.mean(run.history["loss"])) for run in runs] for runs in (plain, shortcut)]
    lower = compare_seeds(losses[1], losses[0])
    words = f"training loss, mean over the epochs: {np.mean(losses[0]):.3f} to {np.mean(losses[1]):.3f}"
    return words + _describe_interval(lower, ".3f"), judge_gain(lower, at_least=0)


def _describe_interval(difference, form):
    if not np.isfinite(difference.high - difference.low):
        return " (too few seeds for an interval)"
    return f" (difference {-difference.high:+{form}} to {-difference.low:+{form}})"


def measure_both(shallow, deep, shortcut):
    """Measures what depth gains, and what shortcuts gain beyond it."""
    answers = [correct_answers(runs) for runs in (shallow, deep, shortcut)]
    gains = [compare_over_seeds(a, b) for a, b in zip(answers, answers[1:], strict=False)]
    words = "depth {:+.1f}, shortcuts {:+.1f} points of test accuracy".format(*(100 * gain.value for gain in gains))
    certain = sum(gain.low > 0 for gain in gains)
    against = sum(gain.high < 0 for gain in gains)
    return words, HOLDS if certain == 2 else IN_PART if certain else FAILS if against == 2 else UNKNOWN


def measure_layers(layers):
    """Measures the five claims of §5.4 from the readings of one network: its pixels, its first layer, ..., its last."""
    pixels, first, *_, last = layers["layers"]
    gain = Difference(*layers["class_gain"])
    n_blank, r2 = first["n_blank"], first["r2"]
    return [
        (f"{n_blank:.1f} of {first['n_maps']} per face", HOLDS if n_blank >= 2 else FAILS),
        (f"R² {r2:.2f}, of the pixels {pixels['r2']:.2f}", HOLDS if r2 >= 0.9 * pixels["r2"] else FAILS),
        (f"R² {r2:.2f} in the first, {last['r2']:.2f} in the last", HOLDS if last["r2"] < r2 else FAILS),
        (f"a probe finds the class: {gain.in_points()}", judge_gain(gain, at_least=0)),
        ("looking at one network compares no depths", UNKNOWN),
    ]


def _gap_of(run):
    """Returns training minus validation accuracy at the last epoch of `run`, a `Difference`."""
    n_validation = int(run.validation_confusion.sum())
    accuracy, n_train = run.history["accuracy"][-1], run.recipe["train_images"] or TRAINING_IMAGES
    return compare_on_different_images(run.history["val_accuracy"][-1], n_validation, accuracy, n_train)


def _first_epoch(values, threshold):
    reached = np.flatnonzero(np.array(values) >= threshold)
    return int(reached[0]) + 1 if len(reached) else None


def _count_seeds(runs):
    return "one seed" if len(runs) == 1 else f"mean of {len(runs)} seeds"


def _range(numbers):
    return f"{min(numbers)}" if min(numbers) == max(numbers) else f"{min(numbers)} to {max(numbers)}"
