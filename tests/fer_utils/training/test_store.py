"""Which run of the store is taken for the one asked for, and where the store is."""

import dataclasses
import re
import shutil
import threading
import time

import pytest
from filelock import FileLock

from fer_utils.data.load import FER2013_FINGERPRINT
from fer_utils.device import count_cores
from fer_utils.environment import PROJECT
from fer_utils.training import loop
from fer_utils.training.build import load_network
from fer_utils.training.experiments import EXPERIMENTS, RECIPES, find_experiment
from fer_utils.training.grid import reproduce
from fer_utils.training.loop import train
from fer_utils.training.runs import RunError, list_runs, load_run
from fer_utils.training.store import checkpoint_file, store_folder, tell_wait
from small_training import TINY, make_faces, must_not_train

pytestmark = pytest.mark.usefixtures("store")


def test_a_finished_run_is_returned_from_the_store(epochs, monkeypatch):
    first = train("lenet_like", make_faces())
    monkeypatch.setattr(loop, "fit_epochs", must_not_train)
    second = train("lenet_like", make_faces())
    assert second.folder == first.folder
    assert second.history == first.history
    assert not list(first.folder.parent.glob("*.unfinished*")), "a finished training leaves no checkpoint"


@pytest.mark.parametrize(
    ("experiment", "seed", "recipe", "fingerprint"),
    [
        ("lenet_like_augmented", 0, TINY, "0123456789abcdef"),
        ("lenet_like", 1, TINY, "0123456789abcdef"),
        ("lenet_like", 0, dataclasses.replace(TINY, learning_rate=2e-3), "0123456789abcdef"),
        ("lenet_like", 0, TINY, "fedcba9876543210"),
    ],
    ids=["experiment", "seed", "recipe", "images"],
)
def test_whatever_else_is_asked_for_is_trained(epochs, monkeypatch, experiment, seed, recipe, fingerprint):
    train("lenet_like", make_faces())
    epochs.clear()
    monkeypatch.setitem(RECIPES, "quick", recipe)
    run = train(experiment, make_faces(fingerprint=fingerprint), seed=seed)
    assert epochs == [0, 1, 2]
    assert (run.experiment, run.seed, run.fingerprint) == (experiment, seed, fingerprint)
    assert run.recipe == dataclasses.asdict(recipe)


def test_a_run_with_a_recipe_of_a_later_version_is_trained_again(epochs):
    facts = train("lenet_like", make_faces()).folder / "run.json"
    facts.write_text(
        facts.read_text(encoding="utf-8").replace('"epochs": 3', '"epochs": 3, "of_a_later_version": 1'),
        encoding="utf-8",
    )
    assert "of_a_later_version" not in train("lenet_like", make_faces()).recipe
    assert epochs == [0, 1, 2] * 2


@pytest.mark.parametrize("change", [{"augmentation": "mild"}, {"conv_stride": 2}, {"views": 2}])
def test_an_experiment_that_was_changed_is_trained_again(epochs, monkeypatch, change):
    train("lenet_like", make_faces())
    changed = dataclasses.replace(find_experiment("lenet_like"), **change)
    monkeypatch.setitem(EXPERIMENTS, "lenet_like", changed)
    run = train("lenet_like", make_faces())
    assert epochs == [0, 1, 2] * 2
    assert {name: getattr(run, name) for name in change} == change


def test_only_the_numbers_are_kept_if_so_wished(epochs):
    run = train("lenet_like", make_faces(), keep_weights=False)
    assert sorted(path.name for path in run.folder.iterdir()) == ["arrays.npz", "run.json"]
    with pytest.raises(RunError, match="kept without its weights"):
        load_network(run)


def test_other_images_in_the_same_folder_are_not_taken_for_these(epochs, monkeypatch, store):
    monkeypatch.setattr(loop, "store_folder", lambda faces, profile: store)
    train("lenet_like", make_faces())
    train("lenet_like", make_faces(fingerprint="fedcba9876543210"))
    assert epochs == [0, 1, 2] * 2


def test_retrain_trains_again_and_replaces_the_run(epochs):
    train("lenet_like", make_faces())
    run = train("lenet_like", make_faces(), retrain=True)
    assert epochs == [0, 1, 2] * 2
    assert load_run(run.folder).history == run.history


def test_a_damaged_run_in_the_store_is_named_and_trained_again(epochs, capsys):
    run = train("lenet_like", make_faces())
    (run.folder / "arrays.npz").write_bytes(b"damaged")
    train("lenet_like", make_faces())
    assert "not taken: lenet_like/seed-0/arrays.npz is damaged" in capsys.readouterr().out
    assert epochs == [0, 1, 2] * 2
    assert list_runs(run.folder.parent.parent)[1] == []


def test_another_training_in_its_place_is_named_and_not_replaced_in_silence(epochs, monkeypatch, capsys):
    train("lenet_like", make_faces())
    monkeypatch.setitem(RECIPES, "quick", dataclasses.replace(TINY, learning_rate=0.5))
    train("lenet_like", make_faces())
    told = capsys.readouterr().out
    assert "not taken: lenet_like/seed-0 is another training" in told and "learning_rate" in told
    assert len(epochs) == 2 * TINY.epochs


def test_a_copied_run_does_not_pass_for_another_seed(epochs, capsys):
    first = train("lenet_like", make_faces())
    shutil.copytree(first.folder, first.folder.with_name("seed-1"))
    assert train("lenet_like", make_faces(), seed=1).seed == 1
    assert "is of lenet_like, seed 0: a copy?" in capsys.readouterr().out
    assert len(epochs) == 2 * TINY.epochs


def test_the_checkpoint_of_a_finished_run_is_swept(epochs):
    run = train("lenet_like", make_faces())
    checkpoint_file(run.folder).touch()
    assert train("lenet_like", make_faces()).folder == run.folder
    assert not checkpoint_file(run.folder).exists()


@pytest.mark.parametrize("seed", [-1, 2**32, 1.5])
def test_a_seed_that_is_none_is_refused_before_anything_is_written(epochs, store, seed):
    with pytest.raises(ValueError, match="expected a whole number from 0 to"):
        train("lenet_like", make_faces(), seed=seed)
    assert not list(store.rglob("*.lock")) and not epochs


@pytest.mark.parametrize(("asked", "threads"), [("3", 3), ("0", None), ("4,2", None), (None, None)])
def test_a_run_says_on_what_machine_it_was_trained(epochs, monkeypatch, asked, threads):
    monkeypatch.delenv("TF_NUM_INTRAOP_THREADS")
    if asked:
        monkeypatch.setenv("TF_NUM_INTRAOP_THREADS", asked)
    machine = train("lenet_like", make_faces()).machine
    assert machine["threads"] == threads or threads is None and machine["threads"] == count_cores()
    assert machine["processor"] and machine["build"].startswith("tensorflow on ")


def test_a_finished_run_in_a_store_that_cannot_be_locked_is_shown(epochs, monkeypatch):
    run = train("lenet_like", make_faces())

    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("filelock.FileLock.acquire", refuse)
    assert train("lenet_like", make_faces()).history == run.history
    with pytest.raises(RunError, match="lenet_like, seed 1 could not be written to .*Permission denied"):
        train("lenet_like", make_faces(), seed=1)


def test_a_store_that_cannot_be_locked_is_named_by_those_who_share_its_trainings(epochs, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("filelock.FileLock.acquire", refuse)
    with pytest.raises(RunError, match="lenet_like, seed 0 could not be written to .*Permission denied"):
        reproduce(make_faces(), [("lenet_like", 0)], show=lambda line: None)


def test_a_wait_whose_lock_has_gone_is_told_without_its_time(store):
    assert tell_wait(store / "lenet_like" / "seed-0") == "waiting for the process that trains lenet_like/seed-0"


@pytest.mark.parametrize("where", ["a file", "under a file", "x" * 300])
def test_a_store_that_is_no_folder_is_named(store, monkeypatch, where):
    (store / "a file").touch()
    monkeypatch.setenv("FER_RUNS", str(store / where.replace("under a file", "a file/runs")))
    with pytest.raises(RunError, match="no runs can be kept in .*set FER_RUNS to a folder"):
        train("lenet_like", make_faces())


def test_it_is_said_for_which_run_another_process_is_waited_for(epochs, store, capsys):
    folder = store_folder(make_faces(), "quick") / "lenet_like" / "seed-0"
    folder.parent.mkdir(parents=True)
    taken = threading.Event()

    def hold_for_a_moment():
        with FileLock(folder.with_name("seed-0.lock")):
            taken.set()
            time.sleep(0.5)

    threading.Thread(target=hold_for_a_moment).start()
    taken.wait(10)
    train("lenet_like", make_faces())
    assert re.search(r"waiting for the process that trains lenet_like/seed-0 since \d\d:\d\d", capsys.readouterr().out)


def test_runs_are_kept_apart_by_profile_and_images(monkeypatch, store):
    drawn, real = make_faces(), make_faces(name="FER2013", fingerprint=FER2013_FINGERPRINT)
    assert store_folder(drawn, "quick") == store / "quick-0123456789abcdef"
    assert store_folder(real, "full") == store / f"full-{FER2013_FINGERPRINT}"
    monkeypatch.setenv("HOME", str(store))
    monkeypatch.setenv("USERPROFILE", str(store))
    monkeypatch.setenv("FER_RUNS", "~/runs")
    assert store_folder(drawn, "quick") == store / "runs" / "quick-0123456789abcdef"
    monkeypatch.delenv("FER_RUNS")
    assert store_folder(real, "full") == PROJECT / "data" / "runs"
    mine = PROJECT / "data" / "my_runs"
    assert store_folder(real, "quick") == mine / f"quick-{FER2013_FINGERPRINT}"
    other_pixels = make_faces(name="FER2013")
    assert store_folder(other_pixels, "full") == mine / "full-0123456789abcdef", "jpg copies are not the recorded set"
    assert store_folder(drawn, "full") == mine / "full-0123456789abcdef"
