"""Compares candidates for a recipe, like the report's own or the strongest, on the validation images alone."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from fer_utils import device
from fer_utils.environment import progress_bar
from fer_utils.models import VIEWS, predict_views
from fer_utils.training.apart import call_apart
from fer_utils.training.build import build_network
from fer_utils.training.checkpoint import assign_variables, checkpoint_identity
from fer_utils.training.experiments import CANDIDATES, report_recipe
from fer_utils.training.facts import find_known, load_facts, save_facts
from fer_utils.training.learned import draw_images, find_lesson
from fer_utils.training.loop import BAR, fit_epochs, training_cost
from fer_utils.training.origin import find_commit, list_versions
from fer_utils.training.recipes import Experiment, Recipe, list_recipe_differences
from fer_utils.training.sharing import share_here, share_on_cluster
from fer_utils.training.store import checkpoint_file, explain_disk, hold, lock_run, remove_checkpoint

SEED = 100  # none of the rows' own seeds, so that these owe nothing to the choice

DEFAULTS = {"learns_from": "Training", "teacher": None}  # of what files of earlier versions do not say


class Training(NamedTuple):
    """A training that is compared with others; its file is called by its experiment's name."""

    experiment: Experiment
    recipe: Recipe
    seed: int = SEED

    @property
    def name(self):
        """What the training, its experiment and its file are called."""
        return self.experiment.name


def list_candidate_trainings():
    """Returns [`Training`]: what the `CANDIDATES` of the report's recipe need, each once, LeNet-like.

    Of each candidate the plain network and the augmented one; candidates that differ in their augmentation alone share
    the plain one.
    """
    found = {}
    for candidate in CANDIDATES.values():
        for augmentation in ("none", candidate.augmentation):
            name = name_candidate_training(candidate, augmentation)
            experiment = Experiment(name, name, "lenet_like", augmentation)
            found[name] = Training(experiment, report_recipe(candidate.optimizer, candidate.batch_size))
    return list(found.values())


def name_candidate_training(candidate, augmentation):
    """Returns what the training of a `Candidate` with this augmentation is called."""
    return f"{candidate.optimizer}_{candidate.batch_size}_{augmentation}"


def screen_candidates(trainings, faces, folder, scheduler=None, show=print):
    """Trains those of `trainings` [`Training`] that `folder` lacks, looking at validation images.

    Returns {name: facts}: what was trained, the history of each epoch, and the accuracy of the weights that the recipe
    keeps by each number of views. Each is a JSON file in `folder`, where a
    stopped training goes on and several processes share the work. Each is trained in a process of its own. `scheduler`
    is the address of a Dask scheduler, as for `reproduce`. Raises `RunError` when a file cannot be written.
    """
    folder = Path(folder)
    missing = []
    for training in trainings:
        if _find_facts(folder, training, faces):
            remove_checkpoint(folder / training.name)
        else:
            missing.append(training)
    show(f"{len(trainings) - len(missing)} of {len(trainings)} trainings of the candidates are finished")
    if scheduler:
        finished = _screen_on_cluster(scheduler, missing, faces, folder, show)
    else:
        finished = _screen_here(missing, faces, folder, show)
    for count, training in enumerate(finished, start=1):
        show(f"{count} of {len(missing)}: {training.name}")
    return {training.name: _find_facts(folder, training, faces) for training in trainings}


def _screen_here(trainings, faces, folder, show):
    def do(training):
        call_apart(training.name, _train_unless_taken, training, faces, folder)

    return share_here(trainings, lambda training: folder / training.name, do, show)


def _train_unless_taken(training, faces, folder):
    """Does what `_keep_facts` does; `filelock.Timeout` if another process is at it."""
    place = folder / training.name
    with explain_disk(place), lock_run(place).acquire(timeout=0):
        _keep_facts(training, faces, folder)


def _screen_on_cluster(scheduler, trainings, faces, folder, show):
    folder.mkdir(parents=True, exist_ok=True)
    arguments = trainings, faces, str(folder)
    sent = share_on_cluster(scheduler, _train_on_worker, *arguments, name=lambda training: training.name, show=show)
    for training, facts in sent:
        _keep_facts(training, faces, folder, facts)
        yield training


def _train_on_worker(training, faces, folder):
    from distributed import get_worker

    folder = Path(folder) if Path(folder).is_dir() else Path(get_worker().local_directory)
    return call_apart(training.name, _keep_facts, training, faces, folder)


def _keep_facts(training, faces, folder, facts=None):
    """Returns the facts of a training: those in `folder` if it is finished, else `facts`, else it is trained.

    Afterwards they are in `folder`, and no checkpoint. One that another process is training is waited for.
    """
    place = folder / training.name
    with explain_disk(place), hold(lock_run(place), place):
        found = _find_facts(folder, training, faces)
        if found is None:
            found = facts or _train(training, faces, checkpoint_file(place))
            save_facts(found, _facts_file(folder, training))
        checkpoint_file(place).unlink(missing_ok=True)
        return found


def _train(training, faces, checkpoint):
    """Returns the facts of a training, which goes on from its `checkpoint` if there is one."""
    experiment, recipe, seed = training
    identity = checkpoint_identity(experiment, recipe, faces, seed, device.choose_precision(recipe.width))
    network = build_network(experiment, recipe, seed, identity["precision"])
    split = draw_images(faces.train, recipe.train_images, seed)
    lesson = find_lesson(experiment, split)
    total = training_cost(network, recipe, split)
    with progress_bar(desc=training.name, total=total, bar_format=BAR, mininterval=0.5, smoothing=0) as bar:
        progress = fit_epochs(network, lesson, faces.validation, recipe, seed, checkpoint, identity, bar)
    assign_variables(network.variables, progress.best_variables)
    views = {str(number): _measure_accuracy(network, faces.validation, number) for number in VIEWS}
    facts = {"identity": identity, "history": progress.history, "views": views, "seconds": round(progress.seconds, 1)}
    return facts | {"device": device.name_device(), "versions": list_versions(), "commit": find_commit()}


def _measure_accuracy(network, split, views):
    return float(np.mean(predict_views(network, split.images, views).argmax(axis=1) == split.labels))


def _find_facts(folder, training, faces):
    """Returns the facts in `folder` if they are of this training; its recipe may have got settings since."""
    facts = find_known(load_facts, _facts_file(folder, training), "fer-course reproduce")
    if facts is None:
        return None
    experiment, recipe, seed = training
    wanted = checkpoint_identity(experiment, recipe, faces, seed, precision=None)
    found, alike = facts["identity"], ("experiment", "definition", "seed", "fingerprint")
    found["definition"] = {**DEFAULTS, **found["definition"]}
    same = all(found[key] == wanted[key] for key in alike)
    return facts if same and not list_recipe_differences(found["recipe"], recipe) else None


def _facts_file(folder, training):
    return folder / f"{training.name}.json"
