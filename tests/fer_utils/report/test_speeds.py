"""What the measured speeds say of recipes, races and families, and the recorded benchmark."""

import math

import numpy as np
import pytest

from fer_utils.report import speeds
from fer_utils.report.recorded import load_recorded
from fer_utils.report.speeds import MARKS, Row
from fer_utils.training.experiments import EXPERIMENTS, find_recipe
from small_records import measured
from small_training import make_run


def test_the_race_is_the_recorded_accuracy_over_measured_seconds():
    histories = ([0.3, 0.5, 0.56, 0.6], [0.5, 0.5, 0.54, 0.62])
    runs = [make_run(experiment="fast", history={"val_accuracy": values}) for values in histories]
    answer = measured(fast=40.0, vgg_like=100.0)
    seconds, accuracies = speeds.race_curves(answer, {"fast": runs, "vgg_like": []})["fast"]
    np.testing.assert_allclose(seconds, [10, 20, 30, 40])
    np.testing.assert_allclose(accuracies, [0.4, 0.5, 0.55, 0.61])
    found = speeds.seconds_to_marks(answer, {"fast": runs, "vgg_like": []})
    assert found == {"fast": dict(zip(MARKS, (20, 30, 40, 40, math.inf), strict=True))}


def test_shares_of_the_ceiling_come_from_the_table():
    answer = measured(fast=40.0)
    answer["rows"].append(Row("training", f"vgg_like, float32{speeds.SHARE_ENDING}", 71.5, "%"))
    assert speeds.shares_of_ceiling(answer) == {"vgg_like, float32": pytest.approx(0.715)}


def test_families_take_the_seconds_of_their_recipe_at_the_measured_speed():
    answer = measured(fast=40.0)
    assert speeds.seconds_of_families(answer) == speeds.seconds_of_families(None) == {}
    answer["rows"].append(Row("families", f"equal_vgg{speeds.TRAINING_ENDING}", 1000.0, "images/s"))
    epochs = find_recipe(EXPERIMENTS["equal_vgg"], "full").epochs
    assert speeds.seconds_of_families(answer) == {"equal_vgg": pytest.approx(epochs * 28.709)}
    assert set(speeds.seconds_of_recipes(answer)) == {"fast"}


def test_the_recorded_benchmark_keeps_the_promise_of_fast():
    answer = speeds.load_benchmark()
    assert answer and not answer["quick"] and not answer["commit"].endswith("+")
    seconds = speeds.seconds_of_recipes(answer)
    assert set(seconds) == set(speeds.RACERS)
    assert seconds["fast"] <= seconds["resnet_like"] / 20
    runs = load_recorded("fast")["fast"]
    assert len(runs) >= 3 and np.mean([run.test_accuracy for run in runs]) >= 0.58
    assert find_recipe(EXPERIMENTS["fast"], "full").epochs < find_recipe(EXPERIMENTS["resnet_like"], "full").epochs
