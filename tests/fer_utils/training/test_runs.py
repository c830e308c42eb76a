"""Runs on disk: what is saved comes back; what is damaged is named and never a crash."""

import dataclasses
import json
from types import SimpleNamespace

import h5py
import numpy as np
import pytest

from fer_utils import environment
from fer_utils.device import keras
from fer_utils.models.of_report import lenet_like, resnet_like
from fer_utils.training.runs import (
    ARRAYS,
    WEIGHTS,
    Run,
    RunError,
    list_runs,
    load_run,
    save_half_precision,
    save_run,
    write_facts,
)
from small_training import make_run, mutate


def assert_same_run(found, expected):
    for field in dataclasses.fields(Run):
        if field.name in ARRAYS:
            assert getattr(found, field.name).dtype == getattr(expected, field.name).dtype
            np.testing.assert_array_equal(getattr(found, field.name), getattr(expected, field.name))
        elif field.name not in ("folder", "digests"):
            assert getattr(found, field.name) == getattr(expected, field.name)


def test_a_run_comes_back_as_it_was_saved(tmp_path):
    run = make_run()
    saved = save_run(run, tmp_path / "lenet_like" / "seed-0")
    loaded = load_run(tmp_path / "lenet_like" / "seed-0")
    assert saved.folder == loaded.folder == tmp_path / "lenet_like" / "seed-0"
    assert_same_run(saved, run)
    assert_same_run(loaded, run)
    assert not (loaded.folder / WEIGHTS).exists()


@pytest.mark.parametrize(("earlier", "now"), [(False, "none"), (True, "mild"), ("strong", "strong")])
def test_a_run_of_an_earlier_version_is_read_in_today_s_words(tmp_path, earlier, now):
    folder = save_run(make_run(), tmp_path / "lenet_like" / "seed-0").folder
    facts = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    facts["recipe"]["mean_decay"] = 0.99
    change_facts(folder, augmentation=earlier, recipe=facts["recipe"])
    run = load_run(folder)
    assert run.augmentation == now and run.recipe["ema_decay"] == 0.99 and "mean_decay" not in run.recipe


def test_predictions_and_validation_accuracy_follow_from_what_is_stored():
    run = make_run(validation_confusion=np.diag([3] * 7) + 1)
    np.testing.assert_array_equal(run.test_predictions, np.argmax(run.test_probabilities, axis=1))
    assert run.validation_accuracy == pytest.approx(28 / 70)  # 7 times 3 + 1 on the diagonal, 49 more in all


def test_runs_are_listed_by_experiment_and_seed(tmp_path):
    for experiment, seed in (("vgg_like", 0), ("lenet_like", 10), ("lenet_like", 2)):
        save_run(make_run(experiment=experiment, seed=seed), tmp_path / experiment / f"seed-{seed}")
    (tmp_path / "lenet_like" / "seed-3.unfinished.npz").touch()
    found, problems = list_runs(tmp_path)
    assert [(run.experiment, run.seed) for run in found] == [("lenet_like", 2), ("lenet_like", 10), ("vgg_like", 0)]
    assert problems == []
    assert list_runs(tmp_path / "nothing_here") == ([], [])


def without_run_json(folder):
    (folder / "run.json").unlink()


def without_arrays(folder):
    (folder / "arrays.npz").unlink()


def half_a_run_json(folder):
    text = (folder / "run.json").read_text(encoding="utf-8")
    (folder / "run.json").write_text(text[: len(text) // 2], encoding="utf-8")


def run_json_that_is_a_list(folder):
    (folder / "run.json").write_text("[1]", encoding="utf-8")


def run_json_of_bytes(folder):
    (folder / "run.json").write_bytes(b"\xff\xfe\x00")


def half_the_arrays(folder):
    content = (folder / "arrays.npz").read_bytes()
    (folder / "arrays.npz").write_bytes(content[: len(content) // 2])


def empty_arrays(folder):
    (folder / "arrays.npz").write_bytes(b"")


def one_array_missing(folder):
    np.savez(folder / "arrays.npz", **{name: np.zeros(1) for name in ARRAYS[1:]})


def pickled_arrays(folder):
    np.savez(folder / "arrays.npz", **{name: np.array([{}], dtype=object) for name in ARRAYS})


def another_version(folder):
    change_facts(folder, format=99)


def unknown_fact(folder):
    change_facts(folder, mood="good")


def fact_missing(folder):
    facts = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    del facts["commit"], facts["digests"]
    write_facts(facts, folder)


def accuracy_of_another_run(folder):
    change_facts(folder, test_accuracy=0.75)


def copied_from_another_seed(folder):
    change_facts(folder, seed=7)


def another_accuracy_by_hand(folder):
    text = (folder / "run.json").read_text(encoding="utf-8")
    (folder / "run.json").write_text(text.replace('"seconds": 12.3', '"seconds": 12.4'), encoding="utf-8")


def without_digests(folder):
    facts = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    del facts["digests"]
    (folder / "run.json").write_text(json.dumps(facts), encoding="utf-8")


def arrays_of_another_run(folder):
    other = save_run(make_run(np.arange(70) % 3 == 0), folder.parents[1] / "other").folder
    (folder / "arrays.npz").write_bytes((other / "arrays.npz").read_bytes())


def change_facts(folder, **changes):
    """Writes a run as a version of the course would that knows these facts."""
    facts = {**json.loads((folder / "run.json").read_text(encoding="utf-8")), **changes}
    del facts["digests"]
    write_facts(facts, folder)


@pytest.mark.parametrize(
    ("damage", "expected"),
    [
        (without_run_json, "run.json cannot be read: No such file"),
        (without_arrays, "arrays.npz cannot be read: No such file"),
        (half_a_run_json, "run.json is damaged"),
        (run_json_that_is_a_list, "run.json is damaged"),
        (run_json_of_bytes, "run.json is damaged"),
        (half_the_arrays, "arrays.npz is damaged"),
        (empty_arrays, "arrays.npz is damaged"),
        (one_array_missing, "arrays.npz is damaged"),
        (pickled_arrays, "arrays.npz is damaged"),
        (another_version, "run.json was written by another version of the course"),
        (unknown_fact, "run.json is damaged (TypeError: "),
        (fact_missing, "run.json is damaged (TypeError: "),
        (accuracy_of_another_run, "run.json is damaged (ValueError: 35 of 70 test images are right"),
        (copied_from_another_seed, "run.json is of lenet_like, seed 7: a copy?"),
        (another_accuracy_by_hand, "run.json is damaged (ValueError: its facts were changed since it was saved)"),
        (without_digests, "run.json is damaged (ValueError: its facts were changed since it was saved)"),
        (arrays_of_another_run, "arrays.npz is damaged, or is not the file that was saved with the run"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_an_unreadable_run_is_named_and_the_others_are_listed(tmp_path, damage, expected):
    for seed in (0, 1):
        save_run(make_run(seed=seed), tmp_path / "lenet_like" / f"seed-{seed}")
    damage(tmp_path / "lenet_like" / "seed-0")
    found, (problem,) = list_runs(tmp_path)
    assert [run.seed for run in found] == [1]
    assert problem.startswith(f"lenet_like/seed-0/{expected}")
    assert str(tmp_path) not in problem, "notebooks store these lines: no absolute path"


def test_loading_an_unreadable_run_is_an_error(tmp_path):
    save_run(make_run(), tmp_path / "seed-0")
    half_the_arrays(tmp_path / "seed-0")
    with pytest.raises(RunError, match="arrays.npz is damaged"):
        load_run(tmp_path / "seed-0")


def test_no_flipped_bit_makes_listing_crash(tmp_path):
    arrays = save_run(make_run(), tmp_path / "lenet_like" / "seed-0").folder / "arrays.npz"
    content = arrays.read_bytes()
    refused = 0
    for place in range(0, len(content), 7):
        for bit in (1, 8, 128):
            flipped = bytearray(content)
            flipped[place] ^= bit
            arrays.write_bytes(flipped)
            refused += len(list_runs(tmp_path)[1])
    assert refused == 3 * len(range(0, len(content), 7))


@pytest.mark.parametrize("name", ["run.json", "arrays.npz"])
def test_no_mutation_of_a_run_passes_unseen(tmp_path, name):
    path = save_run(make_run(), tmp_path / "lenet_like" / "seed-0").folder / name
    whole, random = path.read_bytes(), np.random.default_rng(0)
    expected = load_run(path.parent)
    for mutated in mutate(whole, random, 200):
        path.write_bytes(mutated)
        found, problems = list_runs(tmp_path)
        if problems:
            assert problems[0].startswith("lenet_like/seed-0/")
        else:
            assert_same_run(found[0], expected)


def test_a_failure_while_writing_leaves_no_folder(tmp_path, monkeypatch):
    monkeypatch.setattr("fer_utils.training.runs.save_half_precision", fail)
    with pytest.raises(OSError, match="disk full"):
        save_run(make_run(), tmp_path / "seed-0", model="a network")
    assert list(tmp_path.iterdir()) == []


def test_a_failure_while_writing_keeps_the_old_run(tmp_path, monkeypatch):
    save_run(make_run(seconds=1.0), tmp_path / "seed-0")
    monkeypatch.setattr("fer_utils.training.runs.save_half_precision", fail)
    with pytest.raises(OSError, match="disk full"):
        save_run(make_run(seconds=2.0), tmp_path / "seed-0", model="a network")
    assert [path.name for path in tmp_path.iterdir()] == ["seed-0"]
    assert load_run(tmp_path / "seed-0").seconds == 1.0


def fail(*_, **__):
    raise OSError("disk full")


def test_a_disk_that_is_full_for_the_weights_is_said_as_of_any_other_file(tmp_path, monkeypatch):
    def save(path):
        raise RuntimeError("Unable to synchronously create dataset (file write failed: No space left on device)")

    with pytest.raises(OSError, match="the weights could not be written .*No space left"):
        save_half_precision(SimpleNamespace(save_weights=save), tmp_path / WEIGHTS)
    assert list(tmp_path.iterdir()) == []


def test_saving_again_replaces_the_whole_folder(tmp_path):
    folder = save_run(make_run(seconds=1.0), tmp_path / "seed-0").folder
    (folder / WEIGHTS).touch()
    save_run(make_run(seconds=2.0), folder)
    assert sorted(path.name for path in folder.iterdir()) == ["arrays.npz", "run.json"]
    assert load_run(folder).seconds == 2.0


def test_what_a_killed_process_left_is_no_hindrance(tmp_path):
    leftover = tmp_path / ".seed-0.tmp"
    leftover.mkdir()
    (leftover / "run.json").touch()
    save_run(make_run(), tmp_path / "seed-0")
    assert [path.name for path in tmp_path.iterdir()] == ["seed-0"]


def test_a_run_that_was_being_replaced_when_the_process_died_is_found_again(tmp_path):
    folder = tmp_path / "lenet_like" / "seed-0"
    for find in (load_run, lambda _: list_runs(tmp_path)[0][0]):
        save_run(make_run(), folder)
        folder.rename(folder.with_name(".seed-0.old"))
        save_run(make_run(seconds=2.0), folder.with_name(".seed-0.tmp"))
        assert_same_run(find(folder), make_run())
    save_run(make_run(seconds=3.0), folder)
    assert [path.name for path in folder.parent.iterdir()] == ["seed-0"]


def test_a_run_of_a_store_that_cannot_be_written_to_is_named(tmp_path, monkeypatch):
    save_run(make_run(), tmp_path / ".seed-0.old")
    monkeypatch.setattr(environment, "FileLock", fail)
    with pytest.raises(RunError, match="run.json cannot be read: No such file"):
        load_run(tmp_path / "seed-0")
    assert load_run(tmp_path / ".seed-0.old")


@pytest.fixture(scope="module")
def network():
    """A small network with an optimiser and with statistics that are not the initial ones."""
    keras.utils.set_random_seed(0)
    network = resnet_like(width=0.1)
    optimizer = keras.optimizers.Adam()
    optimizer.build(network.trainable_variables)
    network.compile(optimizer, loss="sparse_categorical_crossentropy")
    random = np.random.default_rng(0)
    for variable in network.variables:
        if variable.path.endswith(("moving_mean", "beta")):
            variable.assign(random.normal(0, 0.3, variable.shape))
    return network


def contents(path):
    """{name: array} of every data set in an HDF5 file."""
    found = {}
    with h5py.File(path) as file:
        file.visititems(lambda name, item: found.update({name: item[()]} if isinstance(item, h5py.Dataset) else {}))
    return found


def test_half_precision_weights_load_and_predict_nearly_the_same(network, tmp_path):
    save_half_precision(network, tmp_path / WEIGHTS)
    keras.utils.set_random_seed(1)
    fresh = resnet_like(width=0.1)
    images = np.random.default_rng(0).integers(0, 256, (16, 48, 48, 1), dtype=np.uint8)
    expected = keras.ops.convert_to_numpy(network(images))
    assert np.abs(keras.ops.convert_to_numpy(fresh(images)) - expected).max() > 0.05
    fresh.load_weights(tmp_path / WEIGHTS)
    np.testing.assert_allclose(keras.ops.convert_to_numpy(fresh(images)), expected, atol=5e-3)
    assert not fresh.compiled


def test_half_precision_files_hold_no_optimiser_and_half_the_bytes(network, tmp_path):
    full = tmp_path / "all.weights.h5"
    network.save_weights(full)
    assert any(name.startswith("optimizer") for name in contents(full)), "the test's own network is to have one"
    save_half_precision(network, tmp_path / WEIGHTS)
    stored = contents(tmp_path / WEIGHTS)
    assert not any("optimizer" in name for name in stored)
    assert {array.dtype for array in stored.values()} == {np.dtype(np.float16)}
    assert sum(array.size for array in stored.values()) == network.count_params()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["all.weights.h5", WEIGHTS]


def test_save_run_keeps_the_weights_of_the_model_it_is_given(tmp_path):
    network = lenet_like(width=0.05)
    folder = save_run(make_run(), tmp_path / "seed-0", network).folder
    assert sorted(path.name for path in folder.iterdir()) == ["arrays.npz", WEIGHTS, "run.json"]
