"""The recorded runs and facts: what is read, what is left out and named, which network is best."""

import contextlib

import numpy as np
import pytest

from fer_utils.data.load import FER2013_FINGERPRINT
from fer_utils.environment import DATA
from fer_utils.report.recorded import (
    LAYERS,
    MISTAKES,
    MISTAKES_FORMAT,
    TEST_SET,
    correct_answers,
    find_best,
    find_kept,
    late_accuracies,
    load_layers,
    load_mistakes,
    load_recorded,
    load_test_set,
)
from fer_utils.training.experiments import EXPERIMENTS
from fer_utils.training.facts import FactsError, load_facts, save_facts
from fer_utils.training.grid import keeps_weights
from fer_utils.training.runs import WEIGHTS, RunError, save_run
from small_records import RECIPE, record_run
from small_training import make_run, mutate


def test_recorded_runs_come_by_experiment_and_seed(tmp_path, capsys):
    for experiment, seed in (("vgg_like", 1), ("vgg_like", 0), ("lenet_like", 0)):
        record_run(tmp_path, experiment, seed)
    recorded = load_recorded(folder=tmp_path)
    assert list(recorded) == list(EXPERIMENTS)
    assert [run.seed for run in recorded["vgg_like"]] == [0, 1] and recorded["resnet_like"] == []
    assert list(load_recorded("vgg_like", folder=tmp_path)) == ["vgg_like"]
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
    record_run(tmp_path, seed=0, **change)
    record_run(tmp_path, seed=1)
    assert [run.seed for run in load_recorded("lenet_like", folder=tmp_path)["lenet_like"]] == [1]
    assert f"left out: lenet_like/seed-0: {words}" in capsys.readouterr().out


def test_a_run_of_no_experiment_is_named_and_left_out(tmp_path, capsys):
    save_run(make_run(experiment="gone"), tmp_path / "gone" / "seed-0")
    load_recorded(folder=tmp_path)
    assert capsys.readouterr().out == "left out: gone/seed-0: the course has no experiment of this name\n"


def test_damaged_runs_are_named_and_left_out(tmp_path, capsys):
    folder = record_run(tmp_path).folder
    (folder / "arrays.npz").write_bytes(b"")
    assert load_recorded(folder=tmp_path)["lenet_like"] == []
    assert "left out: lenet_like/seed-0/arrays.npz is damaged" in capsys.readouterr().out


def test_a_network_is_found_where_weights_were_kept(tmp_path):
    record_run(tmp_path, "vgg_like")
    (record_run(tmp_path, "resnet_like").folder / WEIGHTS).touch()
    recorded = load_recorded(folder=tmp_path)
    assert find_kept(recorded, "vgg_like", "resnet_like").experiment == "resnet_like"
    with pytest.raises(RunError, match="no readable run of vgg_like or lenet_like has its weights"):
        find_kept(recorded, "vgg_like", "lenet_like")


def test_the_best_network_with_weights_answers(tmp_path):
    def make(name, validation_right, weights):
        folder = tmp_path / name
        folder.mkdir()
        if weights:
            (folder / WEIGHTS).touch()
        confusion = np.diag([validation_right] * 7) + 1
        return make_run(experiment=name, validation_confusion=confusion, folder=folder)

    runs = [
        make("vgg_like", 5, True),
        make("fast", 9, False),
        make("lenet_like", 7, True),
        make("resnet_like", 6, True),
    ]
    recorded = {run.experiment: [run] for run in runs} | {"lenet_like_augmented": []}
    assert find_best(recorded).experiment == "lenet_like"
    with pytest.raises(RunError, match="fer-course reproduce"):
        find_best({"fast": [runs[1]], "vgg_like": []})


def test_a_training_without_a_chosen_epoch_answers_with_its_last_ones():
    late = np.array([[True, True, False, False], [True, False, False, False]])
    history = {"val_accuracy": [0.1, 0.2, 0.3]}
    facts = {"late_correct": late, "correct": late[1], "history": history}
    anywhere = make_run(recipe={"keep": "last"}, **facts)
    np.testing.assert_allclose(correct_answers([anywhere]), [[1, 0.5, 0, 0]])
    np.testing.assert_allclose(late_accuracies(anywhere), [0.5, 0.25])
    np.testing.assert_allclose(late_accuracies(anywhere, "validation"), [0.2, 0.3])
    chosen = make_run(recipe={"keep": "best"}, **facts)
    np.testing.assert_array_equal(correct_answers([chosen]), late[1:])
    assert late_accuracies(chosen) == pytest.approx([0.25])
    assert late_accuracies(chosen, "validation") == pytest.approx([chosen.validation_accuracy])


# --- facts of the test set and of the mistakes ---


FACTS = {load_test_set: TEST_SET, load_mistakes: MISTAKES, load_layers: LAYERS}


@pytest.mark.parametrize("content", ["", "[1]", "{}", '{"fingerprint": ', "null"])
@pytest.mark.parametrize("load", FACTS)
def test_damaged_facts_are_named_with_the_command_that_writes_them_anew(tmp_path, load, content):
    (tmp_path / FACTS[load]).write_text(content, encoding="utf-8")
    with pytest.raises(FactsError, match=f"{FACTS[load]} .*`fer-course reproduce` writes it anew"):
        load(tmp_path)


def test_missing_facts_are_none_where_they_may_be_missing(tmp_path):
    assert load_mistakes(tmp_path) is None and load_layers(tmp_path) is None
    with pytest.raises(FactsError, match="test_set.json is missing"):
        load_test_set(tmp_path)


def test_record_of_other_faces_or_of_another_format_is_none(tmp_path):
    for facts in (
        {"fingerprint": "0", "format": MISTAKES_FORMAT},
        {"fingerprint": FER2013_FINGERPRINT, "format": 0},
    ):
        save_facts(facts, tmp_path / MISTAKES)
        assert load_mistakes(tmp_path) is None


FACTS_FILES = [*DATA.glob("*.json"), *(DATA / "runs").glob("*.json"), *(DATA / "runs" / "screening").glob("*.json")]


@pytest.mark.parametrize("path", FACTS_FILES, ids=lambda path: path.name)
def test_no_mutation_of_recorded_facts_passes_unseen(tmp_path, path):
    content, expected = path.read_bytes(), load_facts(path, "")
    for mutated in mutate(content, np.random.default_rng(0), 200):
        (tmp_path / "facts.json").write_bytes(mutated)
        with contextlib.suppress(FactsError):
            assert load_facts(tmp_path / "facts.json", "") == expected


# --- the recorded runs of this repository ---


def test_no_recorded_run_is_left_out(capsys):
    recorded = load_recorded()
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
    runs = [run for runs in load_recorded().values() for run in runs]
    assert all(np.array_equal(run.test_predictions == labels, run.test_correct) for run in runs)
