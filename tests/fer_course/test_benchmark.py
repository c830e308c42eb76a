"""The benchmark: what it compares does the same work, its sums are right, and its table can be read. No timed test."""

import dataclasses
import itertools
import math

import numpy as np
import pytest

from fer_course import benchmark as benchmarks
from fer_course import benchmark_training
from fer_course.notebooks import Outcome
from fer_utils.data.formats import read_fer2013
from fer_utils.environment import PROJECT
from fer_utils.evaluation import timing
from fer_utils.report import speeds
from fer_utils.report.recorded import load_recorded
from fer_utils.report.speeds import MARKS, Row
from fer_utils.training.experiments import EQUAL_ROWS, EXPERIMENTS, find_recipe
from small_training import make_faces, make_run


def test_all_ways_of_reading_give_the_same_pixels(tmp_path):
    faces, path = make_faces(), tmp_path / "fer2013.csv"
    assert benchmarks.write_csv(faces, path) == 96 + 42 + 35
    found = read_fer2013(path)
    expected = np.concatenate([split.images[..., 0] for split in (faces.train, faces.validation, faces.test)])
    np.testing.assert_array_equal(found.pixels, expected)
    np.testing.assert_array_equal(benchmarks.read_row_by_row(path), expected)
    np.testing.assert_array_equal(benchmarks.read_with_csv_module(path), expected)
    assert benchmarks.write_csv(faces, path, every=10) == 10 + 5 + 4
    np.testing.assert_array_equal(benchmarks.read_row_by_row(path)[:10], expected[:96:10])


@pytest.fixture
def clock(monkeypatch):
    """A clock on which each action takes what it says."""
    now = [0.0]
    monkeypatch.setattr(benchmarks.time, "perf_counter", lambda: now[0])

    def takes(*seconds):
        duration = itertools.cycle(seconds)

        def action():
            now[0] += next(duration)

        return action

    return takes


def test_actions_are_timed_in_turns_and_the_median_counts(clock):
    assert timing.time_in_turns({"a": clock(1, 9, 2), "b": clock(5)}, rounds=3) == {"a": 2, "b": 5}


def test_calls_are_counted_for_some_seconds(clock):
    rates = timing.count_in_turns({"a": clock(0.5), "slow": clock(30)}, seconds=2)
    assert rates == {"a": 2.0, "slow": pytest.approx(1 / 30)}


def measured(**seconds):
    rows = [Row("race", f"{name}, full recipe", value, "s") for name, value in seconds.items()]
    return {"device": "CPU, 2 cores", "rows": [*rows, Row("start", "imports", 3.2, "s")]}


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


@pytest.mark.slow
def test_all_families_are_measured_beside_the_plain_one(small_network, monkeypatch):
    monkeypatch.setattr(benchmark_training, "count_in_turns", lambda actions, seconds: dict.fromkeys(actions, 2.0))
    rows = benchmark_training.measure_families(make_faces(), quick=False)
    assert [row.what.removesuffix(speeds.TRAINING_ENDING) for row in rows] == list(EQUAL_ROWS)
    batch = find_recipe(EXPERIMENTS["equal_vgg"], "full").batch_size
    assert {(row.value, row.times, row.beside) for row in rows} == {(2.0 * batch, 1.0, "equal_vgg, training")}


def test_the_table_can_be_read_and_comes_back_as_it_was_saved(tmp_path):
    answer = measured(resnet_like=880.4)
    answer["rows"].append(Row("race", "fast, full recipe", 36.94, "s", 23.83, "resnet_like"))
    answer["rows"].append(Row("race", "fast to 65% of validation", math.inf, "s"))
    table = speeds.tabulate_benchmark(answer)
    assert list(table["value"]) == ["880 s", "3.2 s", "36.9 s", "not reached"]
    assert list(table["times"]) == ["", "", "23.8 ×", ""]
    benchmarks.save(answer, tmp_path / "benchmark.json")
    again = speeds.load_benchmark(tmp_path / "benchmark.json")
    assert again["rows"][2] == answer["rows"][2] and len(again["rows"]) == 4
    assert speeds.tabulate_benchmark(again).equals(table)
    assert speeds.load_benchmark(tmp_path / "other.json") is None


@pytest.mark.slow
def test_everything_is_measured_and_has_its_anchor(small_network, monkeypatch):
    monkeypatch.setenv("FER_PROGRESS", "0")
    faces = make_faces()
    monkeypatch.setattr(benchmarks, "load_faces", lambda: faces)
    monkeypatch.setattr(benchmark_training, "MATRIX", 50)
    monkeypatch.setattr(benchmark_training, "count_in_turns", lambda actions, seconds: count(actions, 0, rounds=1))
    monkeypatch.setattr(benchmarks, "measure_start", lambda *_: [])
    monkeypatch.setattr(benchmarks, "execute_notebook", lambda path, _: (None, Outcome(path, 0.5, 3)))
    answer = benchmarks.run_benchmark(faces, ["01_a", "02_b"], quick=True)
    assert all(math.isfinite(row.value) or row.value == math.inf for row in answer["rows"])
    values = {row.what: row.value for row in answer["rows"]}
    for row in answer["rows"]:
        if row.beside:
            better = row.value / values[row.beside]
            assert row.times == pytest.approx(1 / better if row.unit == "s" else better)
    assert {row.part for row in answer["rows"]} == {"reading", "training", "growth", "race", "families", "notebooks"}
    assert values["01_a"] == 0.5 and values["01_a: training"] == 0 and "02_b" not in values


count = timing.count_in_turns


def test_a_notebook_that_fails_is_named(monkeypatch):
    failed = Outcome("01_a", 0.1, 2, "failed at cell 2 of 3")
    monkeypatch.setattr(benchmarks, "execute_notebook", lambda *_: (None, failed))
    with pytest.raises(RuntimeError, match="01_a failed at cell 2"):
        benchmarks.measure_notebooks(["01_a"], quick=True)


def test_training_in_a_notebook_is_told_from_the_rest(monkeypatch, tmp_path):
    from fer_utils.training.runs import save_run

    def execute(path, environment):
        for seed in range(2 if path == "02_b" else 1):
            run = dataclasses.replace(make_run(seed=seed), seconds=30.0)
            save_run(run, benchmarks.Path(environment["FER_RUNS"]) / "quick-0" / "lenet_like" / f"seed-{seed}")
        return None, Outcome(path, 1.0, 3)

    monkeypatch.setattr(benchmarks, "execute_notebook", execute)
    rows = benchmarks.measure_notebooks(["01_a", "02_b"], quick=False)
    assert {row.what: row.value for row in rows}["02_b: training"] == pytest.approx(50)


def test_minutes_are_written_between_the_marks():
    first, last = benchmarks.MINUTES_MARKS
    answer = measured(fast=40.0)
    answer["rows"] += [Row("notebooks", "01_a", 0.16, "min"), Row("notebooks", "01_a: training", 40.2, "%")]
    text = benchmarks.insert_minutes(f"before\n{first}old\n{last}after\n", answer)
    assert "| 01_a | 0.2 | 40 % |" in text and "CPU, 2 cores" in text and "old" not in text
    assert benchmarks.insert_minutes(text, answer) == text


def test_the_readmes_minutes_are_current():
    text = (PROJECT / "README.md").read_text(encoding="utf-8")
    answer = speeds.load_benchmark()
    assert benchmarks.insert_minutes(text, answer) == text, "run `fer-course benchmark`"
    notebooks = {path.stem for path in (PROJECT / "notebooks").glob("[0-9]*.ipynb")}
    assert notebooks <= {row.what for row in answer["rows"]}


def test_the_recorded_benchmark_keeps_the_promise_of_fast():
    answer = speeds.load_benchmark()
    assert answer and not answer["quick"] and not answer["commit"].endswith("+")
    seconds = speeds.seconds_of_recipes(answer)
    assert set(seconds) == set(speeds.RACERS)
    assert seconds["fast"] <= seconds["resnet_like"] / 20
    runs = load_recorded("fast")["fast"]
    assert len(runs) >= 3 and np.mean([run.test_accuracy for run in runs]) >= 0.58
    assert find_recipe(EXPERIMENTS["fast"], "full").epochs < find_recipe(EXPERIMENTS["resnet_like"], "full").epochs
