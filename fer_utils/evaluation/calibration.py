"""Measures whether a network knows when it errs: confidence against accuracy, temperature, and shifted class priors."""

from typing import NamedTuple

import numpy as np
from scipy import optimize

from fer_utils.data import CLASS_NAMES
from fer_utils.evaluation.compare import confusion_matrix

N_BINS = 10  # of confidence
N_DRAWS = 200  # of answers by chance
# Of the shift of priors, from none to one and a half times the full one.
STRENGTHS = tuple(np.round(np.arange(0, 1.55, 0.1), 1).tolist())


class Reliability(NamedTuple):
    """By bins of confidence: how many answers, their mean confidence, their share right (both NaN in an empty bin)."""

    counts: np.ndarray
    confidence: np.ndarray
    accuracy: np.ndarray


def measure_reliability(probabilities, labels):
    """Measures the `Reliability` of probabilities (N, classes): `N_BINS` bins of equal width over the highest one."""
    probabilities = np.asarray(probabilities, float)
    return _sort_into_bins(probabilities.max(axis=1), probabilities.argmax(axis=1) == labels)


def _sort_into_bins(confidence, correct):
    bins = np.minimum((confidence * N_BINS).astype(int), N_BINS - 1)
    counts, sure, right = (np.bincount(bins, weights, N_BINS) for weights in (None, confidence, correct))
    with np.errstate(invalid="ignore"):
        return Reliability(counts, sure / counts, right / counts)


def calibration_error(reliability):
    """Returns the expected calibration error (Guo et al. 2017): the mean distance of confidence and accuracy."""
    distances = np.nan_to_num(np.abs(reliability.confidence - reliability.accuracy))
    return float(np.sum(reliability.counts * distances) / np.sum(reliability.counts))


def calibration_floor(probabilities):
    """Returns the calibration error that as many answers show by chance if each is right as often as it says."""
    confidence = np.asarray(probabilities, float).max(axis=1)
    draws = np.random.default_rng(0).random((N_DRAWS, len(confidence)))
    return float(np.mean([calibration_error(_sort_into_bins(confidence, draw < confidence)) for draw in draws]))


def measure_loss(probabilities, labels):
    """Returns the mean negative log-likelihood of `labels` int (N,); a probability of 0 counts as 1e-7."""
    chosen = np.asarray(probabilities, float)[np.arange(len(labels)), labels]
    return float(-np.log(np.maximum(chosen, 1e-7)).mean())


def apply_temperature(probabilities, temperature):
    """Returns probabilities (N, classes) as if the scores before the softmax had been divided by `temperature`."""
    scores = np.log(np.maximum(np.asarray(probabilities, float), 1e-7)) / temperature
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def fit_temperature(probabilities, labels):
    """Returns the temperature (Guo et al. 2017), from 0.05 to 20, at which the negative log-likelihood is least."""
    found = optimize.minimize_scalar(
        lambda log: measure_loss(apply_temperature(probabilities, np.exp(log)), labels),
        bounds=np.log([0.05, 20]),
        method="bounded",
    )
    return float(np.exp(found.x))


def measure_shares(labels):
    """Returns the share of each class among `labels`, float (7,)."""
    return np.bincount(labels, minlength=len(CLASS_NAMES)) / len(labels)


def shift_priors(probabilities, priors, strength):
    """Returns probabilities divided by `priors` to the power `strength`: logit adjustment (Menon et al. 2021).

    `priors` (classes,) are the classes' shares in training. Strength 0 changes nothing; at 1 the classes count as if
    they had been equally frequent.
    """
    shifted = np.asarray(probabilities, float) * np.asarray(priors, float) ** -strength
    return shifted / shifted.sum(axis=1, keepdims=True)


def measure_recalls(labels, predictions):
    """Returns the share found of each class, float (7,); NaN for a class without faces."""
    counts = confusion_matrix(labels, predictions)
    with np.errstate(invalid="ignore"):
        return counts.diagonal() / counts.sum(axis=1)


class TradeOff(NamedTuple):
    """Accuracy and mean of the classes' recalls, a value per strength."""

    strengths: tuple
    accuracy: np.ndarray
    mean_recall: np.ndarray


def measure_trade_off(probabilities, labels, priors, strengths=STRENGTHS):
    """Measures the `TradeOff` of `shift_priors` at each of `strengths`."""
    answers = [shift_priors(probabilities, priors, strength).argmax(axis=1) for strength in strengths]
    recalls = [np.nanmean(measure_recalls(labels, given)) for given in answers]
    return TradeOff(strengths, np.array([np.mean(given == labels) for given in answers]), np.array(recalls))
