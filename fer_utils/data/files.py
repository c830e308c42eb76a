"""Finds a copy of FER2013 and walks through its files: a folder, an archive, or a single file."""

import contextlib
import gzip
import os
import re
import tarfile
import zipfile
import zlib
from functools import partial
from pathlib import Path, PurePosixPath

from fer_utils.data.fer2013 import EXPECTED_TABLE, GET_IT_AGAIN, make_error

COLUMNS = {"emotion", "pixels", "usage"}
SPLIT_FOLDERS = {"train": "Training", "validation": "PublicTest", "val": "PublicTest", "test": "PrivateTest"}
IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg")
MAX_EXPANDED = 10**9  # bytes: the largest real copy is 0.3 GB, so more than 1 GB is a mistake or an attack
MAX_LINE = 2**16  # bytes: a row of FER2013 has at most 9,230


def locate_fer2013(path):
    """Returns the file or class folder that `read_fer2013` reads for `path`; `FaceDataError` if there is none."""
    path = Path(path).expanduser()
    if not path.exists():
        raise make_error(path, "no such file or folder", "a copy of FER2013", f"Check the path. {GET_IT_AGAIN}")
    if path.is_file() and path.stat().st_size == 0:
        raise make_error(path.name, "an empty file", EXPECTED_TABLE)
    found = find_fer2013(path) if path.is_dir() else path
    if found is None:
        raise make_error(path.name, "a folder without a copy of FER2013", EXPECTED_TABLE)
    return found


def find_fer2013(folder, depth=2):
    """Returns the path of the copy of FER2013 in `folder`, or in the folders in it down to `depth`; None without one.

    Of several copies: npz before csv before archives before class folders, then by name. A csv without labels or
    splits (``train.csv``, ``test.csv``) comes last: reading it raises an error that says which file to get.
    """
    folder = Path(folder)
    if not folder.is_dir():
        return None
    entries = sorted(entry for entry in folder.iterdir() if not entry.name.startswith("."))
    ranked = [(rank, entry) for entry in entries if entry.is_file() and (rank := _rank_file(entry)) is not None]
    subfolders = [entry for entry in entries if entry.is_dir() and entry.name not in ("cache", "runs")]
    if any(entry.name.lower() in SPLIT_FOLDERS for entry in subfolders):
        ranked.append((3, folder))
    if ranked or depth == 0:
        return min(ranked, default=(None, None))[1]
    return next(filter(None, (find_fer2013(subfolder, depth - 1) for subfolder in subfolders)), None)


def list_source_files(path):
    """Returns the files that hold the copy at `path`: itself, or every file in the split folders of a class folder."""
    if path.is_file():
        return [path]
    splits = [entry for entry in sorted(path.iterdir()) if entry.name.lower() in SPLIT_FOLDERS]
    walked = (step for split in splits for step in os.walk(split))
    return [Path(folder, name) for folder, _, names in walked for name in names]


def _rank_file(path):
    """Returns how well a file serves as a copy of FER2013, 0 best; None if it is something else."""
    kind = find_suffix(path.name)
    if kind == ".csv":
        with path.open("rb") as stream:
            header = set(split_header(stream.readline(MAX_LINE)))
        return 1 if header == COLUMNS else 4 if "pixels" in header else None
    if kind in (".npz", ".zip"):
        try:
            with zipfile.ZipFile(path) as archive:
                names = archive.namelist()
        except (zipfile.BadZipFile, OSError, UnicodeError):
            names = ["pixels.npy"]  # a damaged copy is a copy: reading it says what is wrong
        if "pixels.npy" in names:
            return 0 if kind == ".npz" else 2
        is_copy = kind == ".zip" and any(find_suffix(name) or is_class_image(name) for name in names)
        return 2 if is_copy else None
    return 2 if kind in (".tar.gz", ".tgz") else None


def find_suffix(name):
    """Returns the suffix that decides how a file is read, such as ".csv" or ".tar.gz"; "" for other files."""
    name = name.lower()
    return next((kind for kind in (".csv", ".npz", ".npy", ".zip", ".tar.gz", ".tgz") if name.endswith(kind)), "")


@contextlib.contextmanager
def explain_damage(path):
    """Turns what zip, gzip, tar and the file system raise for an unreadable file into a `FaceDataError`."""
    try:
        yield
    except (OSError, EOFError, RuntimeError, UnicodeError, zlib.error, zipfile.BadZipFile, tarfile.TarError) as e:
        found = f"a file that is damaged, cut short or locked ({type(e).__name__})"
        raise make_error(path.name, found, "a readable copy of FER2013") from e


def walk_files(path):
    """Yields (name, bytes, function that opens it) for each file in a folder or archive, or for the file itself."""
    kind = find_suffix(path.name)
    if path.is_dir():
        for file in list_source_files(path):
            yield file.relative_to(path).as_posix(), file.stat().st_size, partial(file.open, "rb", 0)
    elif kind == ".zip":
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            # zipfile reads no member past the size stated for it, so this sum holds for what is really read.
            check_size(path.name, sum(member.file_size for member in members))
            _check_names(path, [member.filename for member in members])
            for member in members:
                yield member.filename, member.file_size, partial(archive.open, member)
    elif kind in (".tar.gz", ".tgz"):
        with gzip.open(path) as unzipped:
            stream, n_bytes = _LimitedStream(unzipped, path.name), 0
            with tarfile.open(fileobj=stream, mode="r|") as archive:
                for member in archive:
                    _check_names(path, [member.name])
                    n_bytes += member.size  # of a sparse member: more than the archive holds of it
                    check_size(path.name, n_bytes)
                    if member.isfile():
                        yield member.name, member.size, partial(archive.extractfile, member)
            while stream.read(2**20):
                pass  # gzip compares its checksum only at the very end
    else:
        yield path.name, path.stat().st_size, partial(path.open, "rb", 0)


class _LimitedStream:
    """A stream to read that refuses to give more than `MAX_EXPANDED` bytes in all."""

    def __init__(self, stream, where):
        self.stream, self.where, self.total = stream, where, 0

    def read(self, size):
        content = self.stream.read(size)
        self.total += len(content)
        check_size(self.where, self.total)
        return content


def check_size(where, n_bytes):
    """Raises `FaceDataError` for an archive that expands to more than `MAX_EXPANDED` bytes."""
    if n_bytes > MAX_EXPANDED:
        found = f"an archive that expands to {n_bytes / 1e9:.1f} GB or more"
        raise make_error(where, found, f"at most {MAX_EXPANDED / 1e9:.0f} GB")


def _check_names(path, names):
    for name in names:
        parts = name.replace("\\", "/").split("/")
        if parts[0] == "" or ".." in parts or re.match("[A-Za-z]:", name):
            raise make_error(path.name, f"the member name {name!r}", "names that stay inside the archive's own folder")


def split_header(line):
    """Returns the column names in the first line of a csv, in lower case, without blanks and quotes."""
    return [name.strip(' \t"').lower() for name in line.decode("utf-8-sig", "replace").strip().split(",")]


def is_class_image(name):
    """Returns whether a name has the form .../train/happy/one.png; which classes there are is checked later."""
    parts = PurePosixPath(name).parts
    visible = "__MACOSX" not in parts and not parts[-1].startswith(".")
    return visible and name.lower().endswith(IMAGE_SUFFIXES) and len(parts) > 2 and parts[-3].lower() in SPLIT_FOLDERS
