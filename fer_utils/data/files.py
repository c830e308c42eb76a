"""Finds a copy of FER2013: the file, the archive or the class folder that holds it."""

import contextlib
import difflib
import os
import zipfile
from pathlib import Path

from fer_utils.data.archives import NO_FILE, UNPACK, breaks_promise, explain_damage, name_zip, sniff
from fer_utils.data.fer2013 import EXPECTED_TABLE, GET_IT_AGAIN, FaceDataError, advise_convert, make_error
from fer_utils.data.naming import find_class, find_split, is_hidden, printable
from fer_utils.environment import expand_home

COLUMNS = {"emotion", "pixels", "usage"}
MAX_LINE = 2**16  # bytes: a row of FER2013 has at most 9,230
OWN_FOLDERS = ("cache", "runs", "my_runs")  # what the course itself keeps in data/
# What may be a copy, but is read by `fer-course data convert` alone, or by nothing here.
CONVERTED = {"parquet": "a parquet file", "h5": "an HDF5 file", "utf16": "a text in UTF-16"}
UNREADABLE = {"rar": "a rar archive", "7z": "a 7z archive", "xlsx": "a spreadsheet (xlsx)"}


def locate_fer2013(path):
    """Returns the file or class folder that `read_fer2013` reads for `path`; `FaceDataError` if there is none."""
    path = check_source(path)
    if path.is_file() and path.stat().st_size == 0:
        raise make_error(printable(path.name), "an empty file", EXPECTED_TABLE)
    found = find_fer2013(path) if path.is_dir() else path
    if found is None:
        advice = f"{GET_IT_AGAIN}. To turn it into a set that the course reads: {advise_convert(printable(path))}"
        raise make_error(printable(path.name), "a folder without a copy of FER2013", EXPECTED_TABLE, advice)
    return found


def check_source(path):
    """Returns `path` as a Path if it is a file or a folder; else `FaceDataError`, with the names that are near it."""
    path = expand_home(path)
    with explain_damage(path.name):  # a folder above it may be locked
        if not path.exists():
            here = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
            near = [printable(name) for name in difflib.get_close_matches(path.name, here)]
            advice = f"Names near it: {', '.join(near)}" if near else f"Check the path. {GET_IT_AGAIN}"
            raise make_error(printable(path), "no such file or folder", "a copy of FER2013", advice)
        if not (path.is_file() or path.is_dir()):
            raise make_error(printable(path), "a pipe or a device", "a file or a folder", "Save it as a file first")
    return path


def find_fer2013(folder, depth=2):
    """Returns the path of the copy of FER2013 in `folder`, or in the folders in it down to `depth`; None without one.

    Of several copies: npz before csv before archives before class folders, then by name. A csv without labels or
    splits (``train.csv``, ``test.csv``) comes last: reading it raises an error that says which file to get. Raises
    `FaceDataError` if `folder` is locked; a locked folder in it hides no copy in another.
    """
    folder = Path(folder)
    with explain_damage(folder.name):
        if not folder.is_dir():
            return None
        entries = sorted(entry for entry in folder.iterdir() if not entry.name.startswith("."))
        files = [entry for entry in entries if entry.is_file()]
        subfolders = [entry for entry in entries if entry.is_dir() and entry.name not in OWN_FOLDERS]
    ranked = [(rank, entry) for entry in files if (rank := _rank_file(entry)) is not None]
    if any(find_split(entry.name) is not None for entry in subfolders):
        ranked.append((3, folder))
    if ranked or depth == 0:
        return min(ranked, default=(None, None))[1]
    for subfolder in subfolders:
        with contextlib.suppress(FaceDataError):  # a locked one, which `list_unread` names
            if found := find_fer2013(subfolder, depth - 1):
                return found
    return None


def list_unread(folder):
    """Lists [(path, what it is), ...] of what lies in `folder` and may be a set of faces but is not read as one."""
    found = [(path, _name_unread(path)) for path in sorted(Path(folder).glob("[!.]*"))]
    return [(path, what) for path, what in found if what]


def _name_unread(path):
    """Returns what lies at `path`, if it may be a set of faces but is not read as one; else ""."""
    try:
        if path.is_dir():
            return _name_unread_folder(path)
        return _name_unread_file(path) if path.is_file() else NO_FILE  # a pipe is never opened: that would wait
    except OSError:
        return "locked"


def _name_unread_folder(path):
    """Returns "folders of classes without splits" if that is what the folder at `path` holds; else ""."""
    names = [entry.name for entry in path.iterdir() if entry.is_dir()] if path.name not in OWN_FOLDERS else []
    return "folders of classes without splits" if any(find_class(name) is not None for name in names) else ""


def _name_unread_file(path):
    with path.open("rb") as stream:
        kind = sniff(stream)
        line = stream.readline(MAX_LINE).lower() if kind == "text" else b""
    if kind == "zip":
        names = _list_zip(path)
        if names is None:
            return "a damaged archive"
        kind = name_zip(names)
    if kind in ("npz", "npy"):
        return "arrays of other names or forms"
    return (CONVERTED | UNREADABLE).get(kind, "a table with other columns" if b"pixel" in line else "")


def list_source_files(path):
    """Returns the files that hold the copy at `path`: itself, or every file in a class folder, hidden ones left out.

    Raises `FaceDataError` for what `os.walk` passes over: a folder that cannot be read, and a link to a folder.
    """
    if path.is_file():
        return [path]
    found = []

    def refuse(error):
        found = f"a folder that cannot be read ({error.strerror})"
        raise make_error(printable(Path(error.filename).name), found, "folders that can be read") from error

    for folder, subfolders, names in os.walk(path, onerror=refuse):
        subfolders[:] = sorted(name for name in subfolders if name not in OWN_FOLDERS and not is_hidden(name))
        for name in subfolders:
            if Path(folder, name).is_symlink():
                raise make_error(printable(name), "a link to a folder", "folders", "Put the folder itself in its place")
        found += [Path(folder, name) for name in sorted(names) if not is_hidden(name)]
    return found


def _rank_file(path):
    """Returns how well a file serves as a copy of FER2013, 0 best; None if it is something else."""
    try:
        with path.open("rb") as stream:
            kind = sniff(stream)
            header = set(split_header(stream.readline(MAX_LINE))) if kind == "text" else set()
    except OSError:  # like a damaged one: it is a copy if its name says so, and reading it says what is wrong
        return 2 if path.suffix.lower() == ".csv" or breaks_promise(path.name, "binary") else None
    if "pixels" in header:
        return 1 if header == COLUMNS else 4
    if kind == "zip":
        return _rank_zip(path)
    return 2 if kind in UNPACK or kind == "tar" or breaks_promise(path.name, kind) else None  # damaged, but a copy


def _list_zip(path):
    """Returns the names of the members of the zip file at `path`; None if it is damaged."""
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.namelist()
    except Exception:  # zipfile raises what it meets
        return None


def _rank_zip(path):
    names = _list_zip(path)
    if names is None:
        return 0 if path.suffix.lower() == ".npz" else 2  # a damaged copy is a copy: reading it says what is wrong
    if (kind := name_zip(names)) != "zip":
        return 0 if kind == "npz" and "pixels.npy" in names else None
    in_splits = any(find_split(part) is not None for name in names for part in name.split("/")[:-1])
    return 2 if in_splits or any(name.lower().endswith((".csv", ".npz", ".zip")) for name in names) else None


def split_header(line):
    """Returns the column names in the first line of a csv, in lower case, without blanks and quotes."""
    return [name.strip(' \t"').lower() for name in line.decode("utf-8-sig", "replace").strip().split(",")]
