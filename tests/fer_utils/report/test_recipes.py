"""Recipes side by side: candidates and their distance, rows on both splits, the steps between, the two strides."""

import dataclasses

import numpy as np
import pytest

from fer_utils.evaluation.compare import compare_over_seeds
from fer_utils.report import recipes, tables
from fer_utils.report.recorded import load_recorded
from fer_utils.training.experiments import CANDIDATES, CHOSEN, REPORT_ROWS, ROWS, find_recipe
from fer_utils.training.facts import save_facts
from fer_utils.training.screening import name_candidate_training
from small_records import record_run
from small_training import make_run

LATE = np.linspace(-0.02, 0.02, 5)  # round the mean of the last epochs


def write_screening(folder, levels):
    """Files of trainings whose last epochs have these mean validation accuracies."""
    (folder / recipes.SCREENING).mkdir()
    for name, level in levels.items():
        facts = {"identity": {"experiment": name}, "history": {"val_accuracy": [0.1, 0.9, *(level + LATE)]}}
        save_facts(facts, folder / recipes.SCREENING / f"{name}.json")


def name_both(candidate):
    return [
        name_candidate_training(CANDIDATES[candidate], which) for which in ("none", CANDIDATES[candidate].augmentation)
    ]


def test_candidates_are_listed_by_their_distance_to_the_report_over_the_last_epochs(tmp_path):
    levels = dict(zip(name_both("rmsprop"), (0.51, 0.55), strict=True))
    levels |= dict(zip(name_both("usual"), (0.52, 0.50), strict=True)) | {name_both("tutorial")[1]: 0.53}
    levels |= {name_both("batch_32")[0]: 0.51}
    write_screening(tmp_path, levels)
    screening = recipes.load_screening(tmp_path)
    distances = recipes.measure_distances(screening)
    assert list(distances) == ["tutorial", "rmsprop", "usual"], "one whose training is missing is left out"
    assert list(distances.values()) == pytest.approx([0.5, 1.0, 2.0])
    table = recipes.tabulate_candidates(screening)
    assert table.loc["rmsprop", ["LeNet-like", "+ augmentation", "distance"]].tolist() == [
        "51.0 ± 1.4 %", "55.0 ± 1.4 %", "1.0 points",
    ]  # fmt: skip
    assert recipes.tabulate_candidates({}).empty


def test_a_damaged_training_of_a_candidate_is_named_and_left_out(tmp_path, capsys):
    write_screening(tmp_path, {"one": 0.5, "two": 0.5})
    (tmp_path / recipes.SCREENING / "one.json").write_text("{", encoding="utf-8")
    assert list(recipes.load_screening(tmp_path)) == ["two"]
    assert "left out: one.json is damaged" in capsys.readouterr().out


def test_a_training_of_a_candidate_under_another_name_is_left_out(tmp_path, capsys):
    write_screening(tmp_path, {"one": 0.5})
    folder = tmp_path / recipes.SCREENING
    (folder / "two.json").write_bytes((folder / "one.json").read_bytes())
    assert list(recipes.load_screening(tmp_path)) == ["one"]
    assert "left out: two.json is of one: a copy?" in capsys.readouterr().out


def test_the_recorded_candidates_are_those_that_were_written_down():
    screening = recipes.load_screening()
    distances = recipes.measure_distances(screening)
    assert set(distances) == set(CANDIDATES)
    assert CANDIDATES[next(iter(distances))] == CHOSEN, "the nearest is the one that the rows are trained with"
    assert {facts["identity"]["seed"] for facts in screening.values()} == {100}
    assert not any("+" in facts["commit"] for facts in screening.values())


# --- the report's rows ---


def record_late(folder, experiment, seed, level, on_validation):
    """A run whose five last epochs have these mean accuracies on 100 test images, and on validation."""
    late = np.array([np.arange(100) < round(100 * (level + change)) for change in LATE])
    recipe = dataclasses.asdict(find_recipe(experiment, "full"))
    values = [0.1] * (recipe["epochs"] - 5) + list(on_validation + LATE)
    history = {name: values for name in ("accuracy", "loss", "val_accuracy", "val_loss")}
    facts = {"correct": late[-1], "late_correct": late[-recipe["late"] :], "history": history, "recipe": recipe}
    return record_run(folder, experiment, seed, **facts)


@pytest.fixture
def recorded(tmp_path):
    levels = {"report_lenet_like": 0.50, "report_lenet_like_augmented": 0.54, "report_vgg_like": 0.60}
    for name, level in levels.items():
        for seed in (0, 1):
            record_late(tmp_path, name, seed, level + 0.01 * seed, on_validation=level - 0.01)
    return load_recorded(folder=tmp_path)


def test_levels_are_means_over_seeds_and_last_epochs_on_both_splits(recorded):
    assert recipes.measure_levels(recorded, "PrivateTest") == pytest.approx(
        {"lenet_like": 50.5, "lenet_like_augmented": 54.5, "vgg_like": 60.5}
    )
    assert recipes.measure_levels(recorded, "PublicTest") == pytest.approx(
        {"lenet_like": 49, "lenet_like_augmented": 53, "vgg_like": 59}
    )
    table = recipes.tabulate_report_like(recorded)
    row = table.loc["LeNet-like + augmentation"]
    assert (row["report"], row["PublicTest"], row["PublicTest, distance"]) == ("53 %", "53.0 ± 0.0 %", "+0.0")
    assert (row["PrivateTest"], row["PrivateTest, distance"]) == ("54.5 ± 0.7 %", "+1.5")
    assert row["± over the last epochs"] == "1.4" and row["command"].endswith("report_lenet_like_augmented --seeds 2")
    summary = recipes.tabulate_summary(recorded)
    assert summary.loc["LeNet-like + augmentation"].tolist() == ["53 %", "54.5 ± 0.7 %", tables.NO_RUN]
    assert recipes.tabulate_summary({}).shape == (4, 3)
    assert list(recipes.measure_levels({}, "PublicTest")) == [] and recipes.tabulate_report_like({}).empty


# --- the way to the course's recipe ---


def test_stages_lead_from_the_report_like_recipe_to_the_course_s(tmp_path, recorded):
    best, last = np.arange(100) < 66, np.arange(100) < 64
    for name in ("between_vgg_like_falling", "between_vgg_like_mild"):
        recipe = dataclasses.asdict(find_recipe(name, "full"))
        record_run(tmp_path, name, correct=best, late_correct=last[np.newaxis], recipe=recipe)
    record_run(tmp_path, "vgg_like", correct=np.arange(100) < 70)
    recorded = load_recorded(folder=tmp_path)
    stages = recipes.list_stages(recorded, "vgg_like")
    assert [words for words, _ in stages] == list(recipes.STAGES)
    assert [answers.mean() for _, answers in stages] == pytest.approx([0.605, 0.64, 0.66, 0.66, 0.70])
    compared = recipes.compare_stages(stages)
    assert compared[0][2] is None
    assert [gain.value for _, _, gain, _ in compared[1:]] == pytest.approx([0.035, 0.02, 0, 0.04])
    assert compared[1][2] == compare_over_seeds(stages[0][1], stages[1][1])
    table = recipes.tabulate_stages({"VGG-like": compared})
    assert table.loc["mild augmentation", "VGG-like: accuracy"] == "66.0 %"
    assert table.loc["report-like recipe", "VGG-like: gain"] == ""
    assert table["VGG-like: seeds"].tolist() == ["2", "1", "1", "1", "1"]
    assert "+2.0 points" in table.loc["the best epoch is kept", "VGG-like: gain"]
    assert [words for words, _ in recipes.list_stages(recorded, "lenet_like")] == ["report-like recipe"]
    recorded["between_vgg_like_mild"] = []
    assert [words for words, _ in recipes.list_stages(recorded, "vgg_like")] == list(recipes.STAGES[:3])


def test_what_a_recipe_is_worth_stands_beside_what_depth_is(recorded):
    found = recipes.compare_recipe_and_depth(recorded)
    assert list(found) == ["depth, report-like recipe"]
    assert found["depth, report-like recipe"].value == pytest.approx(0.06)


# --- which stride ---


def test_strides_are_judged_by_order_and_steps_and_not_by_distance_alone(tmp_path):
    history = {"accuracy": [0.3, 0.75], "loss": [1, 1], "val_accuracy": [0.3, 0.3], "val_loss": [1, 1]}
    for rows, levels in ((ROWS, (61, 63, 66, 68)), ([f"{row}_stride2" for row in ROWS], (52, 51, 53, 50))):
        for name, level in zip(rows, levels, strict=True):
            record_run(tmp_path, name, correct=np.arange(100) < level, history=history)
    table = recipes.judge_stride(load_recorded(folder=tmp_path))
    assert table["distance of the steps"].tolist() == ["0.0 points", "0.0 points", "3.0 points"]
    assert table["order"].tolist() == ["the report's", "the report's", "another"]
    assert table["mean distance"].tolist() == ["0.0 points", "10.0 points", "3.5 points"]
    assert (
        table.loc["stride 2 of the poolings, the course's recipe", "steps"]
        == table.loc["the report", "steps"]
        == "+2.0 / +3.0 / +2.0"
    )
    assert set(table["highest training accuracy, LeNet-like"]) == {"80 %", "75 %"}
    assert list(recipes.judge_stride({}).index) == ["the report"]


def test_the_poolings_stride_is_judged_under_the_report_like_recipe_too(tmp_path, recorded):
    assert len(recipes.judge_stride(recorded)) == 1, "a row is missing"
    record_late(tmp_path, "report_resnet_like", 0, 0.62, on_validation=0.6)
    table = recipes.judge_stride(load_recorded(folder=tmp_path))
    assert table.index[1] == "stride 2 of the poolings, report-like recipe"
    assert table["test accuracy"].iloc[1] == "50.0 / 54.0 / 60.0 / 62.0"


def test_a_run_of_one_row_says_nothing_of_others():
    assert recipes.measure_levels({REPORT_ROWS[0]: [make_run()]}, "PrivateTest") == {"lenet_like": 50.0}
