"""Verdicts follow from the numbers: each is tried on runs made to give it."""

import numpy as np
import pytest

from fer_utils.evaluation.compare import Accuracy, Difference
from fer_utils.evaluation.readings import LayerReading
from fer_utils.report.claims import FAILS, HOLDS, IN_PART, UNKNOWN, VERDICTS, judge_claims, judge_gain, judge_level
from fer_utils.training.experiments import ROWS
from small_training import make_run

N = 3589


def make_runs(experiment, accuracy, accuracies=(0.5, 0.9), losses=(1.5, 1.0), seeds=3):
    """Runs with the given test accuracy, give or take; the curve of training accuracies, validation ending at 0.5."""
    runs = []
    for seed in range(seeds):
        correct = np.random.default_rng(0).random(N) < accuracy + 0.002 * seed
        history = {
            "accuracy": [value + 0.001 * seed for value in accuracies],
            "loss": [value + 0.001 * seed for value in losses],
            "val_accuracy": [0.4, 0.5],
            "val_loss": [1.5, 1.4],
        }
        runs.append(make_run(correct, experiment=experiment, seed=seed, history=history))
    return runs


def record(**changes):
    """Recorded runs in which the report is right, unless `changes` (experiment: arguments) say other."""
    right = {
        "lenet_like": {"accuracy": 0.51, "accuracies": (0.85, 0.95)},
        "lenet_like_augmented": {"accuracy": 0.53, "accuracies": (0.5, 0.6)},
        "vgg_like": {"accuracy": 0.56, "losses": (1.5, 1.2)},
        "resnet_like": {"accuracy": 0.583, "losses": (1.3, 1.0)},
    }
    return {name: make_runs(name, **{**right[name], **changes.get(name, {})}) for name in ROWS}


def verdict(statement, recorded, layers=None):
    (claim,) = [claim for claim in judge_claims(recorded, layers) if statement in claim.statement]
    return claim.verdict


def test_a_report_that_is_right_holds():
    found = judge_claims(record())
    assert {claim.verdict for claim in found if claim.section not in ("§5.4",)} == {HOLDS}


def test_without_runs_nothing_can_be_told():
    found = judge_claims({name: [] for name in ROWS})
    assert {claim.verdict for claim in found} == {UNKNOWN}
    assert {claim.measurement for claim in found} == {"no recorded run", "not measured"}
    assert {claim.section for claim in found} == {"§5.1", "Table 1", "§5.2", "§5.3", "§5.4", "§6"}


@pytest.mark.parametrize(
    ("statement", "changes", "expected"),
    [
        ("51.0 %", {"lenet_like": {"accuracy": 0.45}}, FAILS),
        ("51.0 %", {"lenet_like": {"accuracy": 0.58}}, IN_PART),
        ("80 %", {"lenet_like": {"accuracies": (0.5, 0.9, 0.9, 0.9)}}, HOLDS),
        ("80 %", {"lenet_like": {"accuracies": (0.5, 0.6, 0.7, 0.9)}}, IN_PART),
        ("80 %", {"lenet_like": {"accuracies": (0.5, 0.7)}}, FAILS),
        ("overfits", {"lenet_like": {"accuracies": (0.4, 0.5)}}, UNKNOWN),
        ("largely reduces", {"lenet_like_augmented": {"accuracies": (0.5, 0.9)}}, IN_PART),
        ("largely reduces", {"lenet_like_augmented": {"accuracies": (0.5, 0.99)}}, FAILS),
        ("largely reduces", {"lenet_like": {"seeds": 1}}, UNKNOWN),
        ("Augmentation gains", {"lenet_like_augmented": {"accuracy": 0.49}}, FAILS),
        ("3 to 4 points", {"vgg_like": {"accuracy": 0.70}}, IN_PART),
        ("Shortcuts gain", {"resnet_like": {"accuracy": 0.56}}, FAILS),
        ("Shortcuts gain", {"vgg_like": {"seeds": 1}, "resnet_like": {"seeds": 1, "accuracy": 0.7}}, UNKNOWN),
        ("converges faster", {"resnet_like": {"losses": (1.7, 1.3)}}, FAILS),
        ("converges faster", {"resnet_like": {"seeds": 1}}, UNKNOWN),
        ("Both depth", {"resnet_like": {"accuracy": 0.56}}, IN_PART),
        ("Both depth", {"vgg_like": {"accuracy": 0.45}, "resnet_like": {"accuracy": 0.40}}, FAILS),
        ("best network", {"resnet_like": {"accuracy": 0.50}}, FAILS),
    ],
)
def test_a_report_that_is_wrong_is_told_so(statement, changes, expected):
    statement = "Depth gains 3 to 4 points" if statement == "3 to 4 points" else statement
    assert verdict(statement, record(**changes)) == expected


def test_gains():
    gain = Difference(0.03, 0.02, 0.04)
    assert judge_gain(gain, 0.03) == judge_gain(gain, 0) == HOLDS
    assert judge_gain(gain, 0.05) == IN_PART, "a gain, but smaller"
    assert judge_gain(gain, 0.005, at_most=0.01) == IN_PART, "a gain, but larger"
    assert judge_gain(Difference(0.01, -0.01, 0.03), 0.02) == UNKNOWN
    assert judge_gain(Difference(0.0, -0.01, 0.01), 0.02) == FAILS
    assert judge_gain(Difference(0.1, -np.inf, np.inf), 0.02) == UNKNOWN


def test_levels_allow_for_images_and_seeds():
    images_only = Accuracy(0.53, np.nan, 0.514, 0.546)
    assert judge_level(images_only, 0.52) == HOLDS and judge_level(images_only, 0.51) == IN_PART
    assert judge_level(images_only._replace(deviation=0.01), 0.51) == HOLDS
    assert judge_level(images_only, 0.56) == FAILS


def make_layers(**changes):
    correct = np.arange(500) % 2 == 0
    pixels = LayerReading("scale", 1, 0.0, 0.96, correct)
    first = LayerReading("conv1_relu", 32, 3.0, 0.93, correct)
    last = LayerReading("conv8_relu", 256, 9.0, 0.60, np.arange(500) % 5 > 0)
    return [pixels, first._replace(**changes), last]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, [HOLDS, HOLDS, HOLDS, HOLDS]),
        ({"n_blank": 0.1}, [FAILS, HOLDS, HOLDS, HOLDS]),
        ({"r2": 0.5}, [HOLDS, FAILS, FAILS, HOLDS]),
        ({"correct": np.ones(500, bool)}, [HOLDS, HOLDS, HOLDS, FAILS]),
    ],
)
def test_claims_about_layers(changes, expected):
    found = [claim.verdict for claim in judge_claims(record(), make_layers(**changes)) if claim.section == "§5.4"]
    assert found == [*expected, UNKNOWN]


def test_every_claim_gets_one_of_the_verdicts():
    assert {claim.verdict for claim in judge_claims(record())} <= set(VERDICTS)
