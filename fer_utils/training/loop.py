"""Trains: `train(experiment, faces, seed)` returns a `Run`, repeatable, resumable, recorded.

Everything random follows from the seed: the initial weights, the order and the mixing of the images (from the seed and
the epoch's number) and the augmentation (its state is part of the checkpoint). A training that is stopped goes on from
its last finished epoch and ends with the same weights as one that was never stopped.
"""

import contextlib
import dataclasses
import functools
import math
import time

import numpy as np

from fer_utils import device
from fer_utils.device import keras
from fer_utils.environment import current_profile, progress_bar
from fer_utils.evaluation import confusion_matrix
from fer_utils.models import count_multiply_adds, mix_pairs, predict, predict_views, set_share
from fer_utils.training.build import build_network
from fer_utils.training.checkpoint import (
    Progress,
    assign_variables,
    checkpoint_identity,
    load_checkpoint,
    read_variables,
    save_checkpoint,
)
from fer_utils.training.compiling import compile_network
from fer_utils.training.experiments import find_experiment, find_recipe
from fer_utils.training.learned import draw_images, find_lesson, learned_split
from fer_utils.training.origin import describe_machine, find_commit, list_versions
from fer_utils.training.recipes import read_definition
from fer_utils.training.runs import Run, save_run
from fer_utils.training.seeds import check_seed
from fer_utils.training.store import (
    checkpoint_file,
    explain_disk,
    find_finished,
    hold,
    lock_run,
    remove_checkpoint,
    run_folder,
    store_folder,
)

BAR = "{desc} {percentage:3.0f}% |{bar:20}| {remaining} left{postfix}"


def train(experiment, faces, seed=0, retrain=False, keep_weights=True, store=None, bar=None):
    """Trains the named `experiment` on `faces` by the current profile's recipe; returns its `Run`.

    A finished run is returned from the store instead of being trained again, unless `retrain`; a stopped one goes on;
    one that another process is training is waited for. `store` is a folder, by default that of `store_folder`.
    The weights kept are those of the epoch with the best validation accuracy, or of the last one if the recipe says so;
    the test images are opened once, when the training is over. Without `keep_weights` only the numbers are stored. A
    progress bar `bar` is moved on by the training's `training_cost`; without one, the training shows its own.
    Raises `ValueError` for an unknown experiment, `RunError` where a run cannot be written.
    """
    experiment, profile = find_experiment(experiment), current_profile()
    check_seed(seed)
    recipe = find_recipe(experiment, profile)
    folder = run_folder(store or store_folder(faces, profile), experiment.name, seed)
    lock = lock_run(folder)
    # Without the lock first: what is finished is shown in a store that cannot be written to, too.
    if not retrain and (finished := find_finished(folder, experiment, recipe, faces)):
        remove_checkpoint(folder)
        return finished
    with explain_disk(folder), hold(lock, folder):
        # Another process may have finished it meanwhile.
        if not retrain and (finished := find_finished(folder, experiment, recipe, faces, show=lambda _: None)):
            return finished
        return _train_and_save(experiment, profile, recipe, faces, seed, folder, retrain, keep_weights, bar)


def _train_and_save(experiment, profile, recipe, faces, seed, folder, retrain, keep_weights, bar):
    checkpoint = checkpoint_file(folder)
    precision = experiment.precision or device.choose_precision(recipe.width)
    if retrain:
        checkpoint.unlink(missing_ok=True)
    network = build_network(experiment, recipe, seed, precision)
    split = draw_images(learned_split(experiment, faces), recipe.train_images, seed)
    lesson = find_lesson(experiment, split, folder.parents[1])
    name = experiment.name if seed == 0 else f"{experiment.name}, seed {seed}"
    cost = training_cost(network, recipe, split)
    own_bar = {"desc": name, "total": cost, "bar_format": BAR, "mininterval": 0.5, "smoothing": 0}
    with contextlib.nullcontext(bar) if bar is not None else progress_bar(**own_bar) as bar:
        bar.set_description_str(name, refresh=False)
        task = checkpoint_identity(experiment, recipe, faces, seed, precision)
        progress = fit_epochs(network, lesson, faces.validation, recipe, seed, checkpoint, task, bar)
    run = _record(network, progress, experiment, profile, recipe, faces, seed, precision)
    run = save_run(run, folder, network if keep_weights else None)
    checkpoint.unlink(missing_ok=True)
    return run


def training_cost(network, recipe, split):
    """Returns the multiply-adds of a training's forward passes, an int: the training's time follows them."""
    n_images = min(recipe.train_images or math.inf, len(split.labels))
    return count_multiply_adds(network) * n_images * recipe.epochs


def count_as_done(bar, cost):
    """Moves `bar` on by work that was done earlier, which says nothing about today's speed."""
    if not bar.disable:
        bar.initial += cost
        bar.n += cost
        bar.refresh()


def fit_epochs(network, lesson, validation, recipe, seed, checkpoint, task, bar):
    """Trains epoch by epoch on a `Lesson`, with a checkpoint after each; returns the `Progress` at the end."""
    compile_network(network, recipe, len(lesson.images))
    progress = load_checkpoint(network, checkpoint, task) or Progress()
    if progress.epoch:
        bar.write(f"{task['experiment']}, seed {seed}: goes on after epoch {progress.epoch} of {recipe.epochs}")
        count_as_done(bar, progress.epoch * len(lesson.images) * count_multiply_adds(network))
    while progress.epoch < recipe.epochs:
        bar.set_postfix_str(_describe(progress, recipe), refresh=False)
        set_share(network, progress.epoch / max(1, recipe.epochs - 1))
        start = time.perf_counter()
        scores = fit_one_epoch(network, lesson, recipe, seed, progress.epoch, bar)
        progress.seconds += time.perf_counter() - start
        with _weights_to_judge(network):
            scores |= _validate(network, validation)
            _note_epoch(progress, scores, network, recipe)
        save_checkpoint(network, progress, checkpoint, task)
    bar.set_postfix_str(_describe(progress, recipe))
    return progress


def _describe(progress, recipe):
    """Returns words on the epoch that is under way, and the numbers at the end of the one before."""
    words = f"epoch {min(progress.epoch + 1, recipe.epochs)}/{recipe.epochs}"
    if not progress.epoch:
        return words
    loss, accuracy, judged = (progress.history[name][-1] for name in ("loss", "accuracy", "val_accuracy"))
    return f"{words}; after {progress.epoch}: loss {loss:.2f}, accuracy {accuracy:.1%}, validation {judged:.1%}"


def fit_one_epoch(network, lesson, recipe, seed, epoch, bar):
    """Trains the compiled `network` once over a `Lesson`; returns the epoch's mean loss and accuracy as a dict.

    A GPU gets the images before the first batch, and gives loss and accuracy back after the last one: it never waits
    for Python. Each batch moves `bar` on by its multiply-adds.

    On TensorFlow by Keras's own step and not by `network.fit`: its input pipeline lets an epoch end only when its own
    clock strikes, 5, 10, 20, 41, ... seconds after the start (notebook 08). On JAX by `network.fit`, which keeps the
    weights on the device from batch to batch. Both ways give the same numbers.
    """
    cost = count_multiply_adds(network)
    batches = _mixed_batches(lesson, recipe, seed, epoch, lambda n_images: bar.update(n_images * cost))
    if keras.backend.backend() == "jax":
        return _train_with_fit(network, batches, -(-len(lesson.images) // recipe.batch_size))
    return _train_by_step(network, batches)


def _mixed_batches(lesson, recipe, seed, epoch, count):
    """Yields the epoch's batches (images, targets) in their random order, mixed if the recipe says so.

    Of each, `count` is told how many images it has.
    """
    random = np.random.default_rng([seed, epoch])
    order = random.permutation(len(lesson.images))
    pick = lesson.images.__getitem__
    if device.kind() != "CPU":  # brought over once, not batch by batch
        on_device = keras.ops.convert_to_tensor(lesson.images)
        pick = functools.partial(keras.ops.take, on_device, axis=0)
    for batch in np.split(order, range(recipe.batch_size, len(order), recipe.batch_size)):
        chosen = pick(batch), lesson.targets[batch]
        count(len(batch))
        yield mix_pairs(*chosen, recipe.mixup, random) if recipe.mixup else chosen


def _train_by_step(network, batches):
    network.make_train_function()
    network.reset_metrics()
    for images, wanted in batches:
        # What the step tells are means over the epoch so far.
        told = network.train_function(iter([(images, wanted, None)]))
    return {name: float(told[name]) for name in ("loss", "accuracy")}


def _train_with_fit(network, batches, n_batches):
    # At its end `fit` replaces the weights by their running mean, if there is one; the training goes on from both.
    variables, weights = network.trainable_variables if _keeps_mean(network) else [], []
    keep = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda *_: weights.extend(variable.value for variable in variables)
    )
    told = network.fit(batches, steps_per_epoch=n_batches, shuffle=False, verbose=0, callbacks=[keep])
    for variable, value in zip(variables, weights, strict=True):
        variable.assign(value)
    return {name: float(told.history[name][0]) for name in ("loss", "accuracy")}


def _keeps_mean(network):
    """Returns whether the optimiser keeps a running mean of the weights; in float16 it holds another one that knows."""
    return getattr(network.optimizer, "inner_optimizer", network.optimizer).use_ema


@contextlib.contextmanager
def _weights_to_judge(network):
    """Within it the network has its running mean of the weights, if its optimiser keeps one."""
    if not _keeps_mean(network):
        yield
        return
    swap = keras.callbacks.SwapEMAWeights()
    swap.set_model(network)
    swap.on_test_begin()
    try:
        yield
    finally:
        swap.on_test_end()


def _validate(network, validation):
    probabilities = predict(network, validation.images)
    of_labels = probabilities[np.arange(len(validation.labels)), validation.labels]
    return {
        "val_accuracy": float(np.mean(probabilities.argmax(axis=1) == validation.labels)),
        "val_loss": float(-np.log(np.maximum(of_labels, keras.config.epsilon())).mean()),
    }


def _note_epoch(progress, scores, network, recipe):
    if progress.epoch >= recipe.epochs - recipe.late:
        progress.late_variables.append(read_variables(network.variables))
    if recipe.keep == "last" or scores["val_accuracy"] > max(progress.history.get("val_accuracy", []), default=-1.0):
        progress.best_epoch = progress.epoch + 1
        progress.best_variables = read_variables(network.variables)
    for name, value in scores.items():
        progress.history.setdefault(name, []).append(value)
    progress.epoch += 1


def _record(network, progress, experiment, profile, recipe, faces, seed, precision):
    """Returns the `Run` of a finished training; this is the one place where the test images are looked at.

    Afterwards `network` has the weights that are kept.
    """
    late_correct = np.zeros((len(progress.late_variables), len(faces.test.labels)), bool)
    for place, variables in enumerate(progress.late_variables):
        assign_variables(network.variables, variables)
        predictions = predict_views(network, faces.test.images, experiment.views).argmax(axis=1)
        late_correct[place] = predictions == faces.test.labels
    assign_variables(network.variables, progress.best_variables)
    validation_predictions = predict_views(network, faces.validation.images, experiment.views).argmax(axis=1)
    probabilities = predict_views(network, faces.test.images, experiment.views).astype(np.float16)
    predictions = probabilities.argmax(axis=1)
    return Run(
        experiment=experiment.name,
        **read_definition(experiment),
        seed=seed,
        profile=profile,
        recipe=dataclasses.asdict(recipe),
        dataset=faces.name,
        fingerprint=faces.fingerprint,
        history=progress.history,
        best_epoch=progress.best_epoch,
        test_accuracy=float(np.mean(predictions == faces.test.labels)),
        confusion=confusion_matrix(faces.test.labels, predictions),
        validation_confusion=confusion_matrix(faces.validation.labels, validation_predictions),
        test_probabilities=probabilities,
        test_correct=predictions == faces.test.labels,
        late_correct=late_correct,
        seconds=round(progress.seconds, 1),
        device=device.name_device(),
        precision=precision,
        versions=list_versions(),
        commit=find_commit(),
        machine=describe_machine(),
    )
