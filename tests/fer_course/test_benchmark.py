"""The benchmark: what it compares does the same work, its sums are right, and its table can be read. No timed test."""

import math

import numpy as np
import pytest

from fer_course import benchmark, benchmark_training
from fer_utils import device
from fer_utils.data.formats import read_fer2013
from fer_utils.evaluation import timing
from fer_utils.report import speeds
from fer_utils.report.speeds import Row
from fer_utils.training.experiments import EQUAL_ROWS, EXPERIMENTS, find_recipe
from fer_utils.training.facts import save_facts
from small_records import measured
from small_training import make_faces


@pytest.fixture
def eagerly():
    """No step is traced into a graph first, which takes longer than the few that are measured here."""
    config = device.import_tensorflow().config
    config.run_functions_eagerly(True)
    yield
    config.run_functions_eagerly(False)


def test_all_ways_of_reading_give_the_same_pixels(tmp_path):
    faces, path = make_faces(), tmp_path / "fer2013.csv"
    assert benchmark.write_csv(faces, path) == 96 + 42 + 35
    found = read_fer2013(path)
    expected = np.concatenate([split.images[..., 0] for split in (faces.train, faces.validation, faces.test)])
    np.testing.assert_array_equal(found.pixels, expected)
    np.testing.assert_array_equal(benchmark.read_row_by_row(path), expected)
    np.testing.assert_array_equal(benchmark.read_with_csv_module(path), expected)
    assert benchmark.write_csv(faces, path, every=10) == 10 + 5 + 4
    np.testing.assert_array_equal(benchmark.read_row_by_row(path)[:10], expected[:96:10])


@pytest.mark.slow
def test_all_families_are_measured_beside_the_plain_one(small_network, eagerly, monkeypatch):
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
    save_facts(answer, tmp_path / "benchmark.json")
    again = speeds.load_benchmark(tmp_path / "benchmark.json")
    assert again["rows"][2] == answer["rows"][2] and len(again["rows"]) == 4
    assert speeds.tabulate_benchmark(again).equals(table)
    assert speeds.load_benchmark(tmp_path / "other.json") is None


@pytest.mark.slow
def test_everything_is_measured_and_has_its_anchor(small_network, eagerly, monkeypatch):
    monkeypatch.setenv("FER_PROGRESS", "0")
    faces = make_faces()
    monkeypatch.setattr(benchmark, "load_faces", lambda: faces)
    monkeypatch.setattr(benchmark_training, "MATRIX", 50)
    monkeypatch.setattr(timing, "ROUNDS", 1)
    monkeypatch.setattr(benchmark_training, "count_in_turns", lambda actions, seconds: count(actions, 0))
    monkeypatch.setattr(benchmark, "measure_start", lambda *_: [])
    answer = benchmark.run_benchmark(faces, quick=True)
    assert all(math.isfinite(row.value) or row.value == math.inf for row in answer["rows"])
    values = {row.what: row.value for row in answer["rows"]}
    for row in answer["rows"]:
        if row.beside:
            better = row.value / values[row.beside]
            assert row.times == pytest.approx(1 / better if row.unit == "s" else better)
    assert {row.part for row in answer["rows"]} == {"reading", "training", "growth", "race", "families"}


def test_a_start_that_fails_loses_nothing_that_was_measured(monkeypatch, capsys):
    monkeypatch.setattr(benchmark, "FIRST_STEP", "1 / 0")
    assert benchmark.measure_start(None, quick=True) == []
    assert "ZeroDivisionError" in capsys.readouterr().err


count = timing.count_in_turns
