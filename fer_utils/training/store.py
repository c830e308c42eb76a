"""Says where runs are kept, and whether a run is the one that is asked for."""

import os
from pathlib import Path

from filelock import FileLock

from fer_utils.data import FER2013_FINGERPRINT
from fer_utils.environment import DATA, recover
from fer_utils.training.recipes import find_difference
from fer_utils.training.runs import RunError, load_run


def lock_run(folder):
    """Returns a lock on the run in `folder`, held by one process at a time and given back when it dies."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    return FileLock(folder.with_name(f"{folder.name}.lock"), is_singleton=True)


def store_folder(faces, profile):
    """Returns the folder that keeps the runs on `faces`: `data/runs` for the original FER2013 in the full profile."""
    home = os.environ.get("FER_RUNS")
    if not home and profile == "full" and faces.fingerprint == FER2013_FINGERPRINT:
        return DATA / "runs"
    return Path(home or DATA / "my_runs") / f"{profile}-{faces.fingerprint}"


def run_folder(store, experiment, seed):
    """Returns the folder in `store` of the run of the named experiment with this seed."""
    return store / experiment / f"seed-{seed}"


def find_finished(folder, experiment, recipe, faces):
    """Returns the `Run` in `folder` if it is this very one, same network, same recipe, same images; else None.

    One that cannot be read is named: it will be trained anew.
    """
    recover(folder)
    if not folder.exists():
        return None
    try:
        run = load_run(folder)
    except RunError as error:
        print(f"not taken: {error}")
        return None
    return None if find_difference(run, experiment, recipe, faces.fingerprint) else run
