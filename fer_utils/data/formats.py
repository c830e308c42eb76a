"""Reads FER2013 in every layout that it is given out in, and refuses what is not it.

The layouts (data/README.md shows them): ``fer2013.csv``, ``icml_face_data.csv``, ``.npz``, folders of images per class,
and each of these in archives, which are read without unpacking them to disk. Whatever else people hold goes once
through `convert.convert`. Whatever the layout, the classes come in FER2013's own order, never in the alphabetical order
of folders. Nothing is left out in silence: what is not read is counted in the verdict.
"""

import hashlib
import io
import string
from pathlib import Path

import numpy as np

from fer_utils.data.archives import check_size, explain_damage, walk_files
from fer_utils.data.class_folders import read_class_folders
from fer_utils.data.fer2013 import (
    CLASS_NAMES,
    EXPECTED_TABLE,
    GET_IT_AGAIN,
    IMAGE_SIZE,
    SPLIT_NAMES,
    FaceDataError,
    FaceTable,
    Fer2013,
    advise_convert,
    judge_copy,
    make_error,
)
from fer_utils.data.files import (
    COLUMNS,
    CONVERTED,
    MAX_LINE,
    UNREADABLE,
    list_source_files,
    locate_fer2013,
    split_header,
)
from fer_utils.data.images import IMAGE_SUFFIXES
from fer_utils.data.naming import printable
from fer_utils.environment import progress_bar

LABEL_CODES = {str(label).encode(): label for label in range(len(CLASS_NAMES))}
USAGE_CODES = {name.encode(): code for code, name in enumerate(SPLIT_NAMES)}
N_PIXELS = IMAGE_SIZE * IMAGE_SIZE
DIGITS_AND_BLANKS = (string.digits + string.whitespace).encode()


def read_fer2013(path):
    """Reads the `Fer2013` in `path`: a csv or npz file, an archive, a folder of classes, or a folder that holds one.

    Rows of a csv or npz keep their order; images of class folders come by split, class and number. Raises
    `FaceDataError` for everything that is not a table of labelled 48×48 faces in three splits; where
    `fer-course data convert` may read it, the message ends with the command. A complete set whose counts are not
    FER2013's is returned, with a verdict that says so.
    """
    source = path
    try:
        path = locate_fer2013(path)
        with explain_damage(path.name):
            table = _read_table(path)
        missing = [name for split, name in enumerate(SPLIT_NAMES) if not np.any(table.usage == split)]
        if missing:
            found = f"no image for {' and '.join(missing)}"
            raise make_error(printable(path.name), found, f"images for {', '.join(SPLIT_NAMES)}", options="")
    except FaceDataError as error:
        raise _complete(error, Path(source)) from error
    verdict, is_fer2013 = judge_copy(table)
    return Fer2013(table.pixels, table.labels, table.usage, verdict, is_fer2013)


def _complete(error, source):
    """Returns the error as it is shown: with the name of the source, and the command that may read it."""
    message = str(error) if source.name in str(error) else f"{printable(source.name)}: {error}"
    if error.options is None:
        return FaceDataError(message)
    command = advise_convert(printable(source), error.options)
    return FaceDataError(f"{message} To turn it into a set that the course reads: {command}.", error.options)


def _read_table(path):
    """Returns the first complete table in a file, archive or folder; without one, the images of its class folders."""
    table, headers, images, others = None, {}, {}, {}
    for name, n_bytes, kind, stream in walk_files(list_source_files(path), path if path.is_dir() else path.parent):
        if table is not None:
            continue  # the rest of an archive is walked for its checks alone
        where = printable(name) if name == path.name else f"{printable(path.name)}: {printable(name)}"
        with explain_damage(where):
            if kind == "image" or name.lower().endswith(IMAGE_SUFFIXES):
                images[name] = stream.read()
            elif kind in ("npz", "npy"):
                table = _read_npz(stream.read(), where)
            elif kind == "text" and set(header := split_header(line := stream.readline(MAX_LINE))) == COLUMNS:
                table = _read_csv(stream, where, line, n_bytes)
            elif kind == "text" and (name.lower().endswith(".csv") or b"pixels" in line.lower()):
                headers[where] = header
            else:
                others[name] = kind
    if table is None and images:
        texts = [where.split(": ")[-1] for where in headers]
        table = read_class_folders(images, [*others, *texts], printable(path.name))
    return table or _refuse(path, headers, others)


def _refuse(path, headers, others):
    """Raises the error for a file, archive or folder that holds no complete table."""
    for where, header in headers.items():
        if set(header) in ({"emotion", "pixels"}, {"pixels"}):
            found = "the labels of the training images alone" if "emotion" in header else "pixels without labels"
            advice = "train.csv labels training alone, test.csv nothing: use icml_face_data.csv or fer2013.csv"
            raise make_error(
                where, found, "labels and Usage for every split", advice, "" if "emotion" in header else None
            )
    for where, header in headers.items():
        found = f"the header {','.join(header)[:80]!r}"
        raise make_error(f"{where}, line 1", found, EXPECTED_TABLE, options="")
    for name, kind in others.items():
        where = printable(name) if name == path.name else f"{printable(path.name)}: {printable(name)}"
        if kind in UNREADABLE:
            raise make_error(where, UNREADABLE[kind], EXPECTED_TABLE, "Unpack it, or save it as a csv")
        if kind in CONVERTED:
            raise make_error(where, CONVERTED[kind], EXPECTED_TABLE, "It has to be converted", "")
    raise make_error(printable(path.name), "no FER2013 file", EXPECTED_TABLE, options="")


def _read_csv(stream, where, header_line, n_bytes):
    """Returns the `FaceTable` of a csv, from the stream after its header line; blank lines are skipped, but counted."""
    header = split_header(header_line)
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
    return FaceTable(pixels, np.array(labels, np.uint8), np.array(usage, np.uint8), md5.hexdigest())


def _parse_row(line, where, columns):
    """Returns (pixels, label, usage code) of one line; raises `FaceDataError` where one of them is not right."""
    if len(line) >= MAX_LINE:
        raise make_error(where, f"a row of {MAX_LINE:,} characters or more", f"{N_PIXELS:,} pixels (48×48)")
    # A line without its end is the last of the file: what is wrong with it is most likely that the rest is missing.
    advice = GET_IT_AGAIN if line.endswith(b"\n") else f"The file seems cut off in this row. {GET_IT_AGAIN}"
    fields = [field.strip(b' \t"\r\n') for field in line.split(b",")]
    if len(fields) != len(columns):
        raise make_error(where, f"{len(fields)} columns", "3 columns: emotion, pixels and Usage", advice, "")
    label, text, usage = (fields[column] for column in columns)
    if label not in LABEL_CODES:
        raise make_error(where, f"the label {_quote_start(label)}", "a whole number from 0 to 6", advice, "")
    if usage not in USAGE_CODES:
        raise make_error(where, f"the Usage {_quote_start(usage)}", ", ".join(SPLIT_NAMES), advice, "")
    return _parse_pixels(text, where, advice), LABEL_CODES[label], USAGE_CODES[usage]


def _quote_start(field):
    return repr(field[:20].decode("ascii", "replace"))


def _parse_pixels(text, where, advice=GET_IT_AGAIN):
    """Returns the pixels (2304,) uint8 that a text such as b"70 80 82 ..." lists; raises `FaceDataError`."""
    if not text.translate(None, DIGITS_AND_BLANKS):  # then numpy can only find whole numbers, none below zero
        numbers = np.fromstring(text, np.int64, sep=" ")  # a number too large for int64 becomes the largest of int64
        if len(numbers) == N_PIXELS and numbers.max() <= 255:
            return numbers.astype(np.uint8)
    words = text.split()
    if len(words) != N_PIXELS:
        raise make_error(where, f"{len(words):,} pixels", f"{N_PIXELS:,} (48×48)", advice, "--resize")
    wrong = next(word for word in words if not word.isdigit() or float(word) > 255)
    raise make_error(where, f"the pixel {_quote_start(wrong)}", "a whole number from 0 to 255", advice)


def _read_npz(content, where):
    """Returns the `FaceTable` of an npz with the arrays pixels, emotion and usage; pickled objects are never opened.

    One that `convert.convert` wrote has a fourth, a text: what it was converted from.
    """
    expected = "an npz with the arrays pixels (N, 48, 48), emotion (N,) and usage (N,) of whole numbers"
    try:
        stored = np.load(io.BytesIO(content), allow_pickle=False)
        if not isinstance(stored, np.lib.npyio.NpzFile):
            raise make_error(where, "a single array", expected, options="")
        check_size(where, sum(member.file_size for member in stored.zip.infolist()))
        # As an array also what is none: of that numpy returns the bytes.
        arrays = {name: np.asarray(stored[name]) for name in ("pixels", "emotion", "usage")}
        source = printable(stored["source"]) if "source" in stored.files else ""
    except KeyError as e:
        raise make_error(where, f"only the arrays {', '.join(stored.files)}", expected, options="") from e
    except FaceDataError:
        raise
    except Exception as e:  # of a damaged header numpy raises whatever Python does of the text in it
        found = f"content that is not opened, since it may run code or is cut short (numpy: {e})"
        raise make_error(where, found, expected) from e
    n_images = len(arrays["pixels"]) if arrays["pixels"].ndim else 0
    for (name, array), limit in zip(arrays.items(), (255, len(CLASS_NAMES) - 1, len(SPLIT_NAMES) - 1), strict=True):
        shape = (n_images, IMAGE_SIZE, IMAGE_SIZE) if name == "pixels" else (n_images,)
        if array.shape != shape or not np.issubdtype(array.dtype, np.integer):
            raise make_error(where, f"{name} of shape {array.shape} and type {array.dtype}", expected, options="")
        if n_images and (array.min() < 0 or array.max() > limit):
            row, *_ = place = np.argwhere((array < 0) | (array > limit))[0]
            raise make_error(f"{where}, row {row}", f"{name} {array[tuple(place)]}", f"whole numbers from 0 to {limit}")
    table = FaceTable(*(array.astype(np.uint8, copy=False) for array in arrays.values()))
    return table._replace(source=source)
