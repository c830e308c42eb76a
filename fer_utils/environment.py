"""What the machine and its environment variables decide: folders, profile, progress bars, quiet imports.

====================  ==========================================================================
``FER_DATA``          the copy of FER2013 to use (a file or folder), or ``drawn`` for the drawn faces
``FER_PROFILE``       ``quick`` (default: minutes on two cores) or ``full`` (the recorded recipe)
``FER_RUNS``          the folder in which finished and unfinished trainings are kept
``FER_PROGRESS``      ``0`` hides every progress bar (stored notebooks, tests)
====================  ==========================================================================
"""

import contextlib
import os
import shutil
import sys
import zipfile
from pathlib import Path

import numpy as np
from filelock import FileLock, Timeout
from tqdm import tqdm

PROJECT = Path(__file__).resolve().parent.parent
DATA = PROJECT / "data"
CACHE = DATA / "cache"
PROFILES = ("quick", "full")
SECONDS_TO_WRITE = 600  # a process that waits longer for another one to finish writing gives up


def current_profile():
    """Returns `"quick"` or `"full"`, from ``FER_PROFILE``; `ValueError` for any other word."""
    profile = os.environ.get("FER_PROFILE") or "quick"
    if profile not in PROFILES:
        raise ValueError(f"FER_PROFILE is {profile!r}; expected one of {', '.join(PROFILES)}")
    return profile


def expand_home(path):
    """Returns `path` as a Path in which `~` or `~name` is that home folder; a name that nobody has stays as it is."""
    return Path(os.path.expanduser(path))


def progress_bar(iterable=None, **options):
    """Returns a tqdm bar in the course's one style; `options` are tqdm's.

    It is removed when done, and silent if ``FER_PROGRESS`` is 0. In a notebook it writes plain text to
    standard output: no widgets, which GitHub cannot show.
    """
    hidden = os.environ.get("FER_PROGRESS") == "0"
    stream = sys.stdout if "ipykernel" in sys.modules else sys.stderr
    return tqdm(iterable, **{"leave": False, "dynamic_ncols": True, "file": stream, "disable": hidden, **options})


@contextlib.contextmanager
def atomic_path(path):
    """Yields a temporary path beside `path` to write a file or folder to; it replaces `path` only on success.

    A file is replaced in one step. A folder takes two: the old one moves aside, the new one takes its place. Whatever
    stops the process in between, the old folder is whole, and `recover` moves it back. One process at a time writes to
    `path`, so what lies beside it was left by one that is dead. Raises `filelock.Timeout` if another one keeps writing,
    and an `OSError` that names `path` if the disk is full.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary, replaced = _hidden(path, ".tmp"), _hidden(path, ".old")
    with _only_writer(path):
        _tidy(path, temporary, replaced)
        try:
            yield temporary
            if path.is_dir() and temporary.is_dir():
                os.replace(path, replaced)
            os.replace(temporary, path)
        except OSError as error:
            if error.errno and error.filename in (None, str(temporary)):  # none, or one that nobody knows
                error.filename = str(path)
            raise
        finally:
            with contextlib.suppress(OSError):  # what cannot be removed now is removed by the next writer
                _tidy(path, temporary, replaced)


def load_npz(path):
    """Returns {name: array} of an npz that was written whole; `zipfile.BadZipFile`, among others, if it is damaged.

    Of each array numpy reads what its shape asks for. A damaged shape that asks for less would pass: the rest, and so
    the checksum of the whole, is never looked at.
    """
    with zipfile.ZipFile(path) as archive:
        if name := archive.testzip():
            raise zipfile.BadZipFile(f"{name} in {path.name} is damaged")
    with np.load(path, allow_pickle=False) as stored:
        return dict(stored)


def recover(path):
    """Moves the old folder back to `path` if a process died while it replaced it; otherwise changes nothing."""
    path = Path(path)
    replaced = _hidden(path, ".old")
    if replaced.exists() and not path.exists():
        # Without permission to write, the folder stays as if it were not there.
        with contextlib.suppress(OSError), _only_writer(path):
            _move_back(path, replaced)


def recover_all(folder):
    """Does what `recover` does for every path in `folder`."""
    for replaced in Path(folder).glob(".*.old"):
        recover(replaced.with_name(replaced.name.removeprefix(".").removesuffix(".old")))


def sweep(folder):
    """Removes what writers of `atomic_path` that died have left in `folder`, and nothing that one is still writing."""
    for left in Path(folder).glob(".*.tmp"):
        path = left.with_name(left.name.removeprefix(".").removesuffix(".tmp"))
        with contextlib.suppress(OSError, Timeout), _only_writer(path, seconds=0):
            _tidy(path, left, _hidden(path, ".old"))


def _hidden(path, ending):
    return path.with_name(f".{path.name}{ending}")


@contextlib.contextmanager
def _only_writer(path, seconds=None):
    """Holds a lock on `path`, which the system gives back when the process dies; waits while another one holds it."""
    lock = _hidden(path, ".lock")
    with FileLock(lock, timeout=SECONDS_TO_WRITE if seconds is None else seconds):
        try:
            yield
        finally:
            # Safe with filelock from 3.30 on: it takes no lock on a file that lost its name, and removes none itself.
            with contextlib.suppress(OSError):  # Windows lets nobody delete an open file; there filelock does so later
                lock.unlink(missing_ok=True)


def _move_back(path, replaced):
    if replaced.exists() and not path.exists():
        os.replace(replaced, path)


def _tidy(path, temporary, replaced):
    """Leaves a whole folder or file at `path`, if there ever was one, and nothing beside it."""
    _move_back(path, replaced)
    _remove(temporary)
    if replaced.exists():
        os.replace(replaced, temporary)  # so that what is called `replaced` is whole, also if removing it is stopped
        _remove(temporary)


def _remove(path):
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


@contextlib.contextmanager
def quiet_stderr():
    """Sends file descriptor 2 nowhere: TensorFlow's C++ greets on it at import, past every Python setting."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.stderr.flush()
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
