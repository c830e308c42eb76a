"""Reads FER2013 in every layout people hold it in, and refuses what is not it.

The layouts (data/README.md shows them): ``fer2013.csv``, ``icml_face_data.csv``, ``.npz``, folders of png or jpg images
per class, and each of these inside ``.zip``, ``.tar.gz`` or ``.tgz``, which are read without unpacking them to disk.
Whatever the layout, the classes come in FER2013's own order, never in the alphabetical order of folders.
"""

import hashlib
import io
import re
import string
from pathlib import PurePosixPath

import numpy as np
from PIL import Image

from fer_utils.data.fer2013 import (
    CLASS_NAMES,
    COUNTS,
    EXPECTED_TABLE,
    FER2013_COUNTS,
    GET_IT_AGAIN,
    IMAGE_SIZE,
    SPLIT_NAMES,
    FaceDataError,
    FaceTable,
    Fer2013,
    count_images,
    judge_copy,
    make_error,
)
from fer_utils.data.files import (
    COLUMNS,
    MAX_LINE,
    SPLIT_FOLDERS,
    check_size,
    explain_damage,
    find_suffix,
    is_class_image,
    locate_fer2013,
    split_header,
    walk_files,
)
from fer_utils.environment import progress_bar

LABEL_CODES = {str(label).encode(): label for label in range(len(CLASS_NAMES))}
USAGE_CODES = {name.encode(): code for code, name in enumerate(SPLIT_NAMES)}
CLASS_FOLDERS = {name.lower(): label for label, name in enumerate(CLASS_NAMES)}
CLASS_FOLDERS |= {"disgusted": 1, "fearful": 2, "surprised": 5}  # other names for the same classes
N_PIXELS = IMAGE_SIZE * IMAGE_SIZE
DIGITS_AND_BLANKS = (string.digits + string.whitespace).encode()


def read_fer2013(path):
    """Reads the `Fer2013` in `path`: a csv or npz file, an archive, a folder of classes, or a folder that holds one.

    Rows of a csv or npz keep their order; images of class folders come by split, class and number. Raises
    `FaceDataError` for everything that is not a table of labelled 48×48 faces in three splits. A complete set whose
    counts are not FER2013's is returned, with a verdict that says so.
    """
    path = locate_fer2013(path)
    with explain_damage(path):
        table = _read_table(path)
    missing = [name for split, name in enumerate(SPLIT_NAMES) if not np.any(table.usage == split)]
    if missing:
        raise make_error(path.name, f"no image for {' and '.join(missing)}", f"images for {', '.join(SPLIT_NAMES)}")
    verdict, is_fer2013 = judge_copy(table)
    return Fer2013(table.pixels, table.labels, table.usage, verdict, is_fer2013)


def _read_table(path):
    """Returns the first complete table in a file, archive or folder; without one, the images of its class folders."""
    table, headers, images = None, {}, {}
    for name, n_bytes, open_member in walk_files(path):
        if table is not None:
            continue  # the rest of an archive is walked for its checks alone
        where = name if name == path.name else f"{path.name}: {name}"
        kind = find_suffix(name)
        if is_class_image(name):
            with open_member() as stream:
                images[name] = stream.read()
        elif kind == ".csv":
            with io.BufferedReader(open_member(), 2**20) as stream:
                header_line = stream.readline(MAX_LINE)
                headers[where] = split_header(header_line)
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
            raise make_error(where, found, "labels and Usage for every split", advice)
    for where, header in headers.items():
        raise make_error(f"{where}, line 1", f"the header {','.join(header)[:80]!r}", EXPECTED_TABLE)
    raise make_error(path.name, "no FER2013 file", EXPECTED_TABLE)


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
        raise make_error(where, f"{len(fields)} columns", "3 columns: emotion, pixels and Usage", advice)
    label, text, usage = (fields[column] for column in columns)
    if label not in LABEL_CODES:
        raise make_error(where, f"the label {_quote_start(label)}", "a whole number from 0 to 6", advice)
    if usage not in USAGE_CODES:
        raise make_error(where, f"the Usage {_quote_start(usage)}", ", ".join(SPLIT_NAMES), advice)
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
        raise make_error(where, f"{len(words):,} pixels", f"{N_PIXELS:,} (48×48)", advice)
    wrong = next(word for word in words if not word.isdigit() or float(word) > 255)
    raise make_error(where, f"the pixel {_quote_start(wrong)}", "a whole number from 0 to 255", advice)


def _read_npz(content, where):
    """Returns the `FaceTable` of an npz with the arrays pixels, emotion and usage; pickled objects are never opened."""
    expected = "an npz with the arrays pixels (N, 48, 48), emotion (N,) and usage (N,) of whole numbers"
    try:
        stored = np.load(io.BytesIO(content), allow_pickle=False)
        if not isinstance(stored, np.lib.npyio.NpzFile):
            raise make_error(where, "a single array", expected)
        check_size(where, sum(member.file_size for member in stored.zip.infolist()))
        arrays = {name: stored[name] for name in ("pixels", "emotion", "usage")}
    except KeyError as e:
        raise make_error(where, f"only the arrays {', '.join(stored.files)}", expected) from e
    except (ValueError, MemoryError) as e:
        if isinstance(e, FaceDataError):
            raise
        found = f"content that is not opened, since it may run code or is cut short (numpy: {e})"
        raise make_error(where, found, expected) from e
    n_images = len(arrays["pixels"]) if arrays["pixels"].ndim else 0
    for (name, array), limit in zip(arrays.items(), (255, len(CLASS_NAMES) - 1, len(SPLIT_NAMES) - 1), strict=True):
        shape = (n_images, IMAGE_SIZE, IMAGE_SIZE) if name == "pixels" else (n_images,)
        if array.shape != shape or not np.issubdtype(array.dtype, np.integer):
            raise make_error(where, f"{name} of shape {array.shape} and type {array.dtype}", expected)
        if n_images and (array.min() < 0 or array.max() > limit):
            row, *_ = place = np.argwhere((array < 0) | (array > limit))[0]
            raise make_error(f"{where}, row {row}", f"{name} {array[tuple(place)]}", f"whole numbers from 0 to {limit}")
    return FaceTable(*(array.astype(np.uint8, copy=False) for array in arrays.values()))


def _read_images(images, where):
    """Returns the `FaceTable` of class folders, given as {name: content}; by split, class and number in the name."""
    rows = []
    for name in images:
        split, class_folder, file_name = PurePosixPath(name).parts[-3:]
        if class_folder.lower() not in CLASS_FOLDERS:
            raise make_error(f"{where}: {name}", f"the class {class_folder!r}", f"one of {', '.join(CLASS_FOLDERS)}")
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
    return FaceTable(pixels, labels[order], usage[order], note=note)


def _divide_test(names, labels, usage):
    """Divides the test images into PublicTest and PrivateTest, in `usage` itself; returns a note on how, "" if named.

    The rows must be in the order of class and number.
    """
    (test,) = np.nonzero(usage == 2)
    file_names = [PurePosixPath(names[i]).name.lower() for i in test]
    if all(name.startswith(("publictest_", "privatetest_")) for name in file_names):
        usage[test] = [1 if name.startswith("publictest_") else 2 for name in file_names]
        return ""
    counts = count_images(labels, usage)
    if np.array_equal(counts[0], COUNTS["Training"]) and np.array_equal(counts[2], FER2013_COUNTS[1:].sum(axis=0)):
        for label, n_public in enumerate(COUNTS["PublicTest"]):
            usage[test[labels[test] == label][:n_public]] = 1
        return "; PublicTest taken as the first test images of each class in number order"
    shuffled = np.random.default_rng(0).permutation(test)
    by_class = shuffled[np.argsort(labels[shuffled], kind="stable")]
    usage[by_class[::2]] = 1
    return "; the test images were halved at random within each class (seed 0)"


def prepare_face(image):
    """Turns a Pillow image of 8 bits that shows one face into what the networks take: uint8 (48, 48), grey levels.

    Class folders and photos both come this way: grey is 0.299 red + 0.587 green +
    0.114 blue (ITU-R 601). Only an image of another size is scaled, and then each pixel weighs all that it covers.
    """
    image = image.convert("L")
    size = (IMAGE_SIZE, IMAGE_SIZE)
    return np.asarray(image if image.size == size else image.resize(size, Image.Resampling.BICUBIC))


def _decode_image(content, where):
    """Returns one image as (48, 48) uint8 grey levels."""
    try:
        with Image.open(io.BytesIO(content)) as image:
            found = f"an image of {image.width}×{image.height} pixels, mode {image.mode}"
            if image.size == (IMAGE_SIZE, IMAGE_SIZE) and image.mode in ("1", "L", "LA", "P", "RGB", "RGBA"):
                return prepare_face(image)
    except Exception as e:  # Pillow's decoders raise many kinds
        raise make_error(where, f"an image that cannot be decoded ({type(e).__name__})", "a png or jpg image") from e
    raise make_error(where, found, "48×48 pixels of 8 bits")
