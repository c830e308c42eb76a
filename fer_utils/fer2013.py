"""Reads FER2013 in every layout people hold it in, says which copy it is, and refuses what is not it.

The layouts (data/README.md shows them): ``fer2013.csv``, ``icml_face_data.csv``, ``.npz``, folders of png or jpg images
per class, and each of these inside ``.zip``, ``.tar.gz`` or ``.tgz``, which are read without unpacking them to disk.
Whatever the layout, the classes come in FER2013's own order, never in the alphabetical order of folders.
"""

import contextlib
import gzip
import hashlib
import io
import os
import re
import string
import tarfile
import zipfile
import zlib
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import numpy as np
from PIL import Image

from fer_utils.environment import progress_bar

CLASS_NAMES = ("Angry", "Disgust", "Fear", "Happy", "Sad", "Surprise", "Neutral")
SPLIT_NAMES = ("Training", "PublicTest", "PrivateTest")
COUNTS = {
    "Training": (3995, 436, 4097, 7215, 4830, 3171, 4965),
    "PublicTest": (467, 56, 496, 895, 653, 415, 607),
    "PrivateTest": (491, 55, 528, 879, 594, 416, 626),
}
FER2013_COUNTS = np.array([COUNTS[name] for name in SPLIT_NAMES])
IMAGE_SIZE = 48
N_PIXELS = IMAGE_SIZE * IMAGE_SIZE

# The digest of every row in sorted order, so that a lossless copy is known again in any layout and any order.
CONTENT_SHA256 = "3dfad8e85df8727f17903581fda57f569fb5762fe170bad5a99441475c3b7a98"
KNOWN_MD5 = {
    "f8428a1edbd21e88f42c73edd2a14f95": "fer2013.csv",
    "b114b9e04e6949e5fe8b6a98b3892b1d": "icml_face_data.csv",
}
COLUMNS = {"emotion", "pixels", "usage"}
LABEL_CODES = {str(label).encode(): label for label in range(len(CLASS_NAMES))}
USAGE_CODES = {name.encode(): code for code, name in enumerate(SPLIT_NAMES)}
CLASS_FOLDERS = {name.lower(): label for label, name in enumerate(CLASS_NAMES)}
CLASS_FOLDERS |= {"disgusted": 1, "fearful": 2, "surprised": 5}
SPLIT_FOLDERS = {"train": "Training", "validation": "PublicTest", "val": "PublicTest", "test": "PrivateTest"}
IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg")
EXPECTED_TABLE = "a csv with the columns emotion, pixels and Usage, an npz, or class folders in train/ and test/"
MAX_EXPANDED = 10**9  # bytes: the largest real copy is 0.3 GB, so more than 1 GB is a mistake or an attack
MAX_LINE = 2**16  # bytes: a row of FER2013 has at most 9,230
DIGITS_AND_BLANKS = (string.digits + string.whitespace).encode()

GET_IT_AGAIN = "Get a fresh copy; data/README.md says where"


class FaceDataError(ValueError):
    """A file that is not the face data it should be; the message says where, what was found, and what to do."""


@dataclass(frozen=True)
class Fer2013:
    """A copy of FER2013 as arrays, one row per image, with a verdict on which copy it is."""

    pixels: np.ndarray  # (N, 48, 48) uint8, 0 black to 255 white
    labels: np.ndarray  # (N,) uint8, an index into CLASS_NAMES
    usage: np.ndarray  # (N,) uint8, an index into SPLIT_NAMES
    verdict: str  # one line: "verified copy ...", "FER2013 by its counts ..." or "not FER2013 ..."
    is_fer2013: bool  # whether the images per class and split are FER2013's


class _Table(NamedTuple):
    """What a reader of one layout found, not yet judged."""

    pixels: np.ndarray
    labels: np.ndarray
    usage: np.ndarray
    md5: str = ""
    note: str = ""


def read_fer2013(path):
    """The `Fer2013` in `path`: a csv or npz file, an archive, a folder of classes, or a folder that holds one.

    Rows of a csv or npz keep their order; images of class folders come by split, class and number. Raises
    `FaceDataError` for everything that is not a table of labelled 48×48 faces in three splits. A complete set whose
    counts are not FER2013's is returned, with a verdict that says so.
    """
    path = locate_fer2013(path)
    with _damage_explained(path):
        table = _read_table(path)
    missing = [name for split, name in enumerate(SPLIT_NAMES) if not np.any(table.usage == split)]
    if missing:
        raise _problem(path.name, f"no image for {' and '.join(missing)}", f"images for {', '.join(SPLIT_NAMES)}")
    verdict, is_fer2013 = _judge(table)
    return Fer2013(table.pixels, table.labels, table.usage, verdict, is_fer2013)


def locate_fer2013(path):
    """The file or class folder that `read_fer2013` reads for `path`; `FaceDataError` if there is none."""
    path = Path(path).expanduser()
    if not path.exists():
        raise _problem(path, "no such file or folder", "a copy of FER2013", f"Check the path. {GET_IT_AGAIN}")
    if path.is_file() and path.stat().st_size == 0:
        raise _problem(path.name, "an empty file", EXPECTED_TABLE)
    found = find_fer2013(path) if path.is_dir() else path
    if found is None:
        raise _problem(path.name, "a folder without a copy of FER2013", EXPECTED_TABLE)
    return found


def find_fer2013(folder, depth=2):
    """The path of the copy of FER2013 in `folder`, or else in the folders within it down to `depth`; None without one.

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
    """The files that hold the copy at `path`: the file itself, or every file in the split folders of a class folder."""
    if path.is_file():
        return [path]
    splits = [entry for entry in sorted(path.iterdir()) if entry.name.lower() in SPLIT_FOLDERS]
    walked = (step for split in splits for step in os.walk(split))
    return [Path(folder, name) for folder, _, names in walked for name in names]


def _rank_file(path):
    """How well a file serves as a copy of FER2013, 0 best; None if it is something else."""
    kind = _kind(path.name)
    if kind == ".csv":
        with path.open("rb") as stream:
            header = set(_split_header(stream.readline(MAX_LINE)))
        return 1 if header == COLUMNS else 4 if "pixels" in header else None
    if kind in (".npz", ".zip"):
        try:
            with zipfile.ZipFile(path) as archive:
                names = archive.namelist()
        except (zipfile.BadZipFile, OSError, UnicodeError):
            names = ["pixels.npy"]  # a damaged copy is a copy: reading it says what is wrong
        if "pixels.npy" in names:
            return 0 if kind == ".npz" else 2
        is_copy = kind == ".zip" and any(_kind(name) or _is_class_image(name) for name in names)
        return 2 if is_copy else None
    return 2 if kind in (".tar.gz", ".tgz") else None


def _kind(name):
    """The suffix that decides how a file is read, such as ".csv" or ".tar.gz"; "" for other files."""
    name = name.lower()
    return next((kind for kind in (".csv", ".npz", ".npy", ".zip", ".tar.gz", ".tgz") if name.endswith(kind)), "")


def _problem(where, found, expected, advice=GET_IT_AGAIN):
    return FaceDataError(f"{where}: found {found}; expected {expected}. {advice}.")


@contextlib.contextmanager
def _damage_explained(path):
    """Turns what zip, gzip, tar and the file system raise for an unreadable file into a `FaceDataError`."""
    try:
        yield
    except (OSError, EOFError, RuntimeError, UnicodeError, zlib.error, zipfile.BadZipFile, tarfile.TarError) as e:
        found = f"a file that is damaged, cut short or locked ({type(e).__name__})"
        raise _problem(path.name, found, "a readable copy of FER2013") from e


def _read_table(path):
    """The first complete table in a file, archive or class folder; without one, the images of its class folders."""
    table, headers, images = None, {}, {}
    for name, n_bytes, open_member in _walk(path):
        if table is not None:
            continue  # the rest of an archive is walked for its checks alone
        where = name if name == path.name else f"{path.name}: {name}"
        kind = _kind(name)
        if _is_class_image(name):
            with open_member() as stream:
                images[name] = stream.read()
        elif kind == ".csv":
            with io.BufferedReader(open_member(), 2**20) as stream:
                header_line = stream.readline(MAX_LINE)
                headers[where] = _split_header(header_line)
                if set(headers[where]) == COLUMNS:
                    table = _read_csv(stream, where, header_line, n_bytes)
        elif kind in (".npz", ".npy"):
            with open_member() as stream:
                table = _read_npz(stream.read(), where)
    if table is None and images:
        table = _read_images(images, path.name)
    return table or _refuse(path, headers)


def _refuse(path, headers):
    """Raises the error for a file, archive or folder that holds no complete table."""
    for where, header in headers.items():
        if set(header) in ({"emotion", "pixels"}, {"pixels"}):
            found = "the labels of the training images alone" if "emotion" in header else "pixels without labels"
            advice = "train.csv labels training alone, test.csv nothing: use icml_face_data.csv or fer2013.csv"
            raise _problem(where, found, "labels and Usage for every split", advice)
    for where, header in headers.items():
        raise _problem(f"{where}, line 1", f"the header {','.join(header)[:80]!r}", EXPECTED_TABLE)
    raise _problem(path.name, "no FER2013 file", EXPECTED_TABLE)


def _walk(path):
    """Yields (name, bytes, function that opens it) for each file in a folder or archive, or for the file itself."""
    kind = _kind(path.name)
    if path.is_dir():
        for file in list_source_files(path):
            yield file.relative_to(path).as_posix(), file.stat().st_size, partial(file.open, "rb", 0)
    elif kind == ".zip":
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            # zipfile reads no member past the size stated for it, so this sum holds for what is really read.
            _check_size(path.name, sum(member.file_size for member in members))
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
                    _check_size(path.name, n_bytes)
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
        _check_size(self.where, self.total)
        return content


def _check_size(where, n_bytes):
    if n_bytes > MAX_EXPANDED:
        found = f"an archive that expands to {n_bytes / 1e9:.1f} GB or more"
        raise _problem(where, found, f"at most {MAX_EXPANDED / 1e9:.0f} GB")


def _check_names(path, names):
    for name in names:
        parts = name.replace("\\", "/").split("/")
        if parts[0] == "" or ".." in parts or re.match("[A-Za-z]:", name):
            raise _problem(path.name, f"the member name {name!r}", "names that stay inside the archive's own folder")


def _split_header(line):
    """The column names in the first line of a csv, in lower case, without blanks and quotes."""
    return [name.strip(' \t"').lower() for name in line.decode("utf-8-sig", "replace").strip().split(",")]


def _read_csv(stream, where, header_line, n_bytes):
    """Returns the `_Table` of a csv, from the stream after its header line; blank lines are skipped, but counted."""
    header = _split_header(header_line)
    columns = [header.index(name) for name in ("emotion", "pixels", "usage")]
    md5 = hashlib.md5(header_line, usedforsecurity=False)
    pixels, labels, usage = [], [], []
    with progress_bar(total=n_bytes, unit="B", unit_scale=True, desc=f"reading {where}") as bar:
        for number, line in enumerate(iter(lambda: stream.readline(MAX_LINE), b""), start=2):
            md5.update(line)
            bar.update(len(line))
            if not line.isspace():
                row_pixels, label, code = _parse_row(line, f"{where}, line {number}", columns)
                pixels.append(row_pixels)
                labels.append(label)
                usage.append(code)
    pixels = np.array(pixels, np.uint8).reshape(-1, IMAGE_SIZE, IMAGE_SIZE)
    return _Table(pixels, np.array(labels, np.uint8), np.array(usage, np.uint8), md5.hexdigest())


def _parse_row(line, where, columns):
    """Returns (pixels, label, usage code) of one line; raises `FaceDataError` where one of them is not right."""
    if len(line) >= MAX_LINE:
        raise _problem(where, f"a row of {MAX_LINE:,} characters or more", f"{N_PIXELS:,} pixels (48×48)")
    # A line without its end is the last of the file: what is wrong with it is most likely that the rest is missing.
    advice = GET_IT_AGAIN if line.endswith(b"\n") else f"The file seems cut off in this row. {GET_IT_AGAIN}"
    fields = [field.strip(b' \t"\r\n') for field in line.split(b",")]
    if len(fields) != len(columns):
        raise _problem(where, f"{len(fields)} columns", "3 columns: emotion, pixels and Usage", advice)
    label, text, usage = (fields[column] for column in columns)
    if label not in LABEL_CODES:
        raise _problem(where, f"the label {_shorten(label)}", "a whole number from 0 to 6", advice)
    if usage not in USAGE_CODES:
        raise _problem(where, f"the Usage {_shorten(usage)}", ", ".join(SPLIT_NAMES), advice)
    return _parse_pixels(text, where, advice), LABEL_CODES[label], USAGE_CODES[usage]


def _parse_pixels(text, where, advice=GET_IT_AGAIN):
    """Returns the pixels (2304,) uint8 that a text such as b"70 80 82 ..." lists; raises `FaceDataError`."""
    if not text.translate(None, DIGITS_AND_BLANKS):  # then numpy can only find whole numbers, none below zero
        numbers = np.fromstring(text, np.int64, sep=" ")  # a number too large for int64 becomes the largest of int64
        if len(numbers) == N_PIXELS and numbers.max() <= 255:
            return numbers.astype(np.uint8)
    words = text.split()
    if len(words) != N_PIXELS:
        raise _problem(where, f"{len(words):,} pixels", f"{N_PIXELS:,} (48×48)", advice)
    wrong = next(word for word in words if not word.isdigit() or float(word) > 255)
    raise _problem(where, f"the pixel {_shorten(wrong)}", "a whole number from 0 to 255", advice)


def _shorten(field):
    return repr(field[:20].decode("ascii", "replace"))


def _read_npz(content, where):
    """The `_Table` of an npz with the arrays pixels, emotion and usage; pickled objects are never opened."""
    expected = "an npz with the arrays pixels (N, 48, 48), emotion (N,) and usage (N,) of whole numbers"
    try:
        stored = np.load(io.BytesIO(content), allow_pickle=False)
        if not isinstance(stored, np.lib.npyio.NpzFile):
            raise _problem(where, "a single array", expected)
        _check_size(where, sum(member.file_size for member in stored.zip.infolist()))
        arrays = {name: stored[name] for name in ("pixels", "emotion", "usage")}
    except KeyError as e:
        raise _problem(where, f"only the arrays {', '.join(stored.files)}", expected) from e
    except (ValueError, MemoryError) as e:
        if isinstance(e, FaceDataError):
            raise
        found = f"content that is not opened, since it may run code or is cut short (numpy: {e})"
        raise _problem(where, found, expected) from e
    n_images = len(arrays["pixels"]) if arrays["pixels"].ndim else 0
    for (name, array), limit in zip(arrays.items(), (255, len(CLASS_NAMES) - 1, len(SPLIT_NAMES) - 1), strict=True):
        shape = (n_images, IMAGE_SIZE, IMAGE_SIZE) if name == "pixels" else (n_images,)
        if array.shape != shape or not np.issubdtype(array.dtype, np.integer):
            raise _problem(where, f"{name} of shape {array.shape} and type {array.dtype}", expected)
        if n_images and (array.min() < 0 or array.max() > limit):
            row, *_ = place = np.argwhere((array < 0) | (array > limit))[0]
            raise _problem(f"{where}, row {row}", f"{name} {array[tuple(place)]}", f"whole numbers from 0 to {limit}")
    return _Table(*(array.astype(np.uint8, copy=False) for array in arrays.values()))


def _is_class_image(name):
    """Whether a name has the form .../train/happy/one.png; which classes there are is checked later."""
    parts = PurePosixPath(name).parts
    visible = "__MACOSX" not in parts and not parts[-1].startswith(".")
    return visible and name.lower().endswith(IMAGE_SUFFIXES) and len(parts) > 2 and parts[-3].lower() in SPLIT_FOLDERS


def _read_images(images, where):
    """The `_Table` of class folders, given as {name: content}; rows by split, class and number in the name."""
    rows = []
    for name in images:
        split, class_folder, file_name = PurePosixPath(name).parts[-3:]
        if class_folder.lower() not in CLASS_FOLDERS:
            raise _problem(f"{where}: {name}", f"the class {class_folder!r}", f"one of {', '.join(CLASS_FOLDERS)}")
        number = int(([0] + re.findall(r"\d+", file_name))[-1])
        code = SPLIT_NAMES.index(SPLIT_FOLDERS[split.lower()])
        rows.append((CLASS_FOLDERS[class_folder.lower()], number, name, code))
    rows.sort()
    names = [name for _, _, name, _ in rows]
    labels, usage = np.array([(label, code) for label, _, _, code in rows], np.uint8).T
    note = "" if np.any(usage == 1) else _divide_test(names, labels, usage)
    if any(name.lower().endswith((".jpg", ".jpeg")) for name in names):
        note += "; the pixels of jpg images differ a little from the original ones"
    order = np.argsort(usage, kind="stable")
    bar = progress_bar(order, unit="image", desc=f"reading {where}")
    pixels = np.stack([_decode_image(images[names[i]], f"{where}: {names[i]}") for i in bar])
    return _Table(pixels, labels[order], usage[order], note=note)


def _divide_test(names, labels, usage):
    """Divides the test images into PublicTest and PrivateTest, in `usage` itself; returns a note on how, "" if named.

    The rows must be in the order of class and number.
    """
    (test,) = np.nonzero(usage == 2)
    file_names = [PurePosixPath(names[i]).name.lower() for i in test]
    if all(name.startswith(("publictest_", "privatetest_")) for name in file_names):
        usage[test] = [1 if name.startswith("publictest_") else 2 for name in file_names]
        return ""
    counts = _count_images(labels, usage)
    if np.array_equal(counts[0], COUNTS["Training"]) and np.array_equal(counts[2], FER2013_COUNTS[1:].sum(axis=0)):
        for label, n_public in enumerate(COUNTS["PublicTest"]):
            usage[test[labels[test] == label][:n_public]] = 1
        return "; PublicTest taken as the first test images of each class in number order"
    shuffled = np.random.default_rng(0).permutation(test)
    by_class = shuffled[np.argsort(labels[shuffled], kind="stable")]
    usage[by_class[::2]] = 1
    return "; the test images were halved at random within each class (seed 0)"


def prepare_face(image):
    """One face as the networks take it, (48, 48) uint8 grey levels, from a Pillow image of 8 bits that it fills.

    The one way from an image to grey levels, for class folders and photos alike: grey is 0.299 red + 0.587 green +
    0.114 blue (ITU-R 601). Only an image of another size is scaled, and then each pixel weighs all that it covers.
    """
    image = image.convert("L")
    size = (IMAGE_SIZE, IMAGE_SIZE)
    return np.asarray(image if image.size == size else image.resize(size, Image.Resampling.BICUBIC))


def _decode_image(content, where):
    """One image as (48, 48) uint8 grey levels."""
    try:
        with Image.open(io.BytesIO(content)) as image:
            found = f"an image of {image.width}×{image.height} pixels, mode {image.mode}"
            if image.size == (IMAGE_SIZE, IMAGE_SIZE) and image.mode in ("1", "L", "LA", "P", "RGB", "RGBA"):
                return prepare_face(image)
    except Exception as e:  # Pillow's decoders raise many kinds
        raise _problem(where, f"an image that cannot be decoded ({type(e).__name__})", "a png or jpg image") from e
    raise _problem(where, found, "48×48 pixels of 8 bits")


def _count_images(labels, usage):
    """Images per split and class, (3, 7)."""
    cells = usage.astype(int) * len(CLASS_NAMES) + labels
    return np.bincount(cells, minlength=FER2013_COUNTS.size).reshape(FER2013_COUNTS.shape)


def _judge(table):
    """(verdict, is_fer2013) for a complete table: first by the counts, then by checksums."""
    counts = _count_images(table.labels, table.usage)
    differences = [
        f"{name} has {', '.join(map(str, found))} images where FER2013 has {', '.join(map(str, COUNTS[name]))}"
        for name, found in zip(SPLIT_NAMES, counts.tolist(), strict=True)
        if tuple(found) != COUNTS[name]
    ]
    if differences:
        return f"not FER2013: {'; '.join(differences)} ({', '.join(CLASS_NAMES)}){table.note}", False
    if table.md5 in KNOWN_MD5:
        return f"verified copy of {KNOWN_MD5[table.md5]} (md5 {table.md5})", True
    if _digest_rows(table) == CONTENT_SHA256:
        return f"verified copy, every pixel and label is FER2013's (sha256 {CONTENT_SHA256[:16]}){table.note}", True
    return f"FER2013 by its counts; pixels not verified{table.note}", True


def _digest_rows(table):
    """A sha256 over split, label and pixels of all rows, whatever their order."""
    flat = table.pixels.reshape(len(table.labels), -1)
    rows = np.column_stack([table.usage, table.labels, flat])
    digest = hashlib.sha256()
    for row in sorted(row.tobytes() for row in rows):
        digest.update(row)
    return digest.hexdigest()
