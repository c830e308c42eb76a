"""What FER2013 is: its classes, splits, counts and checksums, and the verdict on a copy of it."""

import hashlib
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

CLASS_NAMES = ("Angry", "Disgust", "Fear", "Happy", "Sad", "Surprise", "Neutral")
SPLIT_NAMES = ("Training", "PublicTest", "PrivateTest")
COUNTS = {
    "Training": (3995, 436, 4097, 7215, 4830, 3171, 4965),
    "PublicTest": (467, 56, 496, 895, 653, 415, 607),
    "PrivateTest": (491, 55, 528, 879, 594, 416, 626),
}
FER2013_COUNTS = np.array([COUNTS[name] for name in SPLIT_NAMES])
IMAGE_SIZE = 48
# The digest of every row in sorted order, so that a lossless copy is known again in any layout and any order.
CONTENT_SHA256 = "3dfad8e85df8727f17903581fda57f569fb5762fe170bad5a99441475c3b7a98"
KNOWN_MD5 = {
    "f8428a1edbd21e88f42c73edd2a14f95": "fer2013.csv",
    "b114b9e04e6949e5fe8b6a98b3892b1d": "icml_face_data.csv",
}
EXPECTED_TABLE = "a csv with the columns emotion, pixels and Usage, an npz, or class folders in train/ and test/"
GET_IT_AGAIN = "Get a fresh copy; data/README.md says where"


class FaceDataError(ValueError):
    """A file that is not the face data it should be; the message says where, what was found, and what to do.

    `options` are those with which `fer-course data convert` may read it; None where it cannot help.
    """

    def __init__(self, message, options=None):
        super().__init__(message)
        self.options = options


@dataclass(frozen=True)
class Fer2013:
    """A copy of FER2013 as arrays, one row per image, with a verdict on which copy it is."""

    pixels: np.ndarray  # (N, 48, 48) uint8, 0 black to 255 white
    labels: np.ndarray  # (N,) uint8, an index into CLASS_NAMES
    usage: np.ndarray  # (N,) uint8, an index into SPLIT_NAMES
    verdict: str  # one line: "verified copy ...", "FER2013 by its counts ..." or "not FER2013 ..."
    is_fer2013: bool  # whether the images per class and split are FER2013's


class FaceTable(NamedTuple):
    """What a reader of one layout found, not yet judged: the arrays of a `Fer2013`, the file's md5, a note, a source.

    The source is what a set was converted from, if it was.
    """

    pixels: np.ndarray
    labels: np.ndarray
    usage: np.ndarray
    md5: str = ""
    note: str = ""
    source: str = ""


def make_error(where, found, expected, advice=GET_IT_AGAIN, options=None):
    """Returns a `FaceDataError` that says where, what was found, what was expected, and what to do.

    With `options`, an empty text for none, the reader adds the command that converts the file (`advise_convert`).
    """
    return FaceDataError(f"{where}: found {found}; expected {expected}. {advice}.", options)


def advise_convert(source, options=""):
    """Returns the command that reads more forms than the course itself."""
    return f"`fer-course data convert {source} TARGET.npz{' ' if options else ''}{options}`"


def count_images(labels, usage):
    """Returns the images per split and class, int (3, 7)."""
    cells = usage.astype(int) * len(CLASS_NAMES) + labels
    return np.bincount(cells, minlength=FER2013_COUNTS.size).reshape(FER2013_COUNTS.shape)


def judge_copy(table):
    """Returns (verdict, is_fer2013) for a complete table: first by the counts, then by checksums."""
    counts = count_images(table.labels, table.usage)
    differences = [
        f"{name} has {', '.join(map(str, found))} images where FER2013 has {', '.join(map(str, COUNTS[name]))}"
        for name, found in zip(SPLIT_NAMES, counts.tolist(), strict=True)
        if tuple(found) != COUNTS[name]
    ]
    if differences and table.source:
        return f"not FER2013 (converted from {table.source}){_count_shared(table)}{table.note}", False
    if differences:
        words = f"{'; '.join(differences)} ({', '.join(CLASS_NAMES)})"
        return f"not FER2013: {words}{_count_shared(table)}{table.note}", False
    if table.md5 in KNOWN_MD5:
        return f"verified copy of {KNOWN_MD5[table.md5]} (md5 {table.md5})", True
    if _digest_rows(table) == CONTENT_SHA256:
        return f"verified copy, every pixel and label is FER2013's (sha256 {CONTENT_SHA256[:16]}){table.note}", True
    return f"FER2013 by its counts; pixels not verified{table.note}", True


def _count_shared(table):
    """Returns words on the images that stand in two splits, pixel for pixel, which flatter what is measured; or ""."""
    splits = {}
    for image, split in zip(table.pixels, table.usage, strict=True):
        splits.setdefault(image.tobytes(), set()).add(int(split))
    n_shared = sum(len(of_image) > 1 for of_image in splits.values())
    return f"; {n_shared:,} images stand in more than one split" if n_shared else ""


def _digest_rows(table):
    """Returns a sha256 over split, label and pixels of all rows, whatever their order."""
    flat = table.pixels.reshape(len(table.labels), -1)
    rows = np.column_stack([table.usage, table.labels, flat])
    digest = hashlib.sha256()
    for row in sorted(row.tobytes() for row in rows):
        digest.update(row)
    return digest.hexdigest()
