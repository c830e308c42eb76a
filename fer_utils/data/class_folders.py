"""Reads folders of images per class, in three splits or in two."""

import collections
import re
from pathlib import PurePosixPath

import numpy as np

from fer_utils.data.fer2013 import COUNTS, FER2013_COUNTS, FaceTable, count_images, make_error
from fer_utils.data.images import decode_face
from fer_utils.data.naming import find_class, name_classes, plain, printable, split_path
from fer_utils.environment import progress_bar

NAMED = 3  # files of many that a sentence names


class Place(collections.namedtuple("Place", "label number name usage")):
    """Where an image belongs: class, number in its file's name, the name itself, split."""


def read_class_folders(images, others, where):
    """Returns the `FaceTable` of class folders, given as {name: content}; by split, class and number in the name.

    `others` are names of files in them that are no images. They, and images that stand in no folder of a class, are
    counted in the note; so is what an archive holds twice. Raises `FaceDataError` for a class or a split that is not
    known, and for an image that is no 48×48 face.
    """
    images, n_twice = drop_repeated(images)
    places, strangers = _place_images(images, where)
    strangers += [name for name in others if split_path(name)[0] is not None]
    places.sort()
    names = [place.name for place in places]
    labels, usage = (np.array([getattr(place, what) for place in places], np.uint8) for what in ("label", "usage"))
    note = "" if np.any(usage == 1) or not np.any(usage == 2) else _divide_test(names, labels, usage)
    if any(images[name].startswith(b"\xff\xd8") for name in names):
        note += "; the pixels of jpg images differ a little from the original ones"
    if n_twice:
        note += f"; {n_twice:,} images that stand there twice, in the same folders, were taken once"
    if strangers:
        note += f"; left out: {list_names(strangers)}"
    order = np.argsort(usage, kind="stable")
    bar = progress_bar(order, unit="image", desc=f"reading {where}")
    pixels = np.stack([decode_face(images[names[i]], f"{where}: {printable(names[i])}")[0] for i in bar])
    return FaceTable(pixels, labels[order], usage[order], note=note)


def list_names(names):
    """Returns how many files there are and what some are called: a part of a sentence."""
    some = ", ".join(printable(name) for name in sorted(names)[:NAMED])
    return f"{len(names):,} file{'s' if len(names) > 1 else ''} ({some}{', …' if len(names) > NAMED else ''})"


def drop_repeated(images):
    """Returns ({name: content} without images that stand in two trees of the same folders, how many these are)."""
    kept, seen = {}, {}
    for name in sorted(images, key=lambda name: (name.count("/"), name)):
        key = tuple(PurePosixPath(name).parts[-3:])
        if seen.get(key) == images[name]:
            continue
        seen[key] = images[name]
        kept[name] = images[name]
    return kept, len(images) - len(kept)


def _place_images(images, where):
    """Returns ([Place, ...], names of images that stand in no folder of a split and a class)."""
    places, strangers, without_split = [], [], []
    for name in images:
        usage, folders = split_path(name)
        label = find_class(folders[0]) if folders else None
        if usage is None:
            (strangers if label is None else without_split).append(name)
        elif not folders:
            found = "an image in no folder of a class"
            raise make_error(f"{where}: {printable(name)}", found, name_classes(), options="")
        elif label is None:
            is_number = plain(folders[0]).isdigit()
            options = f"--class {folders[0]}=EXPRESSION" if is_number else f"--drop {folders[0]}"
            found = f"the class {printable(folders[0])!r}"
            raise make_error(f"{where}: {printable(name)}", found, f"one of {name_classes()}", options=options)
        else:
            number = int(([0] + re.findall(r"\d+", PurePosixPath(name).name))[-1])
            places.append(Place(label, number, name, usage))
    if without_split:
        found = f"images in no folder of a split: {list_names(without_split)}"
        raise make_error(where, found, "folders of classes in train/, validation/ and test/", options="")
    if not places:
        raise make_error(where, f"images in no folder of a class: {list_names(strangers)}", name_classes(), options="")
    return places, strangers


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
