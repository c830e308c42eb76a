"""Compares accuracies: intervals, paired tests, seeds; confusion matrices. Numpy in, numbers out."""

import warnings
from typing import NamedTuple

import numpy as np
from scipy import stats
from sklearn import metrics

from fer_utils.data import CLASS_NAMES


class Difference(NamedTuple):
    """A difference of two accuracies, its 95 % interval, and the p-value of "there is none" (NaN where not tested)."""

    value: float
    low: float
    high: float
    p_value: float = float("nan")

    @property
    def clear(self):
        """Whether the interval leaves out zero."""
        return self.low > 0 or self.high < 0

    def in_points(self):
        """Returns the difference as text, in points of percent.

        >>> Difference(0.021, 0.004, 0.038).in_points()
        '+2.1 points (95 % interval +0.4 to +3.8)'
        >>> Difference(0.021, float("-inf"), float("inf")).in_points()
        '+2.1 points (too few seeds for an interval)'
        """
        interval = f"95 % interval {100 * self.low:+.1f} to {100 * self.high:+.1f}"
        if not np.isfinite(self.high - self.low):
            interval = "too few seeds for an interval"
        return f"{100 * self.value:+.1f} points ({interval})"


class Accuracy(NamedTuple):
    """The mean accuracy over seeds, their standard deviation (NaN of one seed), and its 95 % interval over images."""

    mean: float
    deviation: float
    low: float
    high: float


def wilson_interval(n_correct, n_total, confidence=0.95):
    """Returns (low, high), the confidence interval of an accuracy measured once on `n_total` images (Wilson 1927).

    >>> low, high = wilson_interval(2513, 3589)
    >>> f"{low:.3f} to {high:.3f}"
    '0.685 to 0.715'
    """
    interval = stats.binomtest(int(n_correct), int(n_total)).proportion_ci(confidence, method="wilson")
    return interval.low, interval.high


def accuracy_at(confidence, probabilities, correct, n_answers=300):
    """Returns the share right among the `n_answers` whose highest probability is nearest to `confidence`, a float.

    What an answer of this confidence has been worth: `probabilities` (N, 7) and `correct` bool (N,) are those of a test
    set, such as a `Run` keeps them.
    """
    distances = np.abs(np.max(probabilities, axis=1).astype(float) - confidence)
    return float(np.mean(np.asarray(correct)[distances.argsort(kind="stable")[:n_answers]]))


def confusion_matrix(labels, predictions):
    """Returns the counts int (7, 7): rows are true classes, columns predicted ones, both in FER2013's class order."""
    return metrics.confusion_matrix(labels, predictions, labels=range(len(CLASS_NAMES)))


def compare_on_same_images(correct_a, correct_b):
    """Returns the accuracy of b minus that of a on the same images, a `Difference`; both arguments are bool (N,).

    Only images that exactly one of the two gets right tell them apart. The p-value is McNemar's (1947), in its exact
    form: a binomial test of the share of these images that b gets right. The interval reaches as far as the exact one
    of that share (Clopper and Pearson 1934), so that it leaves out zero exactly where p < 0.05; and as far as that of
    Bonett and Price (2012), because on other images the two may be apart more often or less often than on these.

    >>> difference = compare_on_same_images([True] * 6 + [False] * 94, [True] * 20 + [False] * 80)
    >>> f"{difference.in_points()}, p = {difference.p_value:.4f}"
    '+14.0 points (95 % interval +6.5 to +20.9), p = 0.0001'
    """
    before, after = np.asarray(correct_a, int), np.asarray(correct_b, int)
    if before.shape != after.shape or before.ndim != 1 or not before.size:
        raise ValueError(f"expected one value per image, found arrays of shape {before.shape} and {after.shape}")
    n, gained, lost = before.size, int((after > before).sum()), int((after < before).sum())
    low, high = _bonett_price_interval(gained, lost, n)
    if not gained + lost:
        return Difference(0.0, low, high, 1.0)
    test = stats.binomtest(gained, gained + lost)
    exact_low, exact_high = ((2 * share - 1) * (gained + lost) / n for share in test.proportion_ci(0.95))
    return Difference((gained - lost) / n, min(low, exact_low), max(high, exact_high), float(test.pvalue))


def _bonett_price_interval(gained, lost, n):
    """Returns (low, high), the normal 95 % interval of a paired difference with one image added to either side."""
    value, apart = (gained - lost) / (n + 2), (gained + lost + 2) / (n + 2)
    half_width = stats.norm.ppf(0.975) * np.sqrt((apart - value**2) / (n + 2))
    return max(float(value - half_width), -1.0), min(float(value + half_width), 1.0)


def compare_on_different_images(accuracy_a, n_a, accuracy_b, n_b):
    """Returns accuracy b minus accuracy a, each measured on images of its own, as a `Difference` (Newcombe 1998).

    For training against validation: two sets of different images, `n_a` and `n_b` of them.
    """
    low_a, high_a = wilson_interval(round(accuracy_a * n_a), n_a)
    low_b, high_b = wilson_interval(round(accuracy_b * n_b), n_b)
    value = accuracy_b - accuracy_a
    low = value - np.hypot(accuracy_b - low_b, high_a - accuracy_a)
    high = value + np.hypot(high_b - accuracy_b, accuracy_a - low_a)
    return Difference(value, low, high)


def average_over_seeds(correct):
    """Returns the `Accuracy` of bool (seeds, N). Images are drawn anew in its interval, seeds are not.

    >>> average_over_seeds([[True, True, False, False], [True, True, True, False]]).mean
    0.625
    """
    correct = np.atleast_2d(np.asarray(correct, float))
    per_image = correct.mean(axis=0)
    half_width = 1.96 * per_image.std() / np.sqrt(per_image.size)
    mean = float(per_image.mean())
    return Accuracy(mean, _deviation(correct.mean(axis=1)), mean - half_width, mean + half_width)


def compare_over_seeds(correct_a, correct_b):
    """Returns the mean accuracy of b minus that of a on the same images, a `Difference`; arguments bool (seeds, N).

    The variance has two parts. The first is that of the images, paired: each image's value is its mean over seeds. The
    second is that of the seeds' accuracies, pooled over both sides as in Student's two-sample test, so that a side with
    one seed is as uncertain as a single seed of the other side. Answers that change from seed to seed, each image for
    itself, are in both parts; they are counted in the first alone. Interval and p-value come from one t distribution
    with the degrees of freedom of Satterthwaite (1946). With one seed on each side there is neither: nothing is known
    about other seeds. What two single networks differ by, `compare_on_same_images` says.
    """
    a, b = np.atleast_2d(np.asarray(correct_a, float)), np.atleast_2d(np.asarray(correct_b, float))
    if a.shape[1] != b.shape[1]:
        raise ValueError(f"expected the same images on both sides, found {a.shape[1]} and {b.shape[1]}")
    change, n = b.mean(axis=0) - a.mean(axis=0), a.shape[1]
    value, freedom = float(change.mean()), len(a) + len(b) - 2
    if not freedom:
        return Difference(value, -np.inf, np.inf)
    per_seed = 1 / len(a) + 1 / len(b)
    of_images = change.var(ddof=1) / n
    of_seeds = per_seed * _pooled_variance(a.mean(axis=1), b.mean(axis=1))
    of_answers = per_seed * _pooled_variance(a, b).mean() / n
    variance = of_images + max(of_seeds - of_answers, 0)
    if not variance:
        return Difference(value, value, value, float(value == 0))
    error = float(np.sqrt(variance))
    freedom = variance**2 / (of_images**2 / (n - 1) + of_seeds**2 / freedom)
    half_width = float(stats.t.ppf(0.975, freedom)) * error
    return Difference(value, value - half_width, value + half_width, float(2 * stats.t.sf(abs(value) / error, freedom)))


def _pooled_variance(a, b):
    """Returns the variance over the first axis (the seeds), pooled over two samples that need not be of one size."""
    squares = sum(((side - side.mean(axis=0)) ** 2).sum(axis=0) for side in (a, b))
    return squares / (len(a) + len(b) - 2)


def compare_seeds(values_a, values_b):
    """Returns mean b minus mean a, one value per seed, a `Difference` (Welch 1947).

    There is no interval below two seeds; nor where no seed differs from another of its side, as with whole numbers of
    epochs: how far other seeds lie apart is not known then.
    """
    value = float(np.mean(values_b) - np.mean(values_a))
    if min(len(values_a), len(values_b)) < 2 or not np.ptp(values_a) + np.ptp(values_b):
        return Difference(value, -np.inf, np.inf)
    # scipy warns where all seeds of one side agree; a variance of nought is what they have.
    with warnings.catch_warnings(action="ignore", category=RuntimeWarning):
        test = stats.ttest_ind(values_b, values_a, equal_var=False)
    low, high = test.confidence_interval(0.95)
    return Difference(value, float(low), float(high), float(test.pvalue))


def _deviation(values):
    return float(np.std(values, ddof=1)) if len(values) > 1 else float("nan")
