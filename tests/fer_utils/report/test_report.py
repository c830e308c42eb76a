"""What the recorded runs are set beside: tables, the README, facts of the test set."""

import dataclasses
import json

import numpy as np
import pytest

from fer_course import readme as readmes
from fer_course import record as recording
from fer_utils.data import load as loading
from fer_utils.data.load import FER2013_FINGERPRINT
from fer_utils.environment import PROJECT
from fer_utils.report import published, tables
from fer_utils.report import recorded as records
from fer_utils.training.experiments import ABLATION_ROWS, DEFINITION, EQUAL_ROWS, EXPERIMENTS, RECIPES, find_recipe
from fer_utils.training.grid import keeps_weights
from fer_utils.training.runs import WEIGHTS, RunError, save_run
from small_training import make_faces, make_run

RECIPE = dataclasses.asdict(RECIPES["full"])


def record(folder, experiment="lenet_like", seed=0, **changes):
    facts = {"experiment": experiment, "seed": seed, "fingerprint": FER2013_FINGERPRINT, "recipe": RECIPE}
    facts |= {name: getattr(EXPERIMENTS[experiment], name) for name in DEFINITION}
    run = make_run(**{**facts, **changes})
    return save_run(run, folder / experiment / f"seed-{seed}")


def test_recorded_runs_come_by_experiment_and_seed(tmp_path, capsys):
    for experiment, seed in (("vgg_like", 1), ("vgg_like", 0), ("lenet_like", 0)):
        record(tmp_path, experiment, seed)
    recorded = records.load_recorded(folder=tmp_path)
    assert list(recorded) == list(EXPERIMENTS)
    assert [run.seed for run in recorded["vgg_like"]] == [0, 1] and recorded["resnet_like"] == []
    assert list(records.load_recorded("vgg_like", folder=tmp_path)) == ["vgg_like"]
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"fingerprint": "0" * 16}, f"fingerprint is '{'0' * 16}', expected '{FER2013_FINGERPRINT}'"),
        ({"recipe": {**RECIPE, "epochs": 1}}, "recipe: epochs is 1, expected 8"),
        ({"recipe": {**RECIPE, "of_a_later_version": 1}}, "recipe: of_a_later_version is 1, and this version"),
        ({"recipe": {"epochs": 8}}, "recipe: width is missing, expected 1.0; recipe: batch_size is missing"),
        ({"recipe": [8]}, "recipe is [8], expected its settings by name"),
        (
            {"model": "vgg_like", "augmentation": "strong", "conv_stride": 2, "views": 10},
            "model is 'vgg_like', expected 'lenet_like'; augmentation is 'strong', expected 'none'; "
            "conv_stride is 2, expected 1; views is 10, expected 1",
        ),
    ],
    ids=str,
)
def test_runs_of_something_else_are_left_out_and_told_what_was_found_and_expected(tmp_path, capsys, change, words):
    record(tmp_path, seed=0, **change)
    record(tmp_path, seed=1)
    assert [run.seed for run in records.load_recorded("lenet_like", folder=tmp_path)["lenet_like"]] == [1]
    assert f"left out: lenet_like/seed-0: {words}" in capsys.readouterr().out


def test_a_run_of_no_experiment_is_named_and_left_out(tmp_path, capsys):
    save_run(make_run(experiment="gone"), tmp_path / "gone" / "seed-0")
    records.load_recorded(folder=tmp_path)
    assert capsys.readouterr().out == "left out: gone/seed-0: the course has no experiment of this name\n"


def test_damaged_runs_are_named_and_left_out(tmp_path, capsys):
    folder = record(tmp_path).folder
    (folder / "arrays.npz").write_bytes(b"")
    assert records.load_recorded(folder=tmp_path)["lenet_like"] == []
    assert "left out: lenet_like/seed-0/arrays.npz is damaged" in capsys.readouterr().out


def test_table_1_has_mean_deviation_interval_parameters_and_minutes(tmp_path):
    n = 3589
    right = [np.arange(n) < count for count in (1800, 1836)]
    for seed, correct in enumerate(right):
        record(tmp_path, "vgg_like", seed, correct=correct, seconds=600.0)
    table = tables.tabulate_results(records.load_recorded(folder=tmp_path))
    (row,) = table.reset_index().to_dict("records")
    mean, deviation = 100 * 1818 / n, 100 * np.std([1800 / n, 1836 / n], ddof=1)
    assert row["test accuracy"] == f"{mean:.1f} ± {deviation:.1f} %" and row["report"] == "56 %"
    low, high = (float(word) for word in row["95 % interval"].removesuffix(" %").split(" to "))
    assert low < mean < high and high - low == pytest.approx(2 * 98 / n**0.5, abs=0.3)
    assert (row["network"], row["seeds"], row["parameters"]) == ("VGG-like", "2", "1,767,207")
    assert row["minutes a run"] == "10, CPU, 2 cores" and "--experiment vgg_like" in row["command"]


def test_recorded_runs_as_a_line():
    runs = [make_run(experiment="vgg_like", seed=seed) for seed in (0, 1)]
    assert tables.describe_recorded(runs[:1]).startswith("VGG-like: the report 56 %, recorded 50.0 % (one seed) (38.")
    assert tables.describe_recorded(runs).endswith("n = 70, 2 seeds, drawn faces, quick)")
    assert tables.describe_recorded([]) == "no recorded run"


def test_a_network_is_found_where_weights_were_kept(tmp_path):
    record(tmp_path, "vgg_like")
    (record(tmp_path, "resnet_like").folder / WEIGHTS).touch()
    recorded = records.load_recorded(folder=tmp_path)
    assert records.find_kept(recorded, "vgg_like", "resnet_like").experiment == "resnet_like"
    with pytest.raises(RunError, match="no readable run of vgg_like or lenet_like has its weights"):
        records.find_kept(recorded, "vgg_like", "lenet_like")


def test_the_shortcut_table_has_both_networks(tmp_path):
    for name in ("vgg_like", "resnet_like"):
        record(tmp_path, name)
    table = tables.tabulate_shortcuts(records.load_recorded(folder=tmp_path))
    assert list(table.index) == ["VGG-like", "ResNet-like"] and list(table["report, test"]) == ["56 %", "58 %"]
    assert list(table["test accuracy"]) == ["50.0 % (one seed)"] * 2


def record_full(folder, experiment, seed=0, **changes):
    """A made-up run in the full recipe of its own experiment."""
    recipe = dataclasses.asdict(EXPERIMENTS[experiment].recipes["full"])
    return record(folder, experiment, seed, recipe=recipe, **changes)


def test_the_families_have_a_row_each_with_runs_or_without(tmp_path):
    for seed in (0, 1):
        record_full(tmp_path, "equal_vgg", seed, correct=np.arange(100) < 60 + 2 * seed, seconds=1e6)
    record_full(tmp_path, "equal_mobilenet", correct=np.arange(100) < 50)
    recorded = records.load_recorded(*EQUAL_ROWS, folder=tmp_path)
    table = tables.tabulate_equal_cost(recorded, {"equal_vgg": 158.4})
    assert list(table.index) == "AlexNet VGG Inception ResNet DenseNet MobileNet EfficientNet".split()
    assert table.loc["VGG", ["test accuracy", "seeds", "seconds of training"]].tolist() == ["61.0 ± 1.4 %", "2", "158"]
    assert table.loc["MobileNet", ["test accuracy", "seeds"]].tolist() == ["50.0 % (one seed)", "1"]
    assert table.loc["AlexNet", ["test accuracy", "95 % interval", "seeds"]].tolist() == [tables.NO_RUN, "", "0"]
    assert list(table["seconds of training"]) == ["", "158", *[""] * 5]
    assert table.loc["AlexNet", "parameters"] == "707,431" and table.loc["VGG", "multiply-adds"] == "22.7 million"
    assert tables.tabulate_equal_cost({}, {}).shape == table.shape


def test_each_part_is_compared_with_all_of_them(tmp_path):
    n = 3589
    for name, shares in (("small_best", (0.60, 0.61, 0.62)), ("small_sgd", (0.5,)), ("small_mean", (0.61, 0.62))):
        for seed, share in enumerate(shares):
            record_full(tmp_path, name, seed, correct=np.arange(n) < n * share)
    recorded = records.load_recorded(*ABLATION_ROWS, folder=tmp_path)
    table = tables.tabulate_ablation(recorded)
    assert list(table.index) == ["All parts", "SGD with momentum", "Mean of the weights"]
    assert list(table["seeds"]) == ["3", "1", "2"] and table["less all parts"].iloc[0] == ""
    differences = records.compare_with("small_best", ABLATION_ROWS, recorded)
    assert list(differences) == ["small_sgd", "small_mean"]
    assert differences["small_sgd"].value == pytest.approx(-0.11, abs=1e-3) and differences["small_sgd"].high < 0
    assert not differences["small_mean"].clear
    assert table.loc["SGD with momentum", "less all parts"] == differences["small_sgd"].in_points()
    assert table.loc["All parts", "validation accuracy"] == "61.0 %", "the mean over the seeds"


def test_without_all_parts_there_is_nothing_to_compare_with(tmp_path):
    record_full(tmp_path, "small_sgd")
    recorded = records.load_recorded(*ABLATION_ROWS, folder=tmp_path)
    assert records.compare_with("small_best", ABLATION_ROWS, recorded) == {}
    assert list(tables.tabulate_ablation(recorded)["less all parts"]) == [""]
    assert tables.tabulate_ablation({}).empty


def test_without_runs_tables_are_empty(tmp_path):
    recorded = records.load_recorded(folder=tmp_path)
    assert tables.tabulate_results(recorded).empty and tables.tabulate_shortcuts(recorded).empty
    assert records.compare_readings(recorded) == {}


def test_readings_are_compared_by_their_distance_to_table_1(tmp_path):
    for name, share in (("lenet_like", 0.50), ("lenet_like_stride2", 0.54), ("vgg_like", 0.60)):
        record(tmp_path, name, correct=np.arange(100) < 100 * share)
    distances = records.compare_readings(records.load_recorded(folder=tmp_path))
    assert list(distances.values()) == pytest.approx([1, 3]), "only the row that has both readings counts"


# --- the README ---


def test_results_are_written_between_the_marks(tmp_path):
    record(tmp_path)
    recorded = records.load_recorded(folder=tmp_path)
    readme = tmp_path / "README.md"
    first, last = readmes.RESULTS_MARKS
    both = "".join(readmes.RECORDS_MARKS)
    readme.write_text(f"before\n{first}old table\n{last}after\n{both}", encoding="utf-8")
    readmes.write_readme(readmes.insert_results, recorded, readme)
    text = readme.read_text(encoding="utf-8")
    assert text.startswith(f"before\n{first}\n| network |") and f"\n{last}after\n" in text
    assert "| LeNet-like | 51 % | 50.0 % (one seed) |" in text and "old table" not in text
    assert "| **LeNet-like** | 50.0 % (one seed) | PrivateTest | PublicTest | none |" in text
    assert text.endswith(readmes.RECORDS_MARKS[1])
    readmes.write_readme(readmes.insert_results, recorded, readme)
    assert readme.read_text(encoding="utf-8") == text


def test_a_readme_without_marks_is_left_alone(tmp_path):
    (tmp_path / "README.md").write_text("mine")
    with pytest.raises(ValueError, match="must hold each of these lines once"):
        readmes.write_readme(readmes.insert_results, {}, tmp_path / "README.md")
    assert (tmp_path / "README.md").read_text() == "mine"


def test_the_readme_is_current():
    text = (PROJECT / "README.md").read_text(encoding="utf-8")
    assert readmes.insert_results(text, records.load_recorded()) == text, "run `fer-course results --readme`"


# --- the recorded runs of this repository ---


def test_no_recorded_run_is_left_out(capsys):
    recorded = records.load_recorded()
    assert capsys.readouterr().out == ""
    runs = [run for of_one in recorded.values() for run in of_one]
    assert len(runs) >= 3
    assert {len(run.test_correct) for run in runs} == {3589}
    assert not any("+" in run.commit or run.commit == "unknown" for run in runs), "runs are made from a commit"
    kept = [run.folder / WEIGHTS for run in runs if keeps_weights(run.experiment, run.seed)]
    assert all(0 < path.stat().st_size < 10_000_000 for path in kept)


def test_recorded_answers_agree_with_the_real_labels(real_fer2013):
    with np.load(real_fer2013 / "fer2013.npz") as stored:
        labels = stored["emotion"][stored["usage"] == 2]
    runs = [run for runs in records.load_recorded().values() for run in runs]
    assert all(np.array_equal(run.test_predictions == labels, run.test_correct) for run in runs)


# --- facts of the test set ---


def test_copies_are_found_pixel_for_pixel():
    faces = make_faces()
    images = faces.test.images.copy()
    images[[3, 5]] = faces.train.images[[0, 9]]
    images[7] = faces.train.images[1]
    images[7, 0, 0] ^= 1
    assert loading.find_copies(dataclasses.replace(faces.test, images=images), faces.train) == [3, 5]


def test_facts_are_written_and_read_back(tmp_path, monkeypatch):
    monkeypatch.setattr(recording, "find_votes", lambda: None)
    faces = make_faces(fingerprint=FER2013_FINGERPRINT)
    facts = recording.record_test_set(faces, tmp_path)
    assert facts == {"fingerprint": FER2013_FINGERPRINT, "also_in_training": [], "ensembles": {}, "views": None}
    path = tmp_path / records.TEST_SET
    path.write_text(json.dumps({**facts, "crowd_accuracy": 0.5}))
    recording.record_test_set(faces, tmp_path)
    assert records.load_test_set(tmp_path)["crowd_accuracy"] == 0.5, "without votes the recorded number stays"


@pytest.mark.parametrize("content", ["", "[1]", "{}"])
def test_damaged_facts_are_named(tmp_path, capsys, content):
    assert records.load_test_set(tmp_path) is None and capsys.readouterr().out == ""
    (tmp_path / records.TEST_SET).write_text(content)
    assert records.load_test_set(tmp_path) is None
    assert "left out: test_set.json is damaged" in capsys.readouterr().out


def test_recorded_facts_are_those_of_the_real_set(real_fer2013, tmp_path, monkeypatch):
    from fer_utils.data.load import load_faces

    monkeypatch.setenv("FER_DATA", str(real_fer2013 / "fer2013.npz"))
    facts = recording.record_test_set(load_faces(), tmp_path)
    recorded = records.load_test_set()
    assert len(facts["also_in_training"]) == 288 and 0 < facts["crowd_accuracy"] < 1
    for key in ("fingerprint", "also_in_training", "crowd_accuracy"):
        assert recorded[key] == facts[key]
    assert recorded["ensembles"] == recording.average_networks(records.load_recorded(), load_faces().test.labels)


def test_networks_together_say_the_mean_of_their_probabilities():
    labels = np.array([0, 1, 2, 3])
    sure, unsure = np.full((4, 7), 0.01), np.full((4, 7), 0.1)
    sure[range(4), [0, 1, 5, 5]] = 0.94
    unsure[range(4), [0, 1, 2, 3]] = 0.4
    runs = [
        make_run(probabilities.argmax(axis=1) == labels, test_probabilities=probabilities.astype(np.float16), seed=seed)
        for seed, probabilities in enumerate((sure, unsure, unsure))
    ]
    recorded = {name: [] for name in EXPERIMENTS} | {"vgg_like": runs, "lenet_like": runs[:1]}
    together = recording.average_networks(recorded, labels)
    assert list(together) == ["vgg_like"]
    # (0.94 + 2 × 0.1) / 3 = 0.38 for the sure one's error, (0.01 + 2 × 0.4) / 3 = 0.27 for the right class
    assert (together["vgg_like"]["seeds"], together["vgg_like"]["accuracy"]) == (3, 0.5)
    recorded |= {"equal_vgg": runs[1:2], "equal_resnet": runs[2:]}
    assert recording.average_networks(recorded, labels)["equal_cost"]["accuracy"] == 1


def test_views_are_compared_on_the_validation_images_with_the_weights_that_were_kept(tmp_path, monkeypatch):
    assert recording.compare_views({"best": [], "best_long": []}, make_faces().validation) is None
    run = record(tmp_path, "best")
    (run.folder / WEIGHTS).write_bytes(b"")
    seen = []
    faces = make_faces().validation

    def predict_views(network, images, views):
        seen.append((network, np.array_equal(images, faces.images), views))
        return np.eye(7)[faces.labels if views == 10 else np.zeros(len(images), int)]

    monkeypatch.setattr(recording, "load_network", lambda run: run.experiment)
    monkeypatch.setattr(recording, "predict_views", predict_views)
    found = recording.compare_views({"best": [run], "best_long": []}, faces)
    assert seen == [("best", sharp, views) for sharp in (True, False) for views in (1, 2, 10)]
    assert (found["experiment"], found["seed"], found["validation"]["10"]) == ("best", 0, 1.0)
    assert found["validation"]["1"] == found["validation"]["2"] == found["smoothed"]["1"] < 1
    assert recording.compare_views({"best": [run], "best_long": []}, faces, found) is found
    assert len(seen) == 6, "the same run is not asked again"
    other = dataclasses.replace(run, commit="another")
    assert recording.compare_views({"best": [other], "best_long": []}, faces, found) is not found
    without = {name: fact for name, fact in found.items() if name != "smoothed"}
    assert recording.compare_views({"best": [run], "best_long": []}, faces, without) == found


# --- the published records ---


def test_ours_stand_among_the_published_by_accuracy_with_what_each_was_chosen_on(tmp_path):
    for seed in (0, 1):
        record(tmp_path, "vgg_like", seed, correct=np.arange(100) < 72)
        recipe = dataclasses.asdict(find_recipe(EXPERIMENTS["best"], "full"))
        record(tmp_path, "best", seed, correct=np.arange(100) < 74, recipe=recipe)
    facts = {"ensembles": {"best": {"seeds": 2, "accuracy": 0.755}, "vgg_like": {"seeds": 2, "accuracy": 0.75}}}
    table = tables.tabulate_records(records.load_recorded(folder=tmp_path), facts)
    numbers = [float(accuracy.split()[0]) for accuracy in table["accuracy"]]
    assert numbers == sorted(numbers)
    ours = table[table.index.str.startswith("**")]
    assert list(ours.index) == ["**VGG-like**", "**Best, 10 views**", "**2 × Best, 10 views together**"]
    assert set(ours["chosen on"]) == {"PublicTest"} and set(ours["extra data"]) == {"none"}
    single, together = (float(ours["multiply-adds of training"].iloc[place]) for place in (1, 2))
    assert together == pytest.approx(2 * single, rel=0.01)
    assert "PrivateTest itself" in set(table["chosen on"]), "those chosen on the test images say so"


def test_the_longest_recipe_costs_at_most_a_tenth_of_the_record_s():
    of_vgg19 = next(record.training_cost for record in published.RECORDS if record.name.startswith("VGG19"))
    assert tables.multiply_adds_of_training("best") < tables.multiply_adds_of_training("best_long") < of_vgg19 / 10
