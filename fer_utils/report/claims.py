"""Judges the claims of the 2020 report (§5, §6), each by a measurement, from the recorded runs."""

import dataclasses

import numpy as np

from fer_utils.data import COUNTS
from fer_utils.evaluation import (
    average_over_seeds,
    compare_on_different_images,
    compare_on_same_images,
    compare_over_seeds,
    compare_seeds,
)
from fer_utils.report.published import BASELINE_TRAINING_ACCURACY, GAIN_OF_DEPTH, GAIN_OF_SHORTCUTS, TABLE_1
from fer_utils.report.recorded import correct_answers
from fer_utils.report.tables import describe_accuracy

VERDICTS = HOLDS, IN_PART, FAILS, UNKNOWN = "holds", "holds in part", "does not hold", "cannot be told"
# What the report compares to show that each of the two helps.
DEPTH = ("lenet_like_augmented", "vgg_like")
SHORTCUT = ("vgg_like", "resnet_like")


@dataclasses.dataclass(frozen=True)
class Claim:
    """A statement of the report, what was measured, and the verdict, one of `VERDICTS`."""

    section: str
    statement: str
    measurement: str
    verdict: str


def judge_gain(difference, at_least, at_most=np.inf):
    """Judges "better by `at_least` to `at_most`" (fractions), from a `Difference` with its 95 % interval.

    Holds: a gain is certain and its interval reaches the claimed size. In part: certain, but of another size. Does not
    hold: the claimed size is ruled out, and a gain is not certain. Else it cannot be told.

    >>> from fer_utils.evaluation import Difference
    >>> intervals = (0.01, 0.05), (0.01, 0.015), (-0.01, 0.03), (-0.01, 0.01)
    >>> [judge_gain(Difference(0.01, *interval), at_least=0.02) for interval in intervals]
    ['holds', 'holds in part', 'cannot be told', 'does not hold']
    """
    if difference.low > 0:
        return HOLDS if difference.high >= at_least and difference.low <= at_most else IN_PART
    return FAILS if difference.high < at_least else UNKNOWN


def judge_level(accuracy, claimed):
    """Judges "reaches `claimed`" (a fraction), from an `Accuracy`, seeds and images taken together.

    Holds: the number lies within two standard errors. In part: ours is above. Does not hold: ours is below.
    """
    of_images = (accuracy.high - accuracy.low) / 3.92
    error = np.hypot(of_images, np.nan_to_num(accuracy.deviation))
    if abs(accuracy.mean - claimed) <= 2 * error:
        return HOLDS
    return IN_PART if accuracy.mean > claimed else FAILS


def judge_claims(recorded, layers=None):
    """Judges the claims of §5 and §6: [Claim, ...], each verdict from the `recorded` runs (of `load_recorded`).

    `layers` are the readings of a recorded network's layers that §5.4 needs (of `evaluation.read_layers`).
    """
    return [
        _level("lenet_like", "§5.1", "The plain network reaches 51.0 % on the test set", recorded),
        _judge("§5.1", "Its training accuracy climbs to 80 % very quickly", _climb, recorded, "lenet_like"),
        _judge("§5.1", "It overfits significantly", _overfitting, recorded, "lenet_like"),
        _judge("§5.1", "Augmentation largely reduces the gap", _gap, recorded, "lenet_like", "lenet_like_augmented"),
        _gain("lenet_like", "lenet_like_augmented", "Table 1", "Augmentation gains 2 points", 0.02, recorded),
        _level("lenet_like_augmented", "Table 1", "With augmentation it reaches 53 %", recorded),
        _judge("§5.2", "Depth gains 3 to 4 points of validation accuracy", _depth, recorded, *DEPTH),
        _gain(*DEPTH, "Table 1", "Depth gains 3 points of test accuracy", 0.03, recorded),
        _level("vgg_like", "Table 1", "The deep network reaches 56 %", recorded),
        _gain(*SHORTCUT, "§5.3", "Shortcuts gain more than 2 points", GAIN_OF_SHORTCUTS / 100, recorded),
        _judge("§5.3", "With shortcuts, training converges faster", _convergence, recorded, *SHORTCUT),
        *_judge_layers(layers),
        _judge("§6", "Both depth and shortcuts improve the network", _both, recorded, *DEPTH, "resnet_like"),
        _level("resnet_like", "§6", "The best network reaches 58 %", recorded),
    ]


def _judge(section, statement, measure, recorded, *names):
    """Judges one claim: `measure(runs of each name)` gives (measurement, verdict); without runs it cannot be told."""
    runs = [recorded.get(name) for name in names]
    measurement, verdict = measure(*runs) if all(runs) else ("no recorded run", UNKNOWN)
    return Claim(section, statement, measurement, verdict)


def _level(name, section, statement, recorded):
    def measure(runs):
        accuracy = average_over_seeds(correct_answers(runs))
        return f"{describe_accuracy(accuracy)} on the test set", judge_level(accuracy, TABLE_1[name] / 100)

    return _judge(section, statement, measure, recorded, name)


def _gain(name_a, name_b, section, statement, at_least, recorded):
    def measure(a, b):
        difference = compare_over_seeds(correct_answers(a), correct_answers(b))
        p_value = "" if np.isnan(difference.p_value) else f", p = {difference.p_value:.2g}"
        return difference.in_points() + p_value, judge_gain(difference, at_least)

    return _judge(section, statement, measure, recorded, name_a, name_b)


def _climb(runs):
    reached = [_first_epoch(run.history["accuracy"], BASELINE_TRAINING_ACCURACY / 100) for run in runs]
    n_epochs = len(runs[0].history["accuracy"])
    if None in reached:
        return f"not reached in {n_epochs} epochs by {reached.count(None)} of {len(runs)} seeds", FAILS
    words = f"reached in epoch {_range(reached)} of {n_epochs}"
    return words, HOLDS if max(reached) <= n_epochs / 2 else IN_PART


def _overfitting(runs):
    gaps = [_gap_of(run) for run in runs]
    words = f"gap at the last epoch {100 * np.mean([gap.value for gap in gaps]):.1f} points, {_count_seeds(runs)}"
    return words, HOLDS if all(gap.low > 0 for gap in gaps) else UNKNOWN


def _gap(plain, augmented):
    before, after = ([_gap_of(run).value for run in runs] for runs in (plain, augmented))
    reduction = compare_seeds(after, before)
    words = f"from {100 * np.mean(before):.1f} to {100 * np.mean(after):.1f} points: {reduction.in_points()}"
    if reduction.low <= 0:
        return words, FAILS if reduction.high < 0 else UNKNOWN
    return words, HOLDS if np.mean(after) <= np.mean(before) / 2 else IN_PART


def _depth(shallow, deep):
    n_images = shallow[0].validation_confusion.sum()
    means = [np.mean([run.validation_accuracy for run in runs]) for runs in (shallow, deep)]
    difference = compare_on_different_images(means[0], n_images, means[1], n_images)
    at_least, at_most = (points / 100 for points in GAIN_OF_DEPTH)
    return f"{difference.in_points()}, not paired", judge_gain(difference, at_least, at_most)


def _convergence(plain, shortcut):
    faster = compare_seeds(_losses(shortcut), _losses(plain))
    words = f"training loss, mean over the epochs: {np.mean(_losses(plain)):.3f} to {np.mean(_losses(shortcut)):.3f}"
    interval = f" (difference {faster.low:+.3f} to {faster.high:+.3f})" if np.isfinite(faster.low) else " (one seed)"
    return words + interval, judge_gain(faster, at_least=0)


def _both(shallow, deep, shortcut):
    answers = [correct_answers(runs) for runs in (shallow, deep, shortcut)]
    gains = [compare_over_seeds(a, b) for a, b in zip(answers, answers[1:], strict=False)]
    words = "depth {:+.1f}, shortcuts {:+.1f} points of test accuracy".format(*(100 * gain.value for gain in gains))
    certain = sum(gain.low > 0 for gain in gains)
    against = sum(gain.high < 0 for gain in gains)
    return words, HOLDS if certain == 2 else IN_PART if certain else FAILS if against == 2 else UNKNOWN


def _judge_layers(layers):
    """Judges the claims of §5.4, from readings of one network: its pixels, its first layer, ..., its last."""
    statements = (
        "In the first layer several maps are blank",
        "The first layer keeps almost all of the image",
        "Deeper layers say less about the image",
        "Deeper layers say more about the class",
        "That is why more layers help",
    )
    if layers is None:
        return [Claim("§5.4", statement, "not measured", UNKNOWN) for statement in statements]
    pixels, first, *_, last = layers
    gain = compare_on_same_images(first.correct, last.correct)
    facts = (
        (f"{first.n_blank:.1f} of {first.n_maps} per face", HOLDS if first.n_blank >= 2 else FAILS),
        (f"R² {first.r2:.2f}, of the pixels {pixels.r2:.2f}", HOLDS if first.r2 >= 0.9 * pixels.r2 else FAILS),
        (f"R² {first.r2:.2f} in the first, {last.r2:.2f} in the last", HOLDS if last.r2 < first.r2 else FAILS),
        (f"a probe finds the class: {gain.in_points()}", judge_gain(gain, at_least=0)),
        ("looking at one network compares no depths", UNKNOWN),
    )
    return [Claim("§5.4", statement, *fact) for statement, fact in zip(statements, facts, strict=True)]


def _gap_of(run):
    """Returns training minus validation accuracy at the last epoch of `run`, a `Difference`."""
    n_validation = int(run.validation_confusion.sum())
    accuracy, n_train = run.history["accuracy"][-1], run.recipe["train_images"] or sum(COUNTS["Training"])
    return compare_on_different_images(run.history["val_accuracy"][-1], n_validation, accuracy, n_train)


def _losses(runs):
    return [float(np.mean(run.history["loss"])) for run in runs]


def _first_epoch(values, threshold):
    reached = np.flatnonzero(np.array(values) >= threshold)
    return int(reached[0]) + 1 if len(reached) else None


def _count_seeds(runs):
    return "one seed" if len(runs) == 1 else f"mean of {len(runs)} seeds"


def _range(numbers):
    return f"{min(numbers)}" if min(numbers) == max(numbers) else f"{min(numbers)} to {max(numbers)}"
