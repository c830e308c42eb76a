"""Converts whatever people hold into the one form that the course reads: an npz of 48×48 faces in three splits."""

import collections
import re

import numpy as np

from fer_utils.data.archives import explain_damage
from fer_utils.data.class_folders import list_names
from fer_utils.data.collect import Account, collect
from fer_utils.data.fer2013 import CLASS_NAMES, SPLIT_NAMES, FaceDataError, count_images
from fer_utils.data.files import check_source
from fer_utils.data.naming import find_class, name_classes, printable
from fer_utils.environment import atomic_path, expand_home

MAX_FACES = 10**6
SHARES = (0.8, 0.1, 0.1)  # of training, validation and test where a set has no splits
WHOLE_NUMBER = re.compile(r"\d+(\.0*)?")


def convert(source, target, resize=False, classes=None, drop=(), seed=0, show=print):
    """Converts `source`, a file, an archive or a folder, to the npz `target`, which `load_faces` reads; atomic.

    Faces of another size than 48×48, and coloured ones, are taken only with `resize`. `classes` maps names of the
    source to expressions, `drop` names classes that are left out. Where the source lacks splits, they are cut at random
    within each class by `seed`; images that are the same stay in one split. `show` gets lines that say what was read,
    changed, cut and left out, with counts. Raises `FaceDataError` for what is ambiguous or cannot be read, for a target
    that would replace a file of the source, and if a split would be empty.
    """
    source, target, account = check_source(source), expand_home(target), Account()
    if target.suffix != ".npz":
        raise FaceDataError(f"{printable(target)}: the converted set is an npz; give it a name that ends in .npz.")
    if target.exists() and (target.samefile(source) or target.resolve().is_relative_to(source.resolve())):
        raise FaceDataError(f"{printable(target)}: found a file of the source itself; expected another name or folder.")
    with explain_damage(source.name):
        faces = collect(source, account, resize)
    if len(faces) > MAX_FACES:
        raise FaceDataError(f"{printable(source.name)}: found {len(faces):,} faces; expected at most {MAX_FACES:,}.")
    labels = settle_classes(faces, classes or {}, drop, account)
    kept = [place for place, label in enumerate(labels) if label is not None]
    if not kept:
        raise FaceDataError(
            f"{printable(source.name)}: found no labelled face; expected images in folders of classes, "
            f"or a table with columns such as emotion and pixels.{_say_left_out(account)}"
        )
    pixels = np.stack([faces[place].pixels for place in kept])
    labels = np.array([labels[place] for place in kept], np.uint8)
    usage, how = settle_splits([faces[place].usage for place in kept], pixels, labels, seed)
    if empty := [name for split, name in enumerate(SPLIT_NAMES) if not np.any(usage == split)]:
        found = f"{len(usage):,} labelled faces, too few for three splits: none for {' and '.join(empty)}"
        raise FaceDataError(f"{printable(source.name)}: found {found}; expected three or more images of each class.")
    order = np.argsort(usage, kind="stable")
    arrays = {"pixels": pixels[order], "emotion": labels[order], "usage": usage[order]}
    target.parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(target) as temporary, open(temporary, "wb") as stream:
        np.savez_compressed(stream, **arrays, source=printable(source.name))
    for line in describe(account, how, labels, usage):
        show(line)


def settle_classes(faces, classes, drop, account):
    """Returns the place in CLASS_NAMES of each face, None for those of dropped classes, which `account` counts.

    A word is known by `naming.find_class`; a number in a table is FER2013's own; the number of a folder has to be given
    in `classes`, because sets differ in their order. Names in `classes` and `drop` are the source's own, in capitals or
    not. Raises `FaceDataError` for everything else.
    """
    given = {_as_key(name): _name_class(expression) for name, expression in classes.items()}
    dropped, labels = {_as_key(name): name for name in drop}, []
    unknown, known = collections.Counter(), set()
    for face in faces:
        key = _as_key(face.label)
        known.add(key)
        label = None
        if key in dropped:
            account.left_out[f"of the class {printable(face.label)}"].append(face.name)
        elif key in given:
            label = given[key]
        elif (label := find_class(face.label)) is None:
            if WHOLE_NUMBER.fullmatch(key) and int(key) < len(CLASS_NAMES) and not face.in_folder:
                label = int(key)
            else:
                unknown[printable(face.label)] += 1
        labels.append(label)
    asked = {**dropped, **{_as_key(name): name for name in classes}}
    if missing := [printable(name) for key, name in asked.items() if key not in known]:
        there_are = ", ".join(map(printable, sorted(known)))
        raise FaceDataError(f"found no class {' or '.join(missing)}; there are: {there_are}.")
    if unknown:
        counts = ", ".join(f"{name!r} ({count:,} images)" for name, count in sorted(unknown.items()))
        options = " ".join(f"--class {name}=EXPRESSION" for name in sorted(unknown))
        raise FaceDataError(
            f"found classes that are not known: {counts}; expected {name_classes()}. "
            f"Say what they are, {options}, or leave one out with --drop NAME."
        )
    return labels


def _as_key(label):
    """Returns a label as it is compared with the names that a user gives; 3.0 in a table is 3."""
    text = str(label).strip().lower()
    return text.partition(".")[0] if WHOLE_NUMBER.fullmatch(text) else text


def _name_class(expression):
    label = find_class(expression)
    if label is None:
        raise FaceDataError(f"found the expression {printable(expression)!r}; expected {name_classes()}.")
    return label


def settle_splits(usage, pixels, labels, seed):
    """Returns (split of each face uint8 (N,), words on what was cut): the given splits, or those that are cut."""
    places, present = np.arange(len(labels)), set(usage)
    if None in present and len(present) > 1:
        n_without = usage.count(None)
        raise FaceDataError(f"found {n_without:,} images without a split beside others with one; expected all or none.")
    if present in ({None}, {0}):
        found = np.zeros(len(labels), np.uint8)
        _cut(found, places, SHARES, (0, 1, 2), pixels, labels, seed)
        return found, f"no splits: cut at random within each class, {', '.join(f'{share:.0%}' for share in SHARES)}"
    found = np.array(usage, np.uint8)
    if present in ({0, 1}, {0, 2}):
        other = max(present)
        _cut(found, places[found == other], (0.5, 0.5), (1, 2), pixels, labels, seed)
        return found, f"two splits: {SPLIT_NAMES[other]} halved at random within each class"
    if present != {0, 1, 2}:
        raise FaceDataError("found no training images; expected a split called train, or none at all.")
    return found, ""


def _cut(usage, places, shares, splits, pixels, labels, seed):
    """Divides `places` among `splits` in `usage` itself, by `shares`, within each class; same images stay together."""
    groups = {}
    for place in places:
        groups.setdefault(pixels[place].tobytes(), []).append(place)
    of_class = collections.defaultdict(list)
    for group in groups.values():
        of_class[labels[group[0]]].append(group)
    random = np.random.default_rng(seed)
    for label in sorted(of_class):
        shuffled = [of_class[label][place] for place in random.permutation(len(of_class[label]))]
        n_images = sum(map(len, shuffled))
        for split, share in list(zip(splits, shares, strict=True))[
            :0:-1
        ]:  # the last first; the first takes what is left
            taken = 0
            while taken < share * n_images and len(shuffled) > 1:
                group = shuffled.pop()
                usage[group] = split
                taken += len(group)
        for group in shuffled:
            usage[group] = splits[0]


def describe(account, how, labels, usage):
    """Yields the lines that say what was read, changed, cut and left out, and what the set is now."""
    for words, count in account.read.items():
        if count:
            yield f"read: {count:,} {words}"
    for words, count in account.changed.items():
        if count:
            yield f"changed: {count:,} images ({words})"
    if how:
        yield f"cut: {how}"
    for reason, names in account.left_out.items():
        known = [name for name in names if name]
        yield f"left out: {len(names):,}, {reason}" + (f": {list_names(known)}" if known else "")
    for name, counts in zip(SPLIT_NAMES, count_images(labels, usage), strict=True):
        of_classes = ", ".join(f"{class_name} {n:,}" for class_name, n in zip(CLASS_NAMES, counts, strict=True))
        yield f"{name}: {counts.sum():,} images ({of_classes})"


def _say_left_out(account):
    words = [f"{len(names):,} {reason}" for reason, names in account.left_out.items()]
    return f" Left out: {'; '.join(words)}." if words else ""
