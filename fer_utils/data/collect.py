"""Collects labelled faces from whatever people hold: csv dialects, arrays, h5, parquet, folders of images, FERPlus.

Nothing is decided here about classes and splits: `convert` does that. What is not taken is put into an `Account`.
"""

import collections
import dataclasses
import io
import re
from pathlib import PurePosixPath
from typing import NamedTuple

import numpy as np
import pandas as pd

from fer_utils.data.archives import explain_damage, walk_files
from fer_utils.data.arrays import as_faces, as_labels, pair_arrays, read_h5, read_npz
from fer_utils.data.class_folders import drop_repeated
from fer_utils.data.fer2013 import FaceDataError, make_error
from fer_utils.data.files import list_source_files
from fer_utils.data.images import IMAGE_SUFFIXES, decode_face
from fer_utils.data.naming import find_split, find_split_in, plain, printable, split_path
from fer_utils.environment import progress_bar

LABEL_COLUMNS = {"emotion", "label", "labels", "expression", "class", "target"}
PIXEL_COLUMNS = {"pixels", "pixel", "image", "img", "images"}
USAGE_COLUMNS = {"usage", "split", "set", "subset", "partition"}
SEPARATORS = ",;\t|"
NUMBERS = re.compile(r"[^\s,;\[\]]+")
COUNT = re.compile("[0-9]{1,9}")
CHUNK = 2000  # rows of a csv at once
# The columns of FERPlus's label.csv behind the image's name and box: its ten answers (Barsoum et al. 2016).
FERPLUS_ANSWERS = (
    "neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt", "unknown", "NF",
)  # fmt: skip


class Face(NamedTuple):
    """A face and what its source says of it."""

    name: str
    pixels: np.ndarray  # (48, 48) uint8
    label: object  # a word or a number
    usage: int | None  # a place in SPLIT_NAMES
    in_folder: bool = False  # whether the label is the name of a folder


@dataclasses.dataclass
class Account:
    """What was read, changed and left out: {words: how many}, and for what was left out {reason: [name, ...]}."""

    read: collections.Counter = dataclasses.field(default_factory=collections.Counter)
    changed: collections.Counter = dataclasses.field(default_factory=collections.Counter)
    left_out: dict = dataclasses.field(default_factory=lambda: collections.defaultdict(list))


def collect(source, account, resize=False):
    """Returns [`Face`, ...] of all that is in `source`, a Path; notes in `account` what was read, changed and left out.

    Raises `FaceDataError` for what cannot be read, and without `resize` for faces of another size than 48×48.
    """
    faces, arrays, images, votes = [], {}, {}, {}
    base = source if source.is_dir() else source.parent
    files = list_source_files(source)
    for name, _, kind, stream in progress_bar(walk_files(files, base), unit="file", desc=f"reading {source.name}"):
        where = printable(name)
        with explain_damage(name):
            if kind == "image" or name.lower().endswith(IMAGE_SUFFIXES):
                images[name] = stream.read()
            elif kind in ("npz", "npy"):
                arrays |= read_npz(stream.read(), name)
            elif kind == "h5":
                arrays |= read_h5(stream.read(), name)
            elif kind == "parquet":
                faces += _read_parquet(stream.read(), name, account, resize)
            elif kind in ("text", "utf16") and (table := _open_csv(stream, kind, where)) is not None:
                faces += _read_csv(table, name, account, resize)
            elif kind in ("text", "utf16") and (found := _read_votes(stream, kind)):
                votes |= {str(PurePosixPath(name).with_name(image)): label for image, label in found.items()}
            else:
                account.left_out["no table and no image"].append(where)
    for group, split, x, y in pair_arrays(arrays):
        faces += _from_arrays(group, split, x, y, account, resize)
    return faces + _read_images(images, votes, account, resize)


def _from_arrays(group, split, x, y, account, resize):
    (pixels, changes), labels = as_faces(x, group, resize), as_labels(y, group)
    if len(pixels) != len(labels):
        raise make_error(group, f"{len(pixels):,} images and {len(labels):,} labels", "as many of both")
    account.read["arrays"] += len(pixels)
    account.changed[changes] += len(pixels) if changes else 0
    return [Face(f"{group}, row {row}", *face, split) for row, face in enumerate(zip(pixels, labels, strict=True))]


def _open_csv(stream, kind, where):
    """Returns (header's columns by what they mean, chunks of rows as text) of a csv with faces, or None."""
    encoding = "utf-16" if kind == "utf16" else "utf-8-sig"
    first = _first_line(stream, encoding)
    separator = max(SEPARATORS, key=first.count)
    columns = [name.strip().strip("\"'") for name in first.split(separator)]
    found = {}
    for meaning, words in (("label", LABEL_COLUMNS), ("pixels", PIXEL_COLUMNS), ("usage", USAGE_COLUMNS)):
        found[meaning] = next((place for place, name in enumerate(columns) if plain(name) in words), None)
    wide = [place for place, name in enumerate(columns) if re.fullmatch(r"(pixel|px|p)?_?\d+", name.lower())]
    if len(wide) > 1:
        found["pixels"] = None  # a column for each
    if found["label"] is None or (found["pixels"] is None and len(wide) < 2):
        return None
    how = {"sep": separator, "encoding": encoding, "dtype": str, "keep_default_na": False, "skipinitialspace": True}
    try:
        chunks = pd.read_csv(stream, header=None, skiprows=1, chunksize=CHUNK, on_bad_lines="error", **how)
    except pd.errors.EmptyDataError as error:
        raise make_error(where, "a header without rows", "a row for each face") from error
    except pd.errors.ParserError as error:  # of the first rows; `_read_csv` meets the others
        raise make_error(where, f"rows that cannot be read ({error})", "a csv") from error
    return found, wide, chunks


def _first_line(stream, encoding):
    """Returns the first line of a buffered stream, which stays where it is."""
    head = stream.peek(2**16)[: 2**16]
    text = head[: len(head) // 2 * 2].decode(encoding, "replace")
    return text.splitlines()[0] if text else ""


def _read_csv(table, name, account, resize):
    columns, wide, chunks = table
    split_of_file, faces, row = _split_of_file(name), [], 1
    used = [*(wide if columns["pixels"] is None else ()), *(place for place in columns.values() if place is not None)]
    try:
        for chunk in chunks:
            values = chunk.to_numpy()
            for fields in values:
                row += 1
                where = f"{printable(name)}, line {row}"
                if len(fields) <= max(used):  # of rows that are shorter than the first, pandas fills the rest with ""
                    raise make_error(where, f"a row of {len(fields):,} fields", "as many as the header has")
                text = fields[wide] if columns["pixels"] is None else NUMBERS.findall(fields[columns["pixels"]])
                (pixels,), changes = as_faces(_square(text, where), where, resize)
                account.changed[changes] += bool(changes)
                usage = split_of_file if columns["usage"] is None else _as_split(fields[columns["usage"]], where)
                faces.append(Face(where, pixels, fields[columns["label"]], usage))
    except (ValueError, pd.errors.ParserError) as error:
        if isinstance(error, FaceDataError):
            raise
        raise make_error(f"{printable(name)}, line {row}", f"a row that cannot be read ({error})", "a csv") from error
    account.read["rows of csv files"] += len(faces)
    return faces


def _square(words, where):
    """Returns numbers given as text, as an image (1, side, side): whole ones as int, so that none is a share of 1."""
    try:
        numbers = np.array(words, float)
        if not any("." in str(word) for word in words):
            numbers = numbers.astype(int)
    except ValueError as error:
        raise make_error(where, f"a pixel that is no number ({error})", "numbers from 0 to 255") from error
    side = round(np.sqrt(len(numbers)))
    if side * side != len(numbers) or not side:
        raise make_error(where, f"{len(numbers):,} pixels", "as many as a square has, such as 2,304 (48×48)")
    return numbers.reshape(1, side, side)


def _as_split(word, where):
    split = find_split(word)
    if split is None:
        raise make_error(where, f"the split {printable(word)!r}", "training, validation or test")
    return split


def _split_of_file(name):
    """Returns the split that the name of a file or of its folder says, such as `train-00000-of-00001.parquet`."""
    found = find_split_in(re.split(r"[\W_]+", PurePosixPath(name).name.partition(".")[0]))
    return split_path(name)[0] if found is None else found


def _read_votes(stream, kind):
    """Returns {image: word with most votes} of one of FERPlus's `label.csv`, which has no header; {} if it is none.

    Where two answers have as many votes, the word names both: it is no class, and `convert` counts it.
    """
    found = {}
    text = io.TextIOWrapper(stream, "utf-16" if kind == "utf16" else "utf-8", errors="replace")
    try:
        for line in text:
            image, _, rest = line.strip().partition(",")
            fields = [field.strip() for field in rest.rpartition(")")[2].strip('",').split(",")]
            if not image or len(fields) != len(FERPLUS_ANSWERS) or not all(map(COUNT.fullmatch, fields)):
                return found
            votes = np.array(fields, int)
            most = np.flatnonzero(votes == votes.max())
            found[image] = " or ".join(FERPLUS_ANSWERS[place] for place in most)
        return found
    finally:
        text.detach()  # else it closes the stream, which an archive reads to its end


def _read_parquet(content, name, account, resize):
    try:
        table = pd.read_parquet(io.BytesIO(content), engine="pyarrow")
    except ImportError as error:
        advice = "Install the optional extra `parquet` of this package"
        raise make_error(printable(name), "a parquet file", "pyarrow, which reads it", advice) from error
    except Exception as error:  # pyarrow's errors have no common kind
        found = f"a file that is damaged or cut short ({type(error).__name__})"
        raise make_error(printable(name), found, "a readable parquet file") from error
    words_of = {"label": LABEL_COLUMNS, "image": PIXEL_COLUMNS, "usage": USAGE_COLUMNS}
    means = {
        meaning: next((column for column in table.columns if plain(column) in words), None)
        for meaning, words in words_of.items()
    }
    if means["label"] is None or means["image"] is None:
        found = f"the columns {', '.join(map(printable, table.columns))}"
        raise make_error(printable(name), found, "one of images and one of labels, called image and label")
    split_of_file, faces = _split_of_file(name), []
    for row, fields in enumerate(table.to_dict("records")):
        where, image = f"{printable(name)}, row {row}", fields[means["image"]]
        content = image.get("bytes") if isinstance(image, dict) else image
        if not isinstance(content, bytes | str | list | np.ndarray):
            raise make_error(where, "no image, or only the path of one", "the bytes of an image, or its pixels")
        if isinstance(content, bytes):
            pixels, changes = decode_face(content, where, resize)
        else:
            (pixels,), changes = as_faces(_square(_list_numbers(content, where), where), where, resize)
        account.changed[changes] += bool(changes)
        usage = split_of_file if means["usage"] is None else _as_split(fields[means["usage"]], where)
        faces.append(Face(where, pixels, fields[means["label"]], usage))
    account.read["rows of parquet files"] += len(faces)
    return faces


def _list_numbers(content, where):
    """Returns the pixels, as numbers or text, of a text or of a list of rows; `FaceDataError` for rows that differ."""
    if isinstance(content, str):
        return NUMBERS.findall(content)
    try:
        return np.ravel(np.vstack(content))
    except ValueError as error:
        raise make_error(where, f"no rows of one length ({error})", "the rows of an image") from error


def _read_images(images, votes, account, resize):
    images, n_twice = drop_repeated(images)
    if n_twice:
        account.left_out["the same image in the same folders a second time"] += [""] * n_twice
    faces = []
    for name, content in progress_bar(images.items(), unit="image", desc="decoding") if images else ():
        usage, folders = split_path(name)
        label = votes.get(name) if votes else folders[0] if folders else None
        if label is None:
            account.left_out["images in no folder of a class"].append(printable(name))
            continue
        try:
            pixels, changes = decode_face(content, printable(name), resize)
        except FaceDataError as error:
            if "cannot be decoded" not in str(error):
                raise
            account.left_out["images that cannot be decoded"].append(printable(name))
            continue
        account.changed[changes] += bool(changes)
        faces.append(Face(printable(name), pixels, label, usage, in_folder=not votes))
    account.read["images"] += len(faces)
    return faces
