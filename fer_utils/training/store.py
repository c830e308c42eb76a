"""Says where runs are kept, whether a run is the one that is asked for, and who may write it."""

import contextlib
import os
import time

from filelock import FileLock, Timeout

from fer_utils.data import FER2013_FINGERPRINT
from fer_utils.environment import DATA, expand_home, recover
from fer_utils.training.recipes import find_difference
from fer_utils.training.runs import RunError, check_place, load_run


def lock_run(folder):
    """Returns a lock on the run in `folder`, held by one process at a time and given back when it dies.

    Raises `RunError` where no folder can be made for it.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunError(
            f"no runs can be kept in {folder.parents[1]}: {error.strerror or error}; set FER_RUNS to a folder that can "
            "be written to"
        ) from error
    return FileLock(_lock_file(folder), is_singleton=True)


def _lock_file(folder):
    return folder.with_name(f"{folder.name}.lock")


def check_free(folder):
    """Raises `filelock.Timeout` if a process is at the run in `folder` now, `RunError` if it cannot be locked."""
    with explain_disk(folder), lock_run(folder).acquire(timeout=0):
        pass


def tell_wait(folder):
    """Returns for which run a process waits that wants to train the one in `folder`, and since when another has it."""
    words = f"waiting for the process that trains {'/'.join(folder.parts[-2:])}"
    with contextlib.suppress(OSError):  # the other one may be done by now, and its file gone
        words += time.strftime(" since %H:%M", time.localtime(_lock_file(folder).stat().st_mtime))
    return words


@contextlib.contextmanager
def hold(lock, folder):
    """Holds the `lock` on the run in `folder`; says for which run it waits, and since when another process has it."""
    try:
        lock.acquire(timeout=0)
    except Timeout:
        print(tell_wait(folder))
        lock.acquire()
    try:
        with contextlib.suppress(OSError):
            os.utime(lock.lock_file)  # tells others since when
        yield
    finally:
        lock.release()


@contextlib.contextmanager
def explain_disk(folder):
    """Turns what the disk raises while the run in `folder` is written into a `RunError` that names both."""
    try:
        yield
    except Timeout:  # an OSError too, but it is another process that has the run
        raise
    except OSError as error:
        experiment, seed = folder.parts[-2:]
        raise RunError(
            f"{experiment}, {seed.replace('-', ' ')} could not be written to {folder.parents[1]}: "
            f"{error.strerror or error}. Finished runs and epochs are kept; make room and give the same command again"
        ) from error


def store_folder(faces, profile):
    """Returns the folder that keeps the runs on `faces`: `data/runs` for the original FER2013 in the full profile."""
    home = os.environ.get("FER_RUNS")
    if not home and profile == "full" and faces.fingerprint == FER2013_FINGERPRINT:
        return DATA / "runs"
    return expand_home(home or DATA / "my_runs") / f"{profile}-{faces.fingerprint}"


def run_folder(store, experiment, seed):
    """Returns the folder in `store` of the run of the named experiment with this seed."""
    return store / experiment / f"seed-{seed}"


def checkpoint_file(folder):
    """Returns the path of the checkpoint of the run in `folder`, beside it."""
    return folder.with_name(f"{folder.name}.unfinished.npz")


def remove_checkpoint(folder):
    """Removes the checkpoint of the finished run in `folder`, which a killed process left; not if one is at it now."""
    checkpoint = checkpoint_file(folder)
    if checkpoint.exists():
        with contextlib.suppress(OSError), lock_run(folder).acquire(timeout=0):
            checkpoint.unlink(missing_ok=True)


def find_finished(folder, experiment, recipe, faces, show=print):
    """Returns the `Run` in `folder` if it is this very one, same network, same recipe, same images; else None.

    Why another one, or one that cannot be read, is not taken is told by `show`: it will be trained anew.
    """
    recover(folder)
    if not folder.exists():
        return None
    try:
        run = check_place(load_run(folder))
        if difference := find_difference(run, experiment, recipe, faces.fingerprint):
            raise RunError(f"{'/'.join(folder.parts[-2:])} is another training: {difference}")
    except RunError as error:
        show(f"not taken: {error}")
        return None
    return run
