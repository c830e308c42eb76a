"""Loads the faces that the course works on: finds a set, reads it, caches it, and says which it is."""

import contextlib
import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fer_utils import environment
from fer_utils.data import drawn_faces
from fer_utils.data.archives import explain_damage
from fer_utils.data.fer2013 import CLASS_NAMES, advise_convert
from fer_utils.data.files import UNREADABLE, find_fer2013, list_source_files, list_unread, locate_fer2013
from fer_utils.data.formats import read_fer2013
from fer_utils.data.naming import printable

DRAWN_SEED = 2013  # of the drawn faces that everybody gets
FER2013_FINGERPRINT = "3cb2b0c1454858ae"  # of the original csv's pixels and labels, in its order
CACHE_VERSION = 3  # to be raised when the readers give other arrays for the same file


@dataclass(frozen=True)
class Split:
    """One part of a set of faces."""

    images: np.ndarray  # (N, 48, 48, 1) uint8, 0 black to 255 white
    labels: np.ndarray  # (N,) int64, an index into the set's class_names


@dataclass(frozen=True)
class FaceDataset:
    """Faces in three splits: train on `train`, choose on `validation`, open `test` once."""

    name: str  # "FER2013", "drawn faces" or "not FER2013 (<file name>)"
    fingerprint: str  # 16 hexadecimal digits: the same for the same images and labels in the same order
    class_names: tuple[str, ...]
    train: Split
    validation: Split
    test: Split


def load_faces(source=None):
    """Returns a `FaceDataset`; the first line of output says which one, how many images, and the profile.

    `source` is a copy of FER2013 (a file or folder in any layout of `formats.read_fer2013`), a set that
    `fer-course data convert` wrote, or the word ``"drawn"``. Without it: what ``FER_DATA`` names, then the copy that
    lies in ``data/``, then the drawn faces, in the size of the current profile; what lies in ``data/`` and is not read
    as a copy is named before. Training, PublicTest and PrivateTest become train, validation and test. Raises
    `FaceDataError` if the source cannot be read as faces.
    """
    environment.recover_all(environment.DATA)
    source = source or os.environ.get("FER_DATA") or find_fer2013(environment.DATA)
    if not source:
        _name_unread()
        source = "drawn"
    profile = environment.current_profile()
    if str(source) == "drawn":
        sizes = drawn_faces.SIZES[profile]
        key = [f"drawn-{profile}", drawn_faces.VERSION, DRAWN_SEED, *sizes]
        facts, images, labels = _load_cached(key[0], key, lambda: _draw(sizes))
    else:
        path = locate_fer2013(source)
        key = _describe_file(path)
        stem = hashlib.sha256(os.fsencode(key[0])).hexdigest()[:16]
        facts, images, labels = _load_cached(stem, key, lambda: _read(path))
    _announce(facts, profile)
    ends = np.cumsum(facts["sizes"])[:2]
    splits = map(Split, np.split(images, ends), np.split(labels, ends))
    return FaceDataset(facts["name"], facts["fingerprint"], CLASS_NAMES, *splits)


def _name_unread():
    """Prints a line for each file in ``data/`` that may be a copy but is not read as one."""
    for path, what in list_unread(environment.DATA):
        name = printable(path.name)
        how = "unpack it, or save it as a csv" if what in UNREADABLE.values() else advise_convert(f"data/{name}")
        print(f"data/{name} is not read, {what}: {how}")


def _announce(facts, profile):
    """Prints the one line that says which set was loaded; a set that is not FER2013 is named in capitals."""
    name, (n_train, n_validation, n_test) = facts["name"], facts["sizes"]
    heading = "drawn faces, NOT FER2013" if name == "drawn faces" else name.replace("not", "NOT", 1)
    counts = f"{n_train:,} training, {n_validation:,} validation and {n_test:,} test images"
    print("; ".join([f"{heading}: {counts}", f"{profile} profile", *facts["remarks"]]))


def _read(path):
    """Returns what the cache keeps of a copy of FER2013: (name, remarks, images, labels, usage)."""
    found = read_fer2013(path)
    name = "FER2013" if found.is_fer2013 else f"not FER2013 ({printable(path.name)})"
    return name, [found.verdict], found.pixels, found.labels, found.usage


def _draw(sizes):
    """Returns what the cache keeps of the drawn faces: (name, remarks, images, labels, usage)."""
    return "drawn faces", [], *drawn_faces.draw_faces(sizes, DRAWN_SEED)


def _describe_file(path):
    """Returns what changes when the file or class folder at `path` is edited or replaced.

    That is its place, and a digest of each file's name, bytes and times. A file put in another's place may have its
    size and time of writing (mtime), but not the time (ctime) at which the system did so; Windows does not tell that.
    """
    digest = hashlib.sha256()
    for file in list_source_files(path):
        with explain_damage(file.name):
            stat = os.stat(file)
        digest.update(os.fsencode(f"{file} {stat.st_size} {stat.st_mtime_ns} {stat.st_ctime_ns}\n"))
    return [str(Path(path).resolve()), CACHE_VERSION, digest.hexdigest()]


def _load_cached(stem, key, build):
    """Returns (facts, images, labels) from the cache file `stem` if it was made for `key`, or else from `build()`.

    An npz keeps a checksum (CRC-32) of each array: a cache file that is cut short or corrupt raises an error, and one
    made for an older state of the source has another key.
    """
    file = environment.CACHE / f"{stem}.npz"
    damage = []
    try:
        stored = environment.load_npz(file)
        facts = json.loads(str(stored["facts"]))
        if facts["key"] == key:
            return facts, stored["images"], stored["labels"]
    except FileNotFoundError:
        pass
    except Exception:  # however it is damaged: the source is still there
        damage = ["the cache was damaged and has been made anew"]
    name, remarks, images, labels, usage = build()
    if np.any(usage[1:] < usage[:-1]):
        order = np.argsort(usage, kind="stable")
        images, labels, usage = images[order], labels[order], usage[order]
    images, labels = np.ascontiguousarray(images[..., np.newaxis]), labels.astype(np.int64)
    sizes = np.bincount(usage, minlength=3).tolist()
    facts = {"key": key, "name": name, "remarks": remarks, "sizes": sizes}
    facts["fingerprint"] = _compute_fingerprint(images, labels, sizes)
    # A folder that cannot be written to costs time at the next load, nothing else.
    environment.sweep(environment.CACHE)
    with contextlib.suppress(OSError), environment.atomic_path(file) as temporary, open(temporary, "wb") as stream:
        np.savez(stream, images=images, labels=labels, facts=json.dumps(facts))
    return {**facts, "remarks": remarks + damage}, images, labels


def _compute_fingerprint(images, labels, sizes):
    """Returns 16 hexadecimal digits of the sha256 over images and labels, split after split."""
    digest = hashlib.sha256()
    ends = np.cumsum(sizes)[:2]
    for split_images, split_labels in zip(np.split(images, ends), np.split(labels, ends), strict=True):
        digest.update(split_images)
        digest.update(split_labels.astype("<i8"))
    return digest.hexdigest()[:16]


def find_copies(split, other):
    """Returns the indices of the images in `split` that also occur in `other`, pixel for pixel, as a list of int."""
    known = {image.tobytes() for image in other.images}
    return [number for number, image in enumerate(split.images) if image.tobytes() in known]
