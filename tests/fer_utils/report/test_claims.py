"""Verdicts follow from the numbers: each is tried on runs made to give it."""

import numpy as np
import pytest

from fer_utils.evaluation.compare import Accuracy, Difference
from fer_utils.report.claims import judge_claims, tabulate_claims
from fer_utils.report.verdicts import (
    FAILS,
    HIGHER,
    HOLDS,
    IN_PART,
    LOWER,
    UNKNOWN,
    VERDICTS,
    judge_gain,
    judge_level,
    tolerate_level,
)
from fer_utils.training.experiments import REPORT_ROWS, ROWS
from small_training import make_run

N = 3589


def make_runs(experiment, accuracy, accuracies=(0.5, 0.9), losses=(1.5, 1.0), validation=(0.4, 0.5), seeds=3):
    """Runs with the given test accuracy, give or take, and these curves of training and validation."""
    runs = []
    for seed in range(seeds):
        correct = np.random.default_rng(0).random(N) < accuracy + 0.002 * seed
        history = {
            "accuracy": [value + 0.001 * seed for value in accuracies],
            "loss": [value + 0.001 * seed for value in losses],
            "val_accuracy": [value + 0.002 * seed for value in validation],
            "val_loss": [1.5, 1.4],
        }
        confusion = np.diag([round(3589 * history["val_accuracy"][-1]), 0, 0, 0, 0, 0, 0])
        confusion[0, 1] = 3589 - confusion.sum()
        facts = {"history": history, "validation_confusion": confusion}
        runs.append(make_run(correct, experiment=experiment, seed=seed, **facts))
    return runs


def record(**changes):
    """Recorded runs in which the report is right, unless `changes` (experiment: arguments) say other."""
    right = {
        "lenet_like": {"accuracy": 0.51, "accuracies": (0.85, 0.95)},
        "lenet_like_augmented": {"accuracy": 0.53, "accuracies": (0.5, 0.6)},
        "vgg_like": {"accuracy": 0.56, "losses": (1.5, 1.2), "validation": (0.3, 0.45, 0.499, 0.535)},
        "resnet_like": {"accuracy": 0.583, "losses": (1.3, 1.0), "validation": (0.499, 0.51, 0.535)},
    }
    return {name: make_runs(name, **{**right[name], **changes.get(name, {})}) for name in ROWS}


def verdict(statement, recorded, layers=None):
    (claim,) = [claim for claim in judge_claims(recorded, layers=layers) if statement in claim.statement]
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
        ("51.0 %", {"lenet_like": {"accuracy": 0.45}}, LOWER),
        ("51.0 %", {"lenet_like": {"accuracy": 0.58}}, HIGHER),
        ("80 %", {"lenet_like": {"accuracies": (0.5, 0.9, 0.9, 0.9)}}, HOLDS),
        ("80 %", {"lenet_like": {"accuracies": (0.5, 0.6, 0.7, 0.9)}}, IN_PART),
        ("80 %", {"lenet_like": {"accuracies": (0.5, 0.7)}}, FAILS),
        ("overfits", {"lenet_like": {"accuracies": (0.4, 0.5)}}, UNKNOWN),
        ("largely reduces", {"lenet_like_augmented": {"accuracies": (0.5, 0.9)}}, IN_PART),
        ("largely reduces", {"lenet_like_augmented": {"accuracies": (0.5, 0.99)}}, FAILS),
        ("largely reduces", {"lenet_like": {"seeds": 1}}, UNKNOWN),
        ("Augmentation gains", {"lenet_like_augmented": {"accuracy": 0.49}}, FAILS),
        ("3 to 4 points", {"vgg_like": {"validation": (0.5, 0.7)}}, IN_PART),
        ("3 to 4 points", {"vgg_like": {"seeds": 1}}, UNKNOWN),
        ("Shortcuts gain", {"resnet_like": {"accuracy": 0.56}}, FAILS),
        ("Shortcuts gain", {"vgg_like": {"seeds": 1}, "resnet_like": {"seeds": 1, "accuracy": 0.7}}, UNKNOWN),
        ("Shortcuts gain", {"vgg_like": {"seeds": 1}, "resnet_like": {"accuracy": 0.7}}, UNKNOWN),
        ("converges faster", {"resnet_like": {"validation": (0.3, 0.4, 0.45, 0.46, 0.47, 0.51)}}, FAILS),
        ("converges faster", {"resnet_like": {"validation": (0.3, 0.4)}}, UNKNOWN),
        # Every seed needs three epochs, or two: how far other seeds lie apart is not known.
        (
            "converges faster",
            {"vgg_like": {"validation": (0.3, 0.4, 0.54)}, "resnet_like": {"validation": (0.3, 0.54)}},
            UNKNOWN,
        ),
        ("plain network reaches", {"lenet_like": {"seeds": 1}}, UNKNOWN),
        ("overfits", {"lenet_like": {"seeds": 1}}, UNKNOWN),
        ("the training loss", {"resnet_like": {"losses": (1.7, 1.3)}}, FAILS),
        ("converges faster", {"resnet_like": {"seeds": 1}}, UNKNOWN),
        ("Both depth", {"resnet_like": {"accuracy": 0.56}}, IN_PART),
        ("Both depth", {"vgg_like": {"accuracy": 0.45}, "resnet_like": {"accuracy": 0.40}}, FAILS),
        ("Both depth", {"resnet_like": {"seeds": 1, "accuracy": 0.7}}, UNKNOWN),
        ("best network", {"vgg_like": {"accuracy": 0.50}, "resnet_like": {"accuracy": 0.50}}, LOWER),
        ("best network", {"vgg_like": {"accuracy": 0.66}}, HIGHER),
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


def test_levels_allow_for_images_and_single_trainings_on_both_sides():
    ours = Accuracy(0.53, np.nan, 0.514, 0.546)
    narrow, wide = tolerate_level(ours, 1, np.nan), tolerate_level(ours, 3, 0.015)
    assert judge_level(ours.mean, 0.51, narrow) == HOLDS, "two standard errors of two sets of 3,589 images"
    assert judge_level(ours.mean, 0.50, narrow) == HIGHER and judge_level(ours.mean, 0.56, narrow) == LOWER
    assert judge_level(ours.mean, 0.50, wide) == HOLDS, "one training might have come out elsewhere"


def test_a_gain_that_copies_hide_is_seen_without_them():
    hidden = np.random.default_rng(1).permutation(N)[:300]
    recorded = record()
    for run in recorded["lenet_like"]:  # it has memorised the copies
        run.test_correct[hidden] = True
    for run in recorded["lenet_like_augmented"]:
        run.test_correct[hidden] = np.arange(300) < 200
    found = judge_claims(recorded, copies=hidden)
    place = next(place for place, claim in enumerate(found) if claim.statement.startswith("Augmentation gains"))
    assert found[place].verdict != HOLDS and not found[place].second_look
    assert found[place + 1].verdict == HOLDS and found[place + 1].second_look
    assert "without the 300 test images" in found[place + 1].statement
    assert len(found) == len(judge_claims(recorded)) + 3


def test_two_recipes_stand_side_by_side_and_it_is_said_under_which_a_claim_holds():
    course = record(lenet_like={"accuracy": 0.60}, resnet_like={"accuracy": 0.56})
    report_like = dict(zip(REPORT_ROWS, record(resnet_like={"accuracy": 0.56}).values(), strict=True))
    by_recipe = {
        "report-like": judge_claims(report_like, rows=REPORT_ROWS),
        "the course's": judge_claims(course),
    }
    table = tabulate_claims(by_recipe).set_index("claim")
    holds = table["holds under"]
    assert holds["The plain network reaches 51.0 % on the test set"] == "report-like"
    assert holds["It overfits significantly"] == "both"
    assert holds["Shortcuts gain more than 2 points"] == "neither"
    assert table.loc["The plain network reaches 51.0 % on the test set", "the course's: verdict"] == HIGHER
    assert "… judged by the training loss" in table.index


def make_layers(n_blank=3.0, r2=0.93, class_gain=(0.3, 0.27, 0.33, 1e-9)):
    readings = [("scale", 1, 0.0, 0.96), ("conv1_relu", 32, n_blank, r2), ("conv8_relu", 256, 9.0, 0.60)]
    names = ("name", "n_maps", "n_blank", "r2")
    return {"layers": [dict(zip(names, values, strict=True)) for values in readings], "class_gain": class_gain}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, [HOLDS, HOLDS, HOLDS, HOLDS]),
        ({"n_blank": 0.1}, [FAILS, HOLDS, HOLDS, HOLDS]),
        ({"r2": 0.5}, [HOLDS, FAILS, FAILS, HOLDS]),
        ({"class_gain": (-0.1, -0.12, -0.08, 1e-9)}, [HOLDS, HOLDS, HOLDS, FAILS]),
    ],
)
def test_claims_about_layers(changes, expected):
    found = [
        claim.verdict for claim in judge_claims(record(), layers=make_layers(**changes)) if claim.section == "§5.4"
    ]
    assert found == [*expected, UNKNOWN]


def test_every_claim_gets_one_of_the_verdicts():
    assert {claim.verdict for claim in judge_claims(record())} <= set(VERDICTS)
