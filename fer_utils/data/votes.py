"""Reads the crowd's votes on FER2013: FERPlus (Barsoum et al. 2016), the file `fer2013new.csv`."""

import os
from pathlib import Path

import pandas as pd

from fer_utils.data.fer2013 import COUNTS, SPLIT_NAMES, FaceDataError
from fer_utils.environment import DATA, expand_home

FILE = "fer2013new.csv"
# In the order of FER2013's classes, then the answers that FER2013 has no class for.
ANSWERS = (
    "anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral", "contempt", "unknown", "NF",
)  # fmt: skip


def find_votes():
    """Returns the path of `fer2013new.csv` beside the copy that ``FER_DATA`` names or in ``data/``; None without it."""
    copy = os.environ.get("FER_DATA")
    named = expand_home(copy) if copy and copy != "drawn" else None
    places = [named.parent, named] if named else []
    return next((place / FILE for place in [*places, DATA] if (place / FILE).is_file()), None)


def read_votes(path):
    """Returns {split name: votes int (N, 10)} in the order of `fer2013.csv` and of `ANSWERS`; some ten votes per image.

    Rows belong to images by their position, never by the image's name: 173 names are empty and some occur twice.
    Raises `FaceDataError` if columns or rows are missing.
    """
    try:
        table = pd.read_csv(path)
        votes, splits = table[list(ANSWERS)].to_numpy(int), table["Usage"].to_numpy()
    except (OSError, ValueError, KeyError, OverflowError) as error:
        raise FaceDataError(f"{Path(path).name} is not FERPlus's file of votes: {error}") from error
    expected = {name: sum(COUNTS[name]) for name in SPLIT_NAMES}
    found = {name: int((splits == name).sum()) for name in SPLIT_NAMES}
    if others := len(splits) - sum(found.values()):
        found["another or no Usage"] = others
    if found != expected or list(splits) != sorted(splits, key=SPLIT_NAMES.index):
        raise FaceDataError(f"{Path(path).name}: rows per split are {found}, FERPlus has {expected}, in this order")
    return {name: votes[splits == name] for name in SPLIT_NAMES}
