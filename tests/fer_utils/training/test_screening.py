"""Candidate recipes: what they are, and that comparing them never opens the test images."""

import dataclasses
import os
import time

import numpy as np
import pytest

from fer_utils.device import keras
from fer_utils.training import loop, screening
from fer_utils.training.compiling import compile_network
from fer_utils.training.experiments import CANDIDATES, RECIPES, report_recipe
from fer_utils.training.recipes import Experiment
from fer_utils.training.screening import Training, list_candidate_trainings, screen_candidates
from small_training import TINY, build_small_network, make_faces, must_not_train

CANDIDATE = Training(Experiment("one", "One", "lenet_like", "flip"), dataclasses.replace(TINY, keep="last"))


class Closed:
    """A split that nobody may look at."""

    def __getattr__(self, name):
        raise AssertionError(f"the test images were opened: {name}")


def test_every_candidate_has_a_plain_and_an_augmented_training_and_none_is_trained_twice():
    trainings = {training.name: training[:2] for training in list_candidate_trainings()}
    assert len(trainings) == len(list_candidate_trainings())
    for candidate in CANDIDATES.values():
        for augmentation in ("none", candidate.augmentation):
            experiment, recipe = trainings[f"{candidate.optimizer}_{candidate.batch_size}_{augmentation}"]
            assert (experiment.model, experiment.augmentation) == ("lenet_like", augmentation)
            assert (recipe.optimizer, recipe.batch_size) == (candidate.optimizer, candidate.batch_size)
            assert (recipe.schedule, recipe.keep) == ("constant", "last")


def test_candidates_are_compared_without_the_test_images_and_stored(small_network, store, tmp_path, monkeypatch):
    faces = make_faces(test=Closed())
    found = screen_candidates([CANDIDATE], faces, tmp_path / "screening")
    assert len(found["one"]["history"]["val_accuracy"]) == TINY.epochs
    assert not list((tmp_path / "screening").glob("*.npz"))
    monkeypatch.setattr(screening, "fit_epochs", must_not_train)
    assert screen_candidates([CANDIDATE], faces, tmp_path / "screening") == found
    other = CANDIDATE._replace(recipe=dataclasses.replace(CANDIDATE.recipe, batch_size=16))
    with pytest.raises(AssertionError, match="trained again"):
        screen_candidates([other], faces, tmp_path / "screening")


def test_the_checkpoint_of_a_finished_training_is_removed(small_network, store, tmp_path, monkeypatch):
    found = screen_candidates([CANDIDATE], make_faces(), tmp_path)
    monkeypatch.setattr(screening, "fit_epochs", must_not_train)
    checkpoint = tmp_path / "one.unfinished.npz"  # left by a process that is killed when it has just written the facts
    checkpoint.touch()
    assert screen_candidates([CANDIDATE], make_faces(), tmp_path) == found
    assert not checkpoint.exists()
    checkpoint.touch()
    assert screening._keep_facts(CANDIDATE, make_faces(), tmp_path) == found["one"]
    assert not checkpoint.exists()


def test_facts_that_another_process_has_found_meanwhile_are_kept(small_network, store, tmp_path):
    found = screen_candidates([CANDIDATE], make_faces(), tmp_path)["one"]
    assert screening._keep_facts(CANDIDATE, make_faces(), tmp_path, {**found, "seconds": 0}) == found


def test_the_lock_of_a_training_tells_since_when_it_is_held(small_network, store, tmp_path, monkeypatch):
    lock, fit = tmp_path / "one.lock", screening.fit_epochs
    lock.touch()
    os.utime(lock, (0, 0))
    since = []

    def look(*arguments):
        since.append(lock.stat().st_mtime)
        return fit(*arguments)

    monkeypatch.setattr(screening, "fit_epochs", look)
    screen_candidates([CANDIDATE], make_faces(), tmp_path)
    assert time.time() - since[0] < 600


@pytest.mark.parametrize(
    ("optimizer", "kind"), [("adam", keras.optimizers.Adam), ("rmsprop", keras.optimizers.RMSprop)]
)
def test_a_candidate_has_keras_s_default_optimiser_at_a_constant_rate(optimizer, kind):
    network = build_small_network(1.0)
    compile_network(network, report_recipe(optimizer, 64), 640)
    assert type(network.optimizer) is kind and float(network.optimizer.learning_rate) == pytest.approx(1e-3)
    for _ in range(3):
        network.train_on_batch(make_faces().train.images[:64], np.eye(7)[np.zeros(64, int)])
    assert float(network.optimizer.learning_rate) == pytest.approx(1e-3)
    default = kind()
    for name in ("beta_1", "beta_2", "rho", "epsilon"):
        assert getattr(network.optimizer, name, None) == getattr(default, name, None)


def test_the_last_epoch_is_kept_where_the_recipe_says_so(epochs, store, monkeypatch):
    accuracies = iter([0.3, 0.5, 0.4] * 2)
    scores = {"val_loss": 1.0}
    monkeypatch.setattr(loop, "_validate", lambda *_: scores | {"val_accuracy": next(accuracies)})
    kept = []
    for keep in ("best", "last"):
        monkeypatch.setitem(RECIPES, "quick", dataclasses.replace(TINY, keep=keep))
        kept.append(loop.train("lenet_like", make_faces(), retrain=True).best_epoch)
    assert kept == [2, 3]
