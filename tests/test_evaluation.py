"""Intervals and tests against values worked out by hand, scipy, or printed in the papers."""

import doctest
import math

import numpy as np
import pytest
from scipy import stats

from fer_utils import evaluation
from fer_utils.evaluation import compare_on_different_images, compare_on_same_images, confusion_matrix, wilson_interval


def pairs(both, only_a, only_b, neither):
    """(correct_a, correct_b) of a table of paired results."""
    correct_a = [True] * (both + only_a) + [False] * (only_b + neither)
    correct_b = [True] * both + [False] * only_a + [True] * only_b + [False] * neither
    return np.array(correct_a), np.array(correct_b)


def test_examples_in_docstrings_hold():
    results = doctest.testmod(evaluation)
    assert results.attempted >= 4 and results.failed == 0


@pytest.mark.parametrize(("n_correct", "n_total"), [(0, 10), (7, 10), (10, 10), (2513, 3589)])
def test_wilson_interval_is_wilson_s_formula(n_correct, n_total):
    z, p = stats.norm.ppf(0.975), n_correct / n_total
    centre = (p + z**2 / (2 * n_total)) / (1 + z**2 / n_total)
    half = z * math.sqrt(p * (1 - p) / n_total + z**2 / (4 * n_total**2)) / (1 + z**2 / n_total)
    assert wilson_interval(n_correct, n_total) == pytest.approx((centre - half, centre + half), abs=1e-12)


def test_wilson_interval_is_symmetric_and_widens_with_confidence():
    low, high = wilson_interval(30, 100)
    assert wilson_interval(70, 100) == pytest.approx((1 - high, 1 - low))
    wide_low, wide_high = wilson_interval(30, 100, confidence=0.99)
    assert wide_low < low < 0.3 < high < wide_high


def test_confusion_matrix_counts_rows_true_columns_predicted():
    matrix = confusion_matrix([0, 0, 6, 3], [0, 1, 6, 4])
    expected = np.zeros((7, 7), int)
    expected[0, 0] = expected[0, 1] = expected[6, 6] = expected[3, 4] = 1
    np.testing.assert_array_equal(matrix, expected)


def test_confusion_matrix_is_7_by_7_whatever_classes_occur():
    assert confusion_matrix([3], [3]).shape == (7, 7)


def test_mcnemar_counts_only_images_on_which_they_differ():
    # 2 against 8 of 10 discordant images, two-sided: 2 * (1 + 10 + 45) / 2**10
    difference = compare_on_same_images(*pairs(both=60, only_a=2, only_b=8, neither=30))
    assert difference.p_value == pytest.approx(2 * 56 / 1024)
    assert difference.value == pytest.approx(0.06)
    more = compare_on_same_images(*pairs(both=600, only_a=2, only_b=8, neither=300))
    assert more.p_value == pytest.approx(difference.p_value)


def test_paired_interval_is_the_normal_one():
    n, only_a, only_b = 100, 2, 8
    difference = compare_on_same_images(*pairs(both=60, only_a=only_a, only_b=only_b, neither=30))
    error = math.sqrt(only_a + only_b - (only_b - only_a) ** 2 / n) / n
    assert difference.low == pytest.approx(0.06 - 1.96 * error)
    assert difference.high == pytest.approx(0.06 + 1.96 * error)


def test_paired_comparison_is_antisymmetric():
    correct_a, correct_b = pairs(both=60, only_a=2, only_b=8, neither=30)
    there, back = compare_on_same_images(correct_a, correct_b), compare_on_same_images(correct_b, correct_a)
    assert (back.value, back.low, back.high) == pytest.approx((-there.value, -there.high, -there.low))
    assert back.p_value == pytest.approx(there.p_value)


def test_equal_results_differ_by_nothing():
    correct, _ = pairs(both=6, only_a=2, only_b=0, neither=2)
    assert compare_on_same_images(correct, correct) == pytest.approx((0, 0, 0, 1))


@pytest.mark.parametrize(
    ("correct_a", "correct_b"),
    [([], []), (True, False), ([[True]], [[True]]), ([True] * 5, [True]), ([True] * 5, [True] * 4)],
)
def test_paired_comparison_wants_one_value_per_image(correct_a, correct_b):
    with pytest.raises(ValueError, match="one value per image, found arrays of shape"):
        compare_on_same_images(correct_a, correct_b)


def test_unpaired_interval_is_newcombe_s_own_example():
    # Newcombe 1998, table II, method 10, comparison (a): 56/70 against 48/80.
    difference = compare_on_different_images(48 / 80, 80, 56 / 70, 70)
    assert difference.value == pytest.approx(0.2)
    assert (difference.low, difference.high) == pytest.approx((0.0524, 0.3339), abs=5e-5)
    assert math.isnan(difference.p_value)


def test_unpaired_comparison_is_antisymmetric():
    there = compare_on_different_images(0.6, 80, 0.8, 70)
    back = compare_on_different_images(0.8, 70, 0.6, 80)
    assert back[:3] == pytest.approx((-there.value, -there.high, -there.low))


def test_accuracy_at_a_confidence_is_that_of_the_nearest_answers():
    confidence = np.linspace(0.2, 1, 801)
    probabilities = np.stack([confidence, *[np.zeros(801)] * 6], axis=1).astype(np.float16)
    correct = np.arange(801) < 400
    assert evaluation.accuracy_at(0.3, probabilities, correct) == 1
    assert evaluation.accuracy_at(1.0, probabilities, correct) == 0
    assert abs(evaluation.accuracy_at(0.6, probabilities, correct) - 0.5) < 0.01
    assert evaluation.accuracy_at(0.6, probabilities[:4], correct[:4]) == 1, "fewer answers than asked for: all of them"
