"""Reads names: which split and which expression the name of a folder, a file, a column or a label means."""

import functools
import re
from pathlib import PurePosixPath

from fer_utils.data.fer2013 import CLASS_NAMES

# In the order of fer2013.SPLIT_NAMES.
SPLIT_WORDS = (
    {"train", "training"},
    {"validation", "valid", "val", "dev", "publictest"},
    {"test", "testing", "privatetest"},
)
# In the order of CLASS_NAMES: adjectives and nouns, as sets of faces use them.
CLASS_WORDS = (
    {"angry", "anger"},
    {"disgust", "disgusted"},
    {"fear", "fearful", "afraid", "scared"},
    {"happy", "happiness", "joy"},
    {"sad", "sadness"},
    {"surprise", "surprised"},
    {"neutral"},
)


@functools.lru_cache(maxsize=1000)  # thousands of images lie in the same few folders
def plain(name):
    """Returns a name as names are compared: in lower case, without blanks, signs, and a number beside a word.

    >>> [plain(name) for name in ("3_Happy", "Happiness-3", "Public Test", "3", "3.0")]
    ['happy', 'happiness', 'publictest', '3', '3']
    """
    text = re.sub(r"[^a-z0-9.]", "", str(name).lower())
    text = re.sub(r"^\d+\.?(?=[a-z])|(?<=[a-z])\d+$", "", text)
    return re.sub(r"\.0*$", "", text)


def find_split(name):
    """Returns the place in SPLIT_NAMES that `name` means, or None; FERPlus's `FER2013Valid` is a split too."""
    word = plain(name).removeprefix("fer2013")
    return next((place for place, words in enumerate(SPLIT_WORDS) if word in words), None)


def find_split_in(words):
    """Returns the place in SPLIT_NAMES that the first of `words` which means one does, or None."""
    return next((split for word in words if (split := find_split(word)) is not None), None)


def find_class(name):
    """Returns the place in CLASS_NAMES that the word `name` means, or None; a number alone means nothing here."""
    return next((place for place, words in enumerate(CLASS_WORDS) if plain(name) in words), None)


def split_path(name):
    """Returns (split or None, folders that are no split) of a file's path, nearest folder first.

    >>> split_path("archive/train/3_happy/one.png")
    (0, ['3_happy', 'archive'])
    """
    folders = PurePosixPath(name).parts[:-1][::-1]
    return find_split_in(folders), [folder for folder in folders if find_split(folder) is None]


def is_hidden(name):
    """Returns whether a path is of files that systems leave behind: `.DS_Store`, `__MACOSX/`."""
    return any(part.startswith(".") or part == "__MACOSX" for part in PurePosixPath(name).parts)


def printable(name):
    """Returns a name on one line, without control characters, which a terminal would obey; at most 120 characters."""
    text = without_controls(name).replace("\n", "\N{REPLACEMENT CHARACTER}")
    return text if len(text) <= 120 else f"{text[:117]}..."


def without_controls(text):
    """Returns a text in which each control character but the end of a line is replaced by a sign."""
    text = str(text)
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() or sign == "\n" else "\N{REPLACEMENT CHARACTER}" for sign in text)


def name_classes():
    """Returns the words by which classes are known, a line of text."""
    return ", ".join(name.lower() for name in CLASS_NAMES)
