"""Compares candidate recipes on the validation images alone."""

import dataclasses
import json
from pathlib import Path

from fer_utils import device
from fer_utils.environment import atomic_path, progress_bar
from fer_utils.training.build import build_network
from fer_utils.training.checkpoint import checkpoint_identity
from fer_utils.training.loop import BAR, commit, fit_epochs, training_cost, versions


def screen(candidates, faces, folder, seed=0):
    """Trains `candidates` [(name, `Experiment`, `Recipe`)] and looks at the validation images only; resumable.

    Returns {name: facts}: recipe, augmentation and the history of each epoch. Each is stored in `folder` as a JSON file
    when it is finished, and read from there the next time.
    """
    found = {}
    for name, experiment, recipe in candidates:
        path, checkpoint = Path(folder) / f"{name}.json", Path(folder) / f"{name}.unfinished.npz"
        if not path.exists():
            precision = device.choose_precision(recipe.width)
            network = build_network(experiment, recipe, seed, precision)
            task = checkpoint_identity(experiment, recipe, faces, seed, precision)
            total = training_cost(network, recipe, faces)
            with progress_bar(desc=name, total=total, bar_format=BAR, mininterval=0.5, smoothing=0) as bar:
                progress = fit_epochs(network, faces.train, faces.validation, recipe, seed, checkpoint, task, bar)
            facts = {"recipe": dataclasses.asdict(recipe), "augmentation": experiment.augmentation, "seed": seed}
            facts |= {"history": progress.history, "seconds": round(progress.seconds, 1), "precision": precision}
            facts |= {"fingerprint": faces.fingerprint, "versions": versions(), "commit": commit()}
            with atomic_path(path) as temporary:
                temporary.write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
            checkpoint.unlink(missing_ok=True)
        found[name] = json.loads(path.read_text(encoding="utf-8"))
    return found
