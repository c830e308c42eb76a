"""Checkpoints: a stopped training goes on where it was; a checkpoint of anything else is left aside."""

import dataclasses

import numpy as np
import pytest

from fer_utils.device import keras
from fer_utils.training import loop
from fer_utils.training.build import NETWORKS, load_network
from fer_utils.training.checkpoint import Progress, load_checkpoint, read_variables, save_checkpoint
from fer_utils.training.compiling import compile_network
from fer_utils.training.experiments import EXPERIMENTS, RECIPES, find_experiment
from fer_utils.training.loop import train
from fer_utils.training.runs import RunError
from small_training import TINY, build_small_network, make_faces, must_not_train, mutate, train_and_stop_after

pytestmark = pytest.mark.usefixtures("store")


def test_a_stopped_training_goes_on_from_its_last_epoch(epochs, monkeypatch):
    train_and_stop_after(2, monkeypatch, "lenet_like", make_faces())
    assert epochs == [0, 1]
    run = train("lenet_like", make_faces())
    assert epochs == [0, 1, 2]
    assert run.history["val_accuracy"] == pytest.approx([0.1, 0.2, 0.3])
    # Every epoch added 1 to every weight, so the bias of the output tells how many the kept network has behind it.
    bias = keras.ops.convert_to_numpy(load_network(run).get_layer("expression").bias)
    np.testing.assert_array_equal(bias, 3)


def test_a_folder_where_the_checkpoint_belongs_is_named(epochs, store):
    from fer_utils.training.store import store_folder

    (store_folder(make_faces(), "quick") / "lenet_like" / "seed-0.unfinished.npz" / "x").mkdir(parents=True)
    with pytest.raises(RunError, match="lenet_like, seed 0 could not be written to"):
        train("lenet_like", make_faces())


def test_it_is_said_that_a_stopped_training_goes_on(epochs, monkeypatch, capsys):
    train_and_stop_after(2, monkeypatch, "lenet_like", make_faces(), 5)
    assert "goes on" not in capsys.readouterr().out
    train("lenet_like", make_faces(), 5)
    assert "lenet_like, seed 5: goes on after epoch 2 of 3" in capsys.readouterr().out


def test_a_training_stopped_after_its_last_epoch_is_only_recorded(epochs, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(loop, "_record", must_not_train)
        with pytest.raises(AssertionError):
            train("lenet_like", make_faces())
    run = train("lenet_like", make_faces())
    assert epochs == [0, 1, 2]
    assert run.best_epoch == 3


def test_the_late_epochs_of_a_stopped_training_are_judged_as_if_it_had_not_been(epochs, monkeypatch, store):
    monkeypatch.setitem(RECIPES, "quick", dataclasses.replace(TINY, keep="last", late=2))
    whole = train("lenet_like", make_faces(), store=store / "whole")
    train_and_stop_after(2, monkeypatch, "lenet_like", make_faces())
    again = train("lenet_like", make_faces())
    assert again.late_correct.shape == (2, 35)
    np.testing.assert_array_equal(whole.late_correct, again.late_correct)


@pytest.mark.slow
@pytest.mark.parametrize("extra", [{"ema_decay": 0.9}, {"mixup": 0.2}], ids=str)
def test_a_stopped_training_with_a_running_mean_or_mixtures_ends_like_one_that_was_not(
    extra, store, monkeypatch, small_network
):
    monkeypatch.setitem(RECIPES, "quick", dataclasses.replace(TINY, **extra))
    whole = train("lenet_like", make_faces(), store=store / "whole")
    train_and_stop_after(2, monkeypatch, "lenet_like", make_faces())
    again = train("lenet_like", make_faces())
    assert whole.history == again.history
    np.testing.assert_array_equal(whole.test_probabilities, again.test_probabilities)


@pytest.mark.parametrize("content", [b"", b"damaged", "first half", "flipped"])
def test_a_damaged_checkpoint_is_named_and_training_starts_over(epochs, monkeypatch, capsys, store, content):
    train_and_stop_after(2, monkeypatch, "lenet_like", make_faces())
    (checkpoint,) = store.rglob("*.unfinished.npz")
    whole = checkpoint.read_bytes()
    if content == "first half":
        content = whole[: len(whole) // 2]
    elif content == "flipped":
        content = whole[:1000] + bytes([whole[1000] ^ 255]) + whole[1001:]
    checkpoint.write_bytes(content)
    epochs.clear()
    train("lenet_like", make_faces())
    assert epochs == [0, 1, 2]
    assert capsys.readouterr().out == "seed-0.unfinished.npz is damaged: training starts from the beginning\n"


def test_a_checkpoint_of_a_changed_experiment_is_left_aside(epochs, monkeypatch):
    train_and_stop_after(2, monkeypatch, "lenet_like", make_faces())
    changed = dataclasses.replace(find_experiment("lenet_like"), augmentation="mild")
    monkeypatch.setitem(EXPERIMENTS, "lenet_like", changed)
    train("lenet_like", make_faces())
    assert epochs == [0, 1, 0, 1, 2]


@pytest.mark.parametrize(
    "changes",
    [{"learning_rate": 2e-3}, {"width": 0.15}, {"epochs": 2}, {"batch_size": 16}, {"train_images": 50}],
    ids=str,
)
def test_a_checkpoint_of_another_recipe_is_left_aside(epochs, monkeypatch, capsys, changes):
    train_and_stop_after(2, monkeypatch, "lenet_like", make_faces())
    epochs.clear()
    recipe = dataclasses.replace(TINY, **changes)
    monkeypatch.setitem(RECIPES, "quick", recipe)
    train("lenet_like", make_faces())
    assert epochs == list(range(recipe.epochs))
    assert "damaged" not in capsys.readouterr().out


def test_a_checkpoint_of_a_changed_network_is_left_aside(epochs, monkeypatch):
    train_and_stop_after(2, monkeypatch, "lenet_like", make_faces())
    epochs.clear()
    monkeypatch.setitem(NETWORKS, "lenet_like", lambda width, **others: build_small_network(2 * width, **others))
    train("lenet_like", make_faces())
    assert epochs == [0, 1, 2]


def test_retrain_does_not_go_on_from_a_checkpoint(epochs, monkeypatch):
    train_and_stop_after(2, monkeypatch, "lenet_like", make_faces())
    epochs.clear()
    train("lenet_like", make_faces(), retrain=True)
    assert epochs == [0, 1, 2]


def test_no_mutation_of_a_checkpoint_passes_unseen(tmp_path):
    network, path, task = build_small_network(0.1), tmp_path / "seed-0.unfinished.npz", {"experiment": "lenet_like"}
    compile_network(network, TINY, 96)
    progress = Progress(2, 1.5, {"accuracy": [0.25, 0.5]}, 1, read_variables(network.variables))
    save_checkpoint(network, progress, path, task)
    content, states = path.read_bytes(), read_variables([*network.variables, *network.optimizer.variables])
    for mutated in mutate(content, np.random.default_rng(0), 200):
        path.write_bytes(mutated)
        if found := load_checkpoint(network, path, task):
            for array, expected in zip(found.best_variables, progress.best_variables, strict=True):
                np.testing.assert_array_equal(array, expected)
            assert dataclasses.replace(found, best_variables=[]) == dataclasses.replace(progress, best_variables=[])
        for variable, expected in zip([*network.variables, *network.optimizer.variables], states, strict=True):
            np.testing.assert_array_equal(keras.ops.convert_to_numpy(variable), expected)
