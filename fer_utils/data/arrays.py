"""Turns arrays of other people's sets into faces and labels: of npz, npy and h5 files, floats, channels, one-hot."""

import contextlib
import io
import re
from pathlib import PurePosixPath

import cv2
import h5py
import numpy as np

from fer_utils.data.archives import check_size
from fer_utils.data.fer2013 import IMAGE_SIZE, FaceDataError, make_error
from fer_utils.data.images import MADE_GREY, SCALED
from fer_utils.data.naming import find_split, find_split_in, printable

IMAGE_WORDS = {"x", "pixel", "pixels", "image", "images", "img", "imgs", "data", "face", "faces"}
LABEL_WORDS = {"y", "label", "labels", "emotion", "emotions", "target", "targets", "class", "classes"}
USAGE_WORDS = {"usage", "split"}
N_PIXELS = IMAGE_SIZE**2
PARTS = ("train", "validation", "test")  # how the name of a group says its split


def read_npz(content, name):
    """Returns {name: array} of an npz, or of a single npy under its file's name; pickled objects are never opened."""
    try:
        stored = np.load(io.BytesIO(content), allow_pickle=False)
        if isinstance(stored, np.ndarray):
            return {name: stored}
        check_size(name, sum(member.file_size for member in stored.zip.infolist()))
        return {f"{name}: {key}": stored[key] for key in stored.files}
    except FaceDataError:
        raise
    except Exception as error:  # of a damaged header numpy raises whatever Python does of the text in it
        found = f"content that is not opened, since it may run code or is cut short (numpy: {error})"
        raise make_error(printable(name), found, "plain arrays of numbers") from error


def read_h5(content, name):
    """Returns {name: array} of the datasets in an HDF5 file; links to other files are not followed."""
    found = {}

    def take(key, item):
        if isinstance(item, h5py.Dataset):
            check_size(name, item.nbytes)
            found[f"{name}: {key}"] = item[()]

    try:
        with h5py.File(io.BytesIO(content)) as file:
            file.visititems(take)
    except FaceDataError:
        raise
    except Exception as error:  # h5py's errors have no common kind
        what = f"a file that is damaged or cut short ({type(error).__name__})"
        raise make_error(printable(name), what, "a readable HDF5 file") from error
    return found


def pair_arrays(arrays):
    """Returns [(name of a group, its split or None, images, labels), ...] of {name: array}.

    Arrays of one file, or single ones of one folder, are paired by the split in their own names; else that of the file
    or the folder counts. An array of splits divides its group. Raises `FaceDataError` for images without labels and for
    a second array of one meaning in a group.
    """
    groups, pairs = {}, []
    for name, array in arrays.items():
        place, _, key = name.rpartition(": ")
        if not place:  # a single array: its file's name is its own
            place, key = str(PurePosixPath(name).parent), PurePosixPath(name).stem
        if key == "source" and np.ndim(array) == 0:
            continue  # what `convert` writes beside its arrays: where they come from
        meaning = _find_meaning(name, set(split_words(key)))
        parts = [key, *reversed(PurePosixPath(place).parts)]
        split = find_split_in(word for part in parts for word in split_words(part))
        group = groups.setdefault((place, split), {})
        if meaning in group:
            found = f"a second array of {meaning} beside {printable(group[meaning][0])}"
            raise make_error(printable(name), found, "one of each", "Give them names such as x_train and x_test")
        group[meaning] = (name, np.asarray(array))
    for (_, split), group in groups.items():
        (name, _), *_ = group.values()
        if list(group) == ["splits"]:
            expected = "images, labels and splits in one file or folder, and no split in their names"
            raise make_error(printable(name), "an array of splits without images and labels that it divides", expected)
        if not {"images", "labels"} <= set(group):
            raise make_error(printable(name), "images without labels, or labels without images", "an array of each")
        pairs += _divide_by_splits(group) if "splits" in group else [_name_pair(group, split)]
    return pairs


def _find_meaning(name, words):
    for meaning, known in (("splits", USAGE_WORDS), ("images", IMAGE_WORDS), ("labels", LABEL_WORDS)):
        if known & words:
            return meaning
    raise make_error(printable(name), "an array whose name does not say what it holds", "names such as x_train")


def _name_pair(group, split, chosen=...):
    (name, images), (_, labels) = group["images"], group["labels"]
    return f"{printable(name)} {'' if split is None else PARTS[split]}".strip(), split, images[chosen], labels[chosen]


def split_words(name):
    """Returns the words in a name, in lower case: first those between signs, then those that capitals begin.

    >>> split_words("X_trainImages"), split_words("PublicTest")
    (['x', 'trainimages', 'x', 'train', 'images'], ['publictest', 'public', 'test'])
    """
    by_capitals = re.sub(r"([a-z])([A-Z])", r"\1_\2", name)
    return [word for text in (name, by_capitals) for word in re.findall(r"[a-z0-9]+", text.lower())]


def _divide_by_splits(group):
    """Returns what `pair_arrays` does of a group with an array of splits: words, or places in SPLIT_NAMES."""
    name, splits = group["splits"]
    shapes = [group[meaning][1].shape for meaning in ("images", "labels", "splits")]
    if splits.ndim != 1 or len({shape[:1] for shape in shapes}) != 1:
        found = "images, labels and splits of shapes {}, {} and {}".format(*shapes)
        raise make_error(printable(name), found, "as many of each, the splits (N,)")
    codes = np.zeros(len(splits), int)
    for row, value in enumerate(splits.tolist()):
        word = value.decode("utf-8", "replace") if isinstance(value, bytes) else value
        split = find_split(word) if isinstance(word, str) else word
        if isinstance(split, bool) or split not in range(len(PARTS)):
            raise make_error(
                f"{printable(name)}, row {row}",
                f"the split {printable(word)!r}",
                "training, validation, test, 0, 1 or 2",
            )
        codes[row] = split
    return [_name_pair(group, split, codes == split) for split in np.unique(codes).tolist()]


def as_faces(array, where, resize=False):
    """Returns (images uint8 (N, 48, 48), what was changed in words, or "") of an array of them.

    They may be flat, have a channel axis, and be floats from 0 to 1 or to 255.

    Another size, and colour, are taken only with `resize`: smaller images are scaled up bicubically, in larger ones
    each pixel is the mean of the area that it covers; grey as in `images.prepare_face`. Raises `FaceDataError`.
    """
    array = np.asarray(array)
    if array.ndim == 2 and array.shape[1] == N_PIXELS:
        array = array.reshape(-1, IMAGE_SIZE, IMAGE_SIZE)
    if array.ndim == 4 and array.shape[1] in (1, 3) and array.shape[-1] not in (1, 3):
        array = np.moveaxis(array, 1, -1)  # channels first
    if array.ndim not in (3, 4) or (array.ndim == 4 and array.shape[-1] not in (1, 3)):
        raise make_error(where, f"an array of shape {array.shape}", "images (N, 48, 48), with a channel axis or flat")
    shares = np.issubdtype(array.dtype, np.floating) and array.size and array.max() <= 1
    array = _as_bytes(array, where, shares)
    colour = array.ndim == 4 and array.shape[-1] == 3
    if (array.shape[1:3] != (IMAGE_SIZE, IMAGE_SIZE) or colour) and not resize:
        raise make_error(where, f"images of shape {array.shape[1:]}", "48×48 grey pixels", "Add --resize", None)
    if colour:
        array = np.stack([cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) for image in array])
    array = array.reshape(array.shape[:3])
    scaled = array.shape[1:] != (IMAGE_SIZE, IMAGE_SIZE)
    if scaled:
        how = cv2.INTER_AREA if min(array.shape[1:]) >= IMAGE_SIZE else cv2.INTER_CUBIC
        array = np.stack([cv2.resize(image, (IMAGE_SIZE, IMAGE_SIZE), interpolation=how) for image in array])
    changes = {"from 0 to 1 brought to 0 to 255": shares, SCALED: scaled, MADE_GREY: colour}
    return array, ", ".join(words for words, happened in changes.items() if happened)


def _as_bytes(array, where, shares):
    """Returns numbers from 0 to 255 as uint8, or `shares` from 0 to 1 times 255."""
    if array.dtype.kind not in "iuf" or not np.isfinite(array).all():
        raise make_error(where, f"pixels of type {array.dtype} that are no finite numbers", "numbers from 0 to 255")
    low, high = (array.min(), array.max()) if array.size else (0, 0)
    if low < 0 or high > 255:
        raise make_error(where, f"pixels from {low:g} to {high:g}", "numbers from 0 to 1 or from 0 to 255")
    return np.rint(array * 255 if shares else array).astype(np.uint8)


def as_labels(array, where):
    """Returns labels, a list of numbers or words, of an array of them, or of one-hot rows."""
    array = np.asarray(array)
    numbers = array.dtype.kind in "biuf"
    if array.ndim == 2 and array.shape[1] > 1 and numbers and np.array_equal(array.sum(axis=1), np.ones(len(array))):
        array = array.argmax(axis=1)
    array = array.ravel() if array.ndim == 2 and array.shape[1] == 1 else array
    if array.ndim != 1:
        raise make_error(where, f"labels of shape {array.shape}", "one for each image, or one-hot rows")
    with contextlib.suppress(AttributeError):
        return [value.decode() for value in array.tolist()]
    return array.tolist()
