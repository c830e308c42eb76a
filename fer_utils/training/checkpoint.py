"""Saves and loads a training's checkpoint: all variables, the best weights so far, and the progress."""

import dataclasses
import json

import numpy as np

from fer_utils.device import keras
from fer_utils.environment import atomic_path, load_npz
from fer_utils.training.recipes import read_definition
from fer_utils.training.runs import DAMAGE


@dataclasses.dataclass
class Progress:
    """How far a training has come: what a checkpoint holds beside the network's variables."""

    epoch: int = 0
    seconds: float = 0.0
    history: dict = dataclasses.field(default_factory=dict)
    best_epoch: int = 0
    best_variables: list = dataclasses.field(default_factory=list)
    late_variables: list = dataclasses.field(default_factory=list)  # a list of arrays for each epoch that is tested


def checkpoint_identity(experiment, recipe, faces, seed, precision):
    """Returns what a checkpoint must agree with to be continued."""
    return {
        "experiment": experiment.name,
        "definition": read_definition(experiment),
        "seed": seed,
        "recipe": dataclasses.asdict(recipe),
        "fingerprint": faces.fingerprint,
        "backend": keras.backend.backend(),
        "precision": precision,
    }


def save_checkpoint(network, progress, path, task):
    """Writes the variables of `network` and its optimiser, and `progress`, to `path`, as those of `task`."""
    facts = {"task": task, **{name: getattr(progress, name) for name in ("epoch", "seconds", "history", "best_epoch")}}
    arrays = {f"now{i}": array for i, array in enumerate(read_variables(_state(network)))}
    arrays |= {f"best{i}": array for i, array in enumerate(progress.best_variables)}
    for epoch, variables in enumerate(progress.late_variables):
        arrays |= {f"late{epoch}_{i}": array for i, array in enumerate(variables)}
    facts["late"] = len(progress.late_variables)
    with atomic_path(path) as temporary, open(temporary, "wb") as file:
        np.savez(file, facts=json.dumps(facts), **arrays)


def load_checkpoint(network, path, task):
    """Returns the `Progress` stored at `path`, its variables assigned to `network`; None if none fits `task`."""
    try:
        stored = load_npz(path)
        facts = json.loads(str(stored["facts"]))
        if facts.pop("task") != task:
            return None
        now = [stored[f"now{i}"] for i in range(len(_state(network)))]
        places = range(len(network.variables))
        best = [stored[f"best{i}"] for i in places]
        late = [[stored[f"late{epoch}_{i}"] for i in places] for epoch in range(facts.pop("late"))]
    except FileNotFoundError:
        return None
    except (OSError, *DAMAGE):
        print(f"{path.name} is damaged: training starts from the beginning")
        return None
    if [array.shape for array in now] != [variable.shape for variable in _state(network)]:
        return None  # the code of the network was changed since
    assign_variables(_state(network), now)
    return Progress(best_variables=best, late_variables=late, **facts)


def _state(network):
    return [*network.variables, *network.optimizer.variables]


def read_variables(variables):
    """Returns the values of Keras `variables`, a list of arrays."""
    return [variable.numpy() for variable in variables]


def assign_variables(variables, arrays):
    """Gives Keras `variables` the values of `arrays`, in order."""
    for variable, array in zip(variables, arrays, strict=True):
        variable.assign(array)
