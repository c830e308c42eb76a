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
from pathlib import Path

from tqdm import tqdm

PROJECT = Path(__file__).resolve().parent.parent
DATA = PROJECT / "data"
CACHE = DATA / "cache"
PROFILES = ("quick", "full")


def current_profile():
    """`"quick"` or `"full"`, from ``FER_PROFILE``; `ValueError` for any other word."""
    profile = os.environ.get("FER_PROFILE") or "quick"
    if profile not in PROFILES:
        raise ValueError(f"FER_PROFILE is {profile!r}; expected one of {', '.join(PROFILES)}")
    return profile


def progress_bar(iterable=None, **options):
    """A tqdm bar in the course's one style; `options` are tqdm's. Removed when done, silent if ``FER_PROGRESS`` is 0.

    In a notebook it writes plain text to standard output: no widgets, which GitHub cannot show.
    """
    hidden = os.environ.get("FER_PROGRESS") == "0"
    stream = sys.stdout if "ipykernel" in sys.modules else sys.stderr
    return tqdm(iterable, **{"leave": False, "dynamic_ncols": True, "file": stream, "disable": hidden, **options})


@contextlib.contextmanager
def atomic_path(path):
    """Yields a temporary path beside `path` to write a file or folder to; it replaces `path` only on success."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    replaced = temporary.with_suffix(".old")
    _remove(temporary)  # left by a killed process of the same number, as in containers
    try:
        yield temporary
        if path.is_dir() and temporary.is_dir():
            os.replace(path, replaced)  # a folder cannot be replaced in one step, but in two quick ones
        os.replace(temporary, path)
    finally:
        _remove(temporary)
        _remove(replaced)


def _remove(path):
    if path.is_dir():
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
