"""Intervals and tests against values worked out by hand, scipy, or printed in the papers."""

import doctest
import math

import numpy as np
import pytest
from scipy import stats

from fer_utils.evaluation import compare
from fer_utils.evaluation.compare import (
    accuracy_at,
    compare_on_different_images,
    compare_on_same_images,
    compare_over_seeds,
    confusion_matrix,
    wilson_interval,
)


def pairs(both, only_a, only_b, neither):
    """(correct_a, correct_b) of a table of paired results."""
    correct_a = [True] * (both + only_a) + [False] * (only_b + neither)
    correct_b = [True] * both + [False] * only_a + [True] * only_b + [False] * neither
    return np.array(correct_a), np.array(correct_b)


def test_examples_in_docstrings_hold():
    results = doctest.testmod(compare)
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


@pytest.mark.parametrize("n", [1000, 13])
def test_interval_and_p_value_never_contradict_each_other(n):
    for gained in range(13):
        for lost in range(13 - gained):
            difference = compare_on_same_images(*pairs(both=0, only_a=lost, only_b=gained, neither=n - gained - lost))
            assert difference.clear == (difference.p_value < 0.05), (gained, lost)
            assert -1 <= difference.low < difference.value < difference.high <= 1 or n == gained


@pytest.mark.parametrize("apart", [*range(13, 200), 650, 2000])
def test_neither_do_they_where_the_p_value_comes_to_five_percent(apart):
    expected = int(stats.binom.isf(0.025, apart, 0.5))
    for gained in range(expected - 1, expected + 4):
        difference = compare_on_same_images(*pairs(0, apart - gained, gained, 10_000))
        assert difference.clear == (difference.p_value < 0.05), (gained, apart)


def test_four_of_four_are_too_few_to_tell():
    difference = compare_on_same_images(*pairs(both=600, only_a=0, only_b=4, neither=396))
    assert difference.p_value == pytest.approx(0.125) and not difference.clear


def test_paired_interval_is_the_exact_one_where_the_two_differ_little():
    # 17 gained, 16 lost: the bounds of the share gained are quantiles of beta distributions (Clopper and Pearson 1934).
    difference = compare_on_same_images(*pairs(both=600, only_a=16, only_b=17, neither=367))
    low, high = ((2 * stats.beta.ppf(*beta) - 1) * 0.033 for beta in ((0.025, 17, 17), (0.975, 18, 16)))
    assert (difference.low, difference.high) == pytest.approx((low, high))


def test_paired_interval_is_bonett_s_and_price_s_where_they_differ_much():
    # With an image added to either side: 61 gained, 4 lost of 1,002.
    difference = compare_on_same_images(*pairs(both=600, only_a=3, only_b=60, neither=337))
    error = math.sqrt((65 / 1002 - (57 / 1002) ** 2) / 1002)
    assert difference.high == pytest.approx(57 / 1002 + stats.norm.ppf(0.975) * error)


@pytest.mark.parametrize("chances", [(0.005, 0.0), (0.01, 0.01), (0.06, 0.005), (0.3, 0.02)])
def test_paired_interval_holds_the_difference_as_often_as_it_says(chances):
    n, gain, loss = 1000, *chances
    draws = np.random.default_rng(0).multinomial(n, [gain, loss, 1 - gain - loss], 200)
    found = [compare_on_same_images(*pairs(0, lost, gained, neither)) for gained, lost, neither in draws]
    assert np.mean([difference.low <= gain - loss <= difference.high for difference in found]) >= 0.9


def test_paired_comparison_is_antisymmetric():
    correct_a, correct_b = pairs(both=60, only_a=2, only_b=8, neither=30)
    there, back = compare_on_same_images(correct_a, correct_b), compare_on_same_images(correct_b, correct_a)
    assert (back.value, back.low, back.high) == pytest.approx((-there.value, -there.high, -there.low))
    assert back.p_value == pytest.approx(there.p_value)


def test_equal_results_differ_by_nothing():
    correct, _ = pairs(both=6, only_a=2, only_b=0, neither=2)
    difference = compare_on_same_images(correct, correct)
    assert (difference.value, difference.p_value, difference.clear) == (0, 1, False)
    assert difference.low == -difference.high < -0.1, "ten images cannot rule out a difference of ten points"


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


N_TEST = 3589


def draw_answers(random, seeds, gain=0.0, deviation=0.006):
    """Right answers of two recipes, a list of two bool (seeds, N_TEST), that agree as real networks' answers do.

    A normal number for each image, for each image and recipe, and for each answer; right is what lies above zero. The
    recorded runs on FER2013 are right on 57 to 65 % of the test images; two seeds of one recipe correlate by 0.69
    (median), two recipes by 0.61. `deviation` is that of the seeds' accuracies, of which chance in single answers makes
    0.0046 already.
    """
    of_image, of_recipe, of_answer = math.sqrt(0.82), math.sqrt(0.06), math.sqrt(0.12)
    common, threshold = of_image * random.standard_normal(N_TEST, np.float32), stats.norm.ppf(0.6)
    per_point, of_seeds = 1 / stats.norm.pdf(threshold), math.sqrt(max(deviation**2 - 0.0046**2, 0))
    answers = []
    for n_seeds, lead in zip(seeds, (0, gain), strict=True):
        scores = of_answer * random.standard_normal((n_seeds, N_TEST), np.float32)
        scores += common + of_recipe * random.standard_normal(N_TEST, np.float32)
        moved = threshold + per_point * (lead + of_seeds * random.standard_normal((n_seeds, 1)))
        answers.append(scores > -moved.astype(np.float32))
    return answers


def compare_often(seeds, n_draws=1000, **options):
    random = np.random.default_rng(0)
    return [compare_over_seeds(*draw_answers(random, seeds, **options)) for _ in range(n_draws)]


def test_drawn_answers_agree_as_recorded_ones_do():
    random = np.random.default_rng(0)
    drawn = [draw_answers(random, (2, 1)) for _ in range(50)]
    within, between = (
        np.mean([np.corrcoef(a[0], other)[0, 1] for a, other in pairs_of_seeds])
        for pairs_of_seeds in ([(a, a[1]) for a, _ in drawn], [(a, b[0]) for a, b in drawn])
    )
    accuracies = np.array([a.mean(axis=1) for a, _ in drawn])
    assert within == pytest.approx(0.69, abs=0.02) and between == pytest.approx(0.61, abs=0.02)
    assert np.diff(accuracies).std() / math.sqrt(2) == pytest.approx(0.006, abs=0.0015)


@pytest.mark.parametrize("seeds", [(1, 3), (3, 3)])
def test_seeds_alone_seldom_make_a_difference(seeds):
    found = compare_often(seeds)
    assert all(difference.clear == (difference.p_value < 0.05) for difference in found)
    assert np.mean([difference.clear for difference in found]) <= 0.06


def test_a_gain_of_a_point_and_a_half_is_often_found_with_three_seeds_each():
    found = compare_often((3, 3), n_draws=300, gain=0.015)
    assert np.mean([difference.low > 0 for difference in found]) > 0.5
    assert np.mean([difference.low <= 0.015 <= difference.high for difference in found]) >= 0.93


def test_a_side_with_one_seed_takes_the_other_side_s_variance():
    images = np.arange(N_TEST)
    one, three = images[np.newaxis] < 2200, np.array([images < n for n in (2100, 2150, 2200)])
    assert compare_over_seeds(three, three[2:]).value > 0 and not compare_over_seeds(three, one).clear
    assert compare_over_seeds(three, one)[1:3] == pytest.approx([-x for x in compare_over_seeds(one, three)[2:0:-1]])


def test_variance_over_seeds_worked_out_by_hand():
    a = np.array([[1, 1, 0, 0], [1, 1, 1, 1]], bool)
    b = np.array([[1, 0, 0, 0]], bool)
    # Images: the changes 0, -1, -1/2, -1/2 have a variance of 1/6. Seeds: accuracies 1/2 and 1 have one of 1/8, with
    # one degree of freedom; the third and fourth image's answers change, with a variance of 1/2 each, 1/4 on average.
    of_images, of_seeds, of_answers = 1 / 6 / 4, 3 / 2 / 8, 3 / 2 / 4 / 4
    variance = of_images + of_seeds - of_answers
    freedom = variance**2 / (of_images**2 / 3 + of_seeds**2)
    difference = compare_over_seeds(a, b)
    assert difference.value == pytest.approx(-0.5)
    assert difference.high - difference.value == pytest.approx(stats.t.ppf(0.975, freedom) * math.sqrt(variance))
    assert difference.p_value == pytest.approx(2 * stats.t.sf(0.5 / math.sqrt(variance), freedom))


def test_one_seed_each_says_nothing_about_other_seeds():
    correct = np.arange(1000) % 2 == 0
    difference = compare_over_seeds([correct], [np.ones(1000, bool)])
    assert difference.value == pytest.approx(0.5) and not difference.clear and math.isnan(difference.p_value)
    assert difference.in_points() == "+50.0 points (too few seeds for an interval)"


def test_answers_that_never_change_differ_by_nothing():
    correct = np.tile(np.arange(100) < 60, (3, 1))
    assert compare_over_seeds(correct, correct) == (0, 0, 0, 1)


def test_comparison_over_seeds_wants_the_same_images():
    with pytest.raises(ValueError, match="same images on both sides, found 5 and 4"):
        compare_over_seeds(np.ones((2, 5)), np.ones((2, 4)))


def test_accuracy_at_a_confidence_is_that_of_the_nearest_answers():
    confidence = np.linspace(0.2, 1, 801)
    probabilities = np.stack([confidence, *[np.zeros(801)] * 6], axis=1).astype(np.float16)
    correct = np.arange(801) < 400
    assert accuracy_at(0.3, probabilities, correct) == 1
    assert accuracy_at(1.0, probabilities, correct) == 0
    assert abs(accuracy_at(0.6, probabilities, correct) - 0.5) < 0.01
    assert accuracy_at(0.6, probabilities[:4], correct[:4]) == 1, "fewer answers than asked for: all of them"


@pytest.mark.filterwarnings("error")
def test_seeds_that_agree_on_one_side_are_compared_without_a_warning():
    found = compare.compare_seeds([4.0, 4.0, 4.0], [5.0, 6.0, 7.0])
    # Welch with a variance of nought: that of the other side alone, two degrees of freedom.
    half_width = 4.302653 / np.sqrt(3)
    assert (found.value, found.low, found.high) == pytest.approx((2, 2 - half_width, 2 + half_width), rel=1e-5)
