"""Holds the verdicts and the rules by which numbers get them."""

import numpy as np

VERDICTS = HOLDS, IN_PART, HIGHER, LOWER, FAILS, UNKNOWN = (
    "holds", "holds in part", "not reproduced (higher)", "not reproduced (lower)", "does not hold", "cannot be told",
)  # fmt: skip
ROUNDING = 0.01 / np.sqrt(12)  # standard deviation of a number that is given in whole percent


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


def tolerate_level(accuracy, n_seeds, deviation):
    """Returns how far a level may lie from our `Accuracy` over `n_seeds`: two standard errors of both sides.

    Ours: that of the images, and of the mean over seeds. The report's: as many images, one training, whose numbers
    deviate by `deviation` from each other, rounded. All are fractions.
    """
    of_images = (accuracy.high - accuracy.low) / 3.92
    of_seeds = np.nan_to_num(deviation) * np.sqrt(1 + 1 / n_seeds)
    return float(2 * np.sqrt(2 * of_images**2 + of_seeds**2 + ROUNDING**2))


def judge_level(mean, claimed, tolerance):
    """Judges "reaches `claimed`", from our `mean` and the `tolerance` of both sides, all fractions.

    >>> [judge_level(mean, 0.51, tolerance=0.02) for mean in (0.52, 0.54, 0.48)]
    ['holds', 'not reproduced (higher)', 'not reproduced (lower)']
    """
    if abs(mean - claimed) <= tolerance:
        return HOLDS
    return HIGHER if mean > claimed else LOWER
