"""Calibration, temperature and rare classes: small cases computed by hand."""

import numpy as np
import pytest
from scipy.special import softmax

from fer_utils.evaluation import calibration


def make_answers(confidence, n_right, n=20):
    """(probabilities, labels) of `n` answers of one confidence, `n_right` of them right."""
    probabilities = np.zeros((n, 7))
    probabilities[:, :2] = confidence, 1 - confidence
    return probabilities, np.where(np.arange(n) < n_right, 0, 1)


def test_a_calibrated_network_has_no_error():
    parts = [make_answers(0.55, 11), make_answers(0.75, 15), make_answers(0.95, 19)]
    probabilities, labels = (np.concatenate(each) for each in zip(*parts, strict=True))
    reliability = calibration.measure_reliability(probabilities, labels)
    assert reliability.counts.tolist() == [0, 0, 0, 0, 0, 20, 0, 20, 0, 20]
    assert calibration.calibration_error(reliability) == pytest.approx(0, abs=1e-12)
    assert np.isnan(reliability.accuracy[0])


def test_calibration_error_weighs_bins_by_their_answers():
    parts = [make_answers(0.95, 15, n=20), make_answers(0.65, 33, n=60)]  # 20 points too sure, 10 points too sure
    probabilities, labels = (np.concatenate(each) for each in zip(*parts, strict=True))
    error = calibration.calibration_error(calibration.measure_reliability(probabilities, labels))
    assert error == pytest.approx((20 * 0.2 + 60 * 0.1) / 80)


def test_confidence_1_belongs_to_the_last_bin():
    assert calibration.measure_reliability(np.eye(7), np.arange(7)).counts.tolist() == [0] * 9 + [7]


def test_chance_alone_makes_an_error_that_more_answers_shrink():
    few, many = (calibration.calibration_floor(make_answers(0.75, 0, n)[0]) for n in (20, 2000))
    assert 0.05 < few < 0.12 and many < few / 5


def test_temperature_of_scores_times_three_is_three():
    random = np.random.default_rng(0)
    scores = 1.5 * random.normal(size=(4000, 7))
    labels = (softmax(scores, axis=1).cumsum(axis=1) > random.random((4000, 1))).argmax(axis=1)
    too_sure = softmax(3 * scores, axis=1)
    temperature = calibration.fit_temperature(too_sure, labels)
    assert temperature == pytest.approx(3, rel=0.05)
    cooled = calibration.apply_temperature(too_sure, temperature)
    np.testing.assert_allclose(cooled.sum(axis=1), 1)
    assert calibration.measure_loss(cooled, labels) < calibration.measure_loss(too_sure, labels)
    assert np.array_equal(cooled.argmax(axis=1), too_sure.argmax(axis=1))


def test_temperature_1_changes_nothing_and_no_probability_is_lost():
    probabilities = softmax(np.random.default_rng(0).normal(size=(50, 7)), axis=1)
    np.testing.assert_allclose(calibration.apply_temperature(probabilities, 1), probabilities)
    assert np.isfinite(calibration.measure_loss(np.eye(7), np.roll(np.arange(7), 1)))


# --- rare classes ---


def test_strength_0_changes_nothing_and_1_divides_by_the_shares():
    probabilities = np.array([[0.6, 0.4], [0.9, 0.1]])
    np.testing.assert_allclose(calibration.shift_priors(probabilities, [0.8, 0.2], 0), probabilities)
    shifted = calibration.shift_priors(probabilities, [0.8, 0.2], 1)
    np.testing.assert_allclose(shifted, [[0.75 / 2.75, 2 / 2.75], [1.125 / 1.625, 0.5 / 1.625]])


def test_trade_off_by_hand():
    """Nine faces of class 0 at 80 % and one of class 1 that is called 0 at 60 %: a shift finds it, and loses none."""
    probabilities = np.zeros((10, 7))
    probabilities[:, :2] = [[0.8, 0.2]] * 8 + [[0.55, 0.45]] + [[0.6, 0.4]]
    labels = np.array([0] * 9 + [1])
    priors = np.array([0.6, 0.4, 1, 1, 1, 1, 1])
    curve = calibration.measure_trade_off(probabilities, labels, priors, (0, 1.1, 9))
    np.testing.assert_allclose(curve.accuracy, [0.9, 0.9, 0.1])
    np.testing.assert_allclose(curve.mean_recall, [0.5, (8 / 9 + 1) / 2, 0.5])


def test_shares_and_recalls():
    assert calibration.measure_shares(np.array([0, 0, 6])).tolist() == pytest.approx([2 / 3, 0, 0, 0, 0, 0, 1 / 3])
    recalls = calibration.measure_recalls([0, 0, 6], [0, 1, 6])
    assert (recalls[0], recalls[6]) == (0.5, 1) and np.isnan(recalls[1:6]).all()
