"""Compares candidates for a recipe like the report's own, on the validation images alone."""

import json
from pathlib import Path

from fer_utils import device
from fer_utils.environment import atomic_path, progress_bar
from fer_utils.training.build import build_network
from fer_utils.training.checkpoint import checkpoint_identity
from fer_utils.training.experiments import CANDIDATES, report_recipe
from fer_utils.training.loop import BAR, fit_epochs, training_cost
from fer_utils.training.origin import find_commit, list_versions
from fer_utils.training.recipes import Experiment, list_recipe_differences

SEED = 100  # none of the rows' own seeds, so that these owe nothing to the choice


def list_trainings():
    """Returns [(name, `Experiment`, `Recipe`)]: what the `CANDIDATES` need, each once, LeNet-like.

    Of each candidate the plain network and the augmented one; candidates that differ in their augmentation alone share
    the plain one.
    """
    found = {}
    for candidate in CANDIDATES.values():
        for augmentation in ("none", candidate.augmentation):
            name = name_training(candidate, augmentation)
            experiment = Experiment(name, name, "lenet_like", augmentation)
            found[name] = (name, experiment, report_recipe(candidate.optimizer, candidate.batch_size))
    return list(found.values())


def name_training(candidate, augmentation):
    """Returns what the training of a `Candidate` with this augmentation is called."""
    return f"{candidate.optimizer}_{candidate.batch_size}_{augmentation}"


def screen(trainings, faces, folder, seed=SEED):
    """Trains `trainings` [(name, `Experiment`, `Recipe`)] and looks at the validation images only; resumable.

    Returns {name: facts}: recipe, augmentation and the history of each epoch. Each is stored in `folder` as a JSON file
    when it is finished, and read from there the next time, if it is of the same recipe, seed and images.
    """
    return {name: _screen_one(name, *training, faces, Path(folder), seed) for name, *training in trainings}


def _screen_one(name, experiment, recipe, faces, folder, seed):
    path, checkpoint = folder / f"{name}.json", folder / f"{name}.unfinished.npz"
    precision = device.choose_precision(recipe.width)
    identity = checkpoint_identity(experiment, recipe, faces, seed, precision)
    if path.exists():
        facts = json.loads(path.read_text(encoding="utf-8"))
        if _is_same(facts["identity"], identity, recipe):
            return facts
    network = build_network(experiment, recipe, seed, precision)
    total = training_cost(network, recipe, faces)
    with progress_bar(desc=name, total=total, bar_format=BAR, mininterval=0.5, smoothing=0) as bar:
        progress = fit_epochs(network, faces.train, faces.validation, recipe, seed, checkpoint, identity, bar)
    facts = {"identity": identity, "history": progress.history, "seconds": round(progress.seconds, 1)}
    facts |= {"versions": list_versions(), "commit": find_commit()}
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    checkpoint.unlink(missing_ok=True)
    return facts


def _is_same(found, identity, recipe):
    """Returns whether the identity `found` in a file is this one, whose `Recipe` may have got settings since."""
    same = {**found, "recipe": None} == {**identity, "recipe": None}
    return same and not list_recipe_differences(found["recipe"], recipe)
