"""Trainings: repeatable, recorded, told of. The sets are tiny and the networks narrow; nothing is learnt here."""

import dataclasses
import importlib.util
import json
import os
import random
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from tqdm import tqdm

import forked
from fer_utils import device, environment
from fer_utils.device import keras
from fer_utils.environment import PROJECT
from fer_utils.evaluation.compare import confusion_matrix
from fer_utils.models.prediction import predict, predict_views
from fer_utils.training import loop, origin
from fer_utils.training.build import load_network
from fer_utils.training.compiling import compile_network
from fer_utils.training.experiments import EXPERIMENTS, RECIPES, find_experiment
from fer_utils.training.learned import lesson_of_labels
from fer_utils.training.loop import train
from fer_utils.training.runs import list_runs, load_run
from small_training import (
    TINY,
    assert_same_arrays,
    build_small_network,
    make_faces,
    make_split,
    train_and_stop_after,
    train_briefly,
    weights_of,
)

pytestmark = pytest.mark.usefixtures("store")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """One real training of the tiny recipe, with augmentation, in a store of its own."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("FER_RUNS", str(tmp_path_factory.mktemp("runs")))
        monkeypatch.setenv("FER_PROFILE", "quick")
        monkeypatch.setenv("FER_PROGRESS", "0")
        monkeypatch.setitem(RECIPES, "quick", TINY)
        return train("lenet_like_augmented", make_faces())


@pytest.mark.slow
def test_the_same_seed_gives_the_same_numbers_to_the_bit_and_nothing_is_printed(run, capfd):
    again = train("lenet_like_augmented", make_faces())
    assert capfd.readouterr() == ("", "")
    assert again.folder != run.folder
    assert again.history == run.history
    assert again.best_epoch == run.best_epoch
    np.testing.assert_array_equal(again.test_probabilities, run.test_probabilities)
    np.testing.assert_array_equal(again.validation_confusion, run.validation_confusion)


# --- the numbers ---


def test_history_has_one_number_per_epoch(run):
    assert set(run.history) == {"accuracy", "loss", "val_accuracy", "val_loss"}
    assert {len(values) for values in run.history.values()} == {TINY.epochs}
    assert np.isfinite(list(run.history.values())).all()


def test_the_record_agrees_with_itself(run):
    labels = make_faces().test.labels
    assert run.test_probabilities.shape == (35, 7)
    np.testing.assert_array_equal(run.confusion, confusion_matrix(labels, run.test_predictions))
    np.testing.assert_array_equal(run.test_correct, run.test_predictions == labels)
    assert run.test_accuracy == pytest.approx(np.trace(run.confusion) / 35)


def test_the_best_epoch_is_the_one_recorded(run):
    best = max(run.history["val_accuracy"])
    assert run.history["val_accuracy"].index(best) == run.best_epoch - 1
    assert run.validation_accuracy == pytest.approx(best)


def test_the_weights_kept_are_those_of_the_best_epoch_not_the_last(small_network, monkeypatch):
    faces, predictions, accuracies = make_faces(), [], [0.3, 0.9, 0.5]

    def validate(network, validation):
        predictions.append(predict(network, validation.images))
        return {"val_accuracy": accuracies[len(predictions) - 1], "val_loss": 1.0}

    monkeypatch.setattr(loop, "_validate", validate)
    run = train("lenet_like", faces)
    assert run.best_epoch == 2
    assert not np.array_equal(predictions[1], predictions[2])
    kept = predict(load_network(run), faces.validation.images)
    np.testing.assert_allclose(kept, predictions[1], atol=2e-3)
    assert np.abs(kept - predictions[2]).max() > 1e-2
    expected = confusion_matrix(faces.validation.labels, predictions[1].argmax(axis=1))
    np.testing.assert_array_equal(run.validation_confusion, expected)


def test_late_epochs_are_judged_each_with_its_own_weights_and_the_kept_ones_stay(small_network, store, monkeypatch):
    weights, of_epoch = [], loop.fit_one_epoch

    def fit_one_epoch(network, *arguments):
        scores = of_epoch(network, *arguments)
        weights.append(network.get_weights())
        return scores

    monkeypatch.setattr(loop, "fit_one_epoch", fit_one_epoch)
    monkeypatch.setitem(RECIPES, "quick", dataclasses.replace(TINY, keep="last", late=2))
    faces = make_faces()
    run = loop.train("lenet_like", faces, retrain=True)
    network = load_network(run)
    for place, of_one in enumerate(weights[1:]):
        network.set_weights(of_one)
        right = predict(network, faces.test.images).argmax(axis=1) == faces.test.labels
        np.testing.assert_array_equal(run.late_correct[place], right)
    np.testing.assert_array_equal(run.late_correct[-1], run.test_correct)
    assert load_run(run.folder).late_correct.shape == (2, 35)


def test_of_equal_epochs_the_first_is_kept(epochs, monkeypatch):
    monkeypatch.setattr(loop, "_validate", lambda *_: {"val_accuracy": 0.5, "val_loss": 1.0})
    assert train("lenet_like", make_faces()).best_epoch == 1


def test_kept_weights_predict_what_was_recorded(run):
    network = load_network(run)
    assert not network.compiled
    np.testing.assert_allclose(predict(network, make_faces().test.images), run.test_probabilities, atol=5e-3)


def test_the_record_judges_as_many_views_as_the_experiment_wants(small_network, monkeypatch):
    monkeypatch.setitem(EXPERIMENTS, "lenet_like", dataclasses.replace(find_experiment("lenet_like"), views=10))
    faces = make_faces()
    run = train("lenet_like", faces)
    network = load_network(run)
    assert run.views == 10 and load_run(run.folder).views == 10
    np.testing.assert_allclose(run.test_probabilities, predict_views(network, faces.test.images, 10), atol=5e-3)
    assert np.abs(run.test_probabilities - predict(network, faces.test.images)).max() > 5e-3


def test_test_images_are_opened_once_and_after_the_training(small_network, monkeypatch):
    faces, opened = make_faces(), []

    class WatchedSplit:
        labels = faces.test.labels

        @property
        def images(self):
            opened.append("test images")
            return faces.test.images

    def fit(*arguments):
        progress = fit_for_real(*arguments)
        opened.append("training over")
        return progress

    fit_for_real = loop.fit_epochs
    monkeypatch.setattr(loop, "fit_epochs", fit)
    train("lenet_like", dataclasses.replace(faces, test=WatchedSplit()))
    assert opened == ["training over", "test images"]


def test_a_training_leaves_the_random_streams_of_its_caller_as_they_are(small_network, kept_streams):
    tensorflow = pytest.importorskip("tensorflow")

    def draw():
        ours = random.random(), np.random.random()  # noqa: NPY002
        return *ours, float(keras.random.uniform(())), float(tensorflow.random.uniform(()))

    keras.utils.set_random_seed(5)
    expected = draw(), draw()
    keras.utils.set_random_seed(5)
    first = draw()
    run = train("lenet_like_augmented", make_faces())
    load_network(run)
    assert (first, draw()) == expected


@pytest.mark.slow
def test_another_seed_gives_other_numbers(run):
    other = train("lenet_like_augmented", make_faces(), seed=1)
    assert other.history["loss"] != run.history["loss"]
    assert not np.array_equal(other.test_probabilities, run.test_probabilities)


def test_the_learning_rate_falls_to_zero_along_half_a_cosine(small_network, monkeypatch):
    rates = []
    keep = loop._note_epoch

    def note_epoch(progress, scores, network, which):
        keep(progress, scores, network, which)
        rates.append(float(network.optimizer.learning_rate))

    monkeypatch.setattr(loop, "_note_epoch", note_epoch)
    train("lenet_like", make_faces())
    np.testing.assert_allclose(rates, TINY.learning_rate * (1 + np.cos(np.pi * np.array([1, 2, 3]) / 3)) / 2, atol=1e-9)


def test_a_recipe_with_mixup_learns_from_mixtures(small_network, monkeypatch):
    seen = []

    def see(images, targets, strength, random):
        seen.append((images.shape, targets.shape, strength))
        return images, targets

    monkeypatch.setattr(loop, "mix_pairs", see)
    train("lenet_like", make_faces())
    assert not seen
    monkeypatch.setitem(RECIPES, "quick", dataclasses.replace(TINY, mixup=0.2))
    train("lenet_like", make_faces(), retrain=True)
    assert seen[0] == ((TINY.batch_size, 48, 48, 1), (TINY.batch_size, 7), 0.2)


def test_the_running_mean_of_the_weights_is_judged_and_kept_and_training_goes_on_from_the_weights():
    network = build_small_network(1.0)
    compile_network(network, dataclasses.replace(TINY, ema_decay=0.5), 64)
    batch = make_faces().train.images[:8], np.eye(7)[make_faces().train.labels[:8]]
    network.train_on_batch(*batch)  # the mean begins with the weights after the first step
    start = [variable.numpy().copy() for variable in network.trainable_variables]
    network.train_on_batch(*batch)
    moved = [variable.numpy().copy() for variable in network.trainable_variables]
    assert any(not np.allclose(a, b) for a, b in zip(start, moved, strict=True))
    with loop._weights_to_judge(network):
        judged = [variable.numpy().copy() for variable in network.trainable_variables]
    for before, mean, after, now in zip(start, judged, moved, network.trainable_variables, strict=True):
        low, high = np.minimum(before, after) - 1e-5, np.maximum(before, after) + 1e-5
        assert np.all((mean >= low) & (mean <= high))
        np.testing.assert_allclose(now.numpy(), after, atol=1e-6)
    assert any(not np.allclose(mean, after) for mean, after in zip(judged, moved, strict=True))


# --- the progress bar ---


def test_progress_bar_tells_epoch_loss_accuracy_and_time_left(small_network, monkeypatch, capsys):
    monkeypatch.setenv("FER_PROGRESS", "1")
    monkeypatch.delitem(sys.modules, "ipykernel", raising=False)
    bar = environment.progress_bar
    monkeypatch.setattr(loop, "progress_bar", lambda **options: bar(**{**options, "mininterval": 0}))
    run = train("lenet_like", make_faces())
    out, err = capsys.readouterr()
    assert out == ""
    lines = [line.strip() for line in err.split("\r")]
    assert lines[1].startswith("lenet_like   0% |")
    assert lines[-1] == "", "the bar is removed when done"
    last = [line for line in lines if "100%" in line][-1]
    loss, accuracy, judged = (run.history[name][-1] for name in ("loss", "accuracy", "val_accuracy"))
    words = f"after 3: loss {loss:.2f}, accuracy {accuracy:.1%}, validation {judged:.1%}"
    assert last.endswith(f"00:00 left, epoch 3/3; {words}")


def test_progress_bar_ends_at_exactly_its_total(small_network, monkeypatch):
    bars = []
    monkeypatch.setattr(loop, "progress_bar", lambda **options: bars.append(tqdm(**options, leave=False)) or bars[-1])
    monkeypatch.setitem(RECIPES, "quick", dataclasses.replace(TINY, batch_size=28))  # a last batch of 12
    monkeypatch.setenv("FER_PROFILE", "quick")
    train("lenet_like", make_faces())
    assert (type(bars[0].n), bars[0].n) == (int, bars[0].total)


def test_progress_bar_goes_on_where_the_training_was_stopped(epochs, monkeypatch, capsys):
    train_and_stop_after(2, monkeypatch, "lenet_like", make_faces())
    monkeypatch.setenv("FER_PROGRESS", "1")
    monkeypatch.delitem(sys.modules, "ipykernel", raising=False)
    train("lenet_like", make_faces())
    assert "lenet_like  67% |" in capsys.readouterr().err


def test_progress_bar_is_plain_text_on_standard_output_in_a_notebook(epochs, monkeypatch, capsys):
    monkeypatch.setenv("FER_PROGRESS", "1")
    monkeypatch.setitem(sys.modules, "ipykernel", None)
    train("lenet_like", make_faces())
    out, err = capsys.readouterr()
    assert "lenet_like   0% |" in out
    assert err == ""


# --- what is asked for wrongly ---


def test_an_unknown_experiment_is_refused():
    with pytest.raises(ValueError, match="there is no experiment 'alexnet'; there are: lenet_like"):
        train("alexnet", make_faces())


def test_an_unknown_profile_is_refused(monkeypatch):
    monkeypatch.setenv("FER_PROFILE", "fast")
    with pytest.raises(ValueError, match="FER_PROFILE is 'fast'; expected one of quick, full"):
        train("lenet_like", make_faces())


# --- the record's facts ---


def test_the_record_says_where_and_with_what_it_was_made(run):
    assert set(run.versions) == {"python", "keras", "numpy", keras.backend.backend()}
    assert run.versions["keras"] == keras.__version__
    assert run.commit and run.device
    assert run.seconds > 0
    assert (run.experiment, run.model, run.seed) == ("lenet_like_augmented", "lenet_like", 0)
    assert (run.profile, run.dataset, run.fingerprint) == ("quick", "noise", "0123456789abcdef")
    stored = json.loads((run.folder / "run.json").read_text(encoding="utf-8"))
    for name in ("history", "best_epoch", "recipe", "seconds", "versions", "device", "commit", "test_accuracy"):
        assert stored[name] == getattr(run, name)


def test_the_commit_is_unknown_outside_a_clone_even_inside_another_repository(monkeypatch, tmp_path):
    identity = ["-c", "user.name=a", "-c", "user.email=a@b"]
    for command in (["init", "-q"], [*identity, "commit", "-q", "--allow-empty", "-m", "of another project"]):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)
    monkeypatch.setattr(origin, "PROJECT", tmp_path)
    assert origin.find_commit() != "unknown", "else the test tries nothing"
    installed = tmp_path / "site-packages"
    installed.mkdir()
    monkeypatch.setattr(origin, "PROJECT", installed)
    assert origin.find_commit() == "unknown"


# --- other processes: a real kill, another backend ---


# Two epochs of two whole batches and one of 16 images, with mixtures, augmentation (which XLA compiles), dropout and a
# running mean.
BOTH_WAYS = """
import dataclasses, warnings
import numpy as np
from fer_utils.training import build, checkpoint, compiling, loop
from fer_utils.training.experiments import find_experiment
from fer_utils.training.learned import lesson_of_labels
from small_training import TINY, build_small_network, make_faces
build.NETWORKS["fast"] = build_small_network
recipe = dataclasses.replace(TINY, batch_size=40, mixup=0.2, dropout=0.5, ema_decay=0.5)
experiment = dataclasses.replace(find_experiment("fast"), augmentation="affine")
lesson, found = lesson_of_labels(make_faces().train), []

def train_on_each_batch(network, batches):
    # Keras's slow way, one call per batch.
    numbers = []
    for images, wanted in batches:
        told = network.train_on_batch(images, wanted, return_dict=True)
        numbers.append([len(wanted), told["loss"], told["accuracy"]])
    of_images, *means = np.array(numbers).T
    return dict(zip(("loss", "accuracy"), (np.average(mean, weights=of_images) for mean in means)))

warnings.simplefilter("error", UserWarning)
for train_on, kind, extras in ((train_on_each_batch, "CPU", ()), (loop._train_with_fit, "GPU", (3,))):
    loop.device.kind = lambda: kind  # a GPU gets all images at once
    network, numbers, seen = build.build_network(experiment, recipe), [], []
    compiling.compile_network(network, recipe, len(lesson.images))
    for epoch in (0, 1):
        scores = train_on(network, loop._mixed_batches(lesson, recipe, 0, epoch, seen.append), *extras)
        numbers += [scores["loss"], scores["accuracy"]]
    assert sorted(seen) == [16, 16, 40, 40, 40, 40]
    found.append([np.array(numbers), *map(np.array, checkpoint._state(network))])
for one, other in zip(*found, strict=True):
    np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)
"""

# Without optimisation the compiler takes a third less time.
WITH_JAX = {"KERAS_BACKEND": "jax", "XLA_FLAGS": "--xla_backend_optimization_level=0"}

needs_jax = pytest.mark.skipif(
    importlib.util.find_spec("jax") is None, reason='JAX is not installed: pip install ".[jax]"'
)


UNDER_JAX = f"""
import sys
sys.path[:0] = ["tests", "."]
from small_training import train_briefly
train_briefly("lenet_like_augmented", 2)
{BOTH_WAYS}
print("both ways")
"""


def variables(store, **settings):
    """What a process that trains into `store` finds in its environment."""
    return {**os.environ, "FER_PROFILE": "quick", "FER_PROGRESS": "0", "FER_RUNS": str(store), **settings}


@pytest.fixture(scope="module")
def under_jax(tmp_path_factory):
    """(store, output) of a process that does under JAX what `UNDER_JAX` says."""
    store = tmp_path_factory.mktemp("jax")
    command = [sys.executable, "-c", UNDER_JAX]
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "encoding": "utf-8"}
    process = subprocess.run(command, cwd=PROJECT, env=variables(store, **WITH_JAX), timeout=300, **streams)
    assert process.returncode == 0, process.stdout
    return store, process.stdout


def start_training(store, experiment, epochs):
    """A process that trains a small network as `experiment` says on the tiny faces, and keeps the run in `store`."""
    return forked.start(train_briefly, experiment, epochs, env=variables(store), cwd=PROJECT)


def wait_for(process):
    """Waits for a training to end well."""
    process.join(300)
    assert process.exitcode == 0


def finished_epochs(store):
    """How many epochs the checkpoint in `store` has behind it."""
    for checkpoint in store.rglob("*.unfinished.npz"):
        with np.load(checkpoint) as stored:
            return json.loads(str(stored["facts"]))["epoch"]
    return 0


def kill_after_epoch(process, store, epoch):
    """Kills `process` as soon as its checkpoint of `epoch` is there, with the signal that cannot be caught."""
    while finished_epochs(store) < epoch:
        assert process.is_alive()
        time.sleep(0.005)
    process.kill()
    process.join()
    assert process.exitcode == -signal.SIGKILL


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_a_killed_training_ends_like_one_never_stopped(tmp_path):
    experiment, epochs = "lenet_like_augmented", 30
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    uninterrupted = start_training(whole, experiment, epochs)
    kill_after_epoch(start_training(stopped, experiment, epochs), stopped, epoch=2)
    assert 2 <= finished_epochs(stopped) < epochs
    assert list_runs(next(stopped.iterdir())) == ([], [])
    wait_for(start_training(stopped, experiment, epochs))
    wait_for(uninterrupted)

    ((expected,), _), ((found,), problems) = (list_runs(next(store.iterdir())) for store in (whole, stopped))
    assert problems == []
    assert found.history == expected.history
    assert len(found.history["loss"]) == epochs
    assert found.best_epoch == expected.best_epoch
    np.testing.assert_array_equal(found.test_probabilities, expected.test_probabilities)
    np.testing.assert_array_equal(found.validation_confusion, expected.validation_confusion)
    assert_same_arrays(weights_of(found), weights_of(expected))


@pytest.mark.slow
@needs_jax
def test_under_jax_an_epoch_gives_the_numbers_of_its_batches_one_by_one(under_jax):
    _, output = under_jax
    assert "both ways\n" in output, output


@pytest.mark.parametrize(("backend", "way"), [("tensorflow", "_train_by_step"), ("jax", "_train_with_fit")])
def test_fit_trains_under_jax_alone(monkeypatch, backend, way):
    monkeypatch.setattr(keras.backend, "backend", lambda: backend)
    for name in ("_train_by_step", "_train_with_fit"):
        monkeypatch.setattr(loop, name, lambda *_, name=name: name)
    assert loop.fit_one_epoch(build_small_network(1.0), lesson_of_labels(make_split(96, 1)), TINY, 0, 0, None) == way


@pytest.mark.slow
@needs_jax
def test_the_same_experiment_trains_under_jax(under_jax, small_network):
    store, _ = under_jax
    (run,), problems = list_runs(next(store.iterdir()))
    assert problems == []
    assert {"jax", "keras"} <= set(run.versions)
    assert "tensorflow" not in run.versions
    assert all(len(values) == 2 and np.isfinite(values).all() for values in run.history.values())
    assert run.validation_accuracy == pytest.approx(max(run.history["val_accuracy"]))
    # Its weights serve the other backend: this process's.
    np.testing.assert_allclose(predict(load_network(run), make_faces().test.images), run.test_probabilities, atol=1e-2)


def test_float16_is_trained_with_a_scaled_loss(small_network, store, monkeypatch):
    """As on a GPU that knows no bfloat16; the processor imitates it."""
    monkeypatch.setattr(device, "choose_precision", lambda width: device.FLOAT16)
    monkeypatch.setitem(RECIPES, "quick", dataclasses.replace(TINY, epochs=4, ema_decay=0.5))
    optimizers = []
    compile_as_it_is = loop.compile_network

    def compile_and_note(network, *arguments):
        compile_as_it_is(network, *arguments)
        optimizers.append(network.optimizer)

    monkeypatch.setattr(loop, "compile_network", compile_and_note)
    faces = make_faces()
    train_and_stop_after(2, monkeypatch, "lenet_like", faces)
    run = loop.train("lenet_like", faces)
    assert all(isinstance(optimizer, keras.optimizers.LossScaleOptimizer) for optimizer in optimizers)
    assert run.precision == device.FLOAT16 and np.isfinite(run.history["loss"]).all()
    assert np.isfinite(run.test_probabilities.astype(float)).all()
    whole = loop.train("lenet_like", faces, store=store / "whole")
    assert whole.history == run.history, "stopped and continued, the scale of the loss goes on, too"
    assert float(optimizers[-1].dynamic_scale) > 1
