"""The crowd's votes: read by position, refused with reasons, counted."""

import numpy as np
import pandas as pd
import pytest

from fer_utils.data.fer2013 import COUNTS, SPLIT_NAMES, FaceDataError
from fer_utils.data.votes import ANSWERS, FILE, find_votes, read_votes
from fer_utils.evaluation.crowd import crowd_accuracy


@pytest.fixture
def votes_file(tmp_path):
    """A file of FERPlus's shape, without its votes: every image is a 10 : 0 for one answer after the other."""
    splits = np.repeat(SPLIT_NAMES, [sum(COUNTS[name]) for name in SPLIT_NAMES])
    table = pd.DataFrame(10 * np.eye(10, dtype=int)[np.arange(len(splits)) % 10], columns=list(ANSWERS))
    table.insert(0, "Image name", "")
    table.insert(0, "Usage", splits)
    path = tmp_path / FILE
    table.to_csv(path, index=False)
    return path


def test_votes_come_by_split_in_the_order_of_the_classes(votes_file):
    votes = read_votes(votes_file)
    assert {name: array.shape for name, array in votes.items()} == {
        "Training": (28709, 10), "PublicTest": (3589, 10), "PrivateTest": (3589, 10),
    }  # fmt: skip
    assert votes["Training"][3].tolist() == [0, 0, 0, 10, 0, 0, 0, 0, 0, 0]


def drop_a_row(table):
    return table.iloc[:-1]


def drop_a_column(table):
    return table.drop(columns="fear")


def shuffle(table):
    return table.iloc[::-1]


def word_in_a_cell(table):
    return table.astype({"anger": object}).assign(anger="many")


def huge_number(table):
    return table.astype({"anger": object}).assign(anger=10**30)


def other_usage(table):
    return table.assign(Usage=["other", *table["Usage"][1:]])


def no_usage(table):
    return pd.concat([table, table[-2:].assign(Usage=None)])


@pytest.mark.parametrize(
    "damage", [drop_a_row, drop_a_column, shuffle, word_in_a_cell, huge_number, other_usage, no_usage]
)
def test_other_files_are_refused(votes_file, damage):
    damage(pd.read_csv(votes_file)).to_csv(votes_file, index=False)
    with pytest.raises(FaceDataError, match="fer2013new.csv"):
        read_votes(votes_file)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(FaceDataError, match="nothing.csv is not FERPlus's file"):
        read_votes(tmp_path / "nothing.csv")


def test_votes_are_found_beside_the_data(votes_file, monkeypatch, tmp_path):
    monkeypatch.setattr("fer_utils.data.votes.DATA", tmp_path / "data")
    monkeypatch.setenv("FER_DATA", "drawn")
    assert find_votes() is None
    for place in (tmp_path / "fer2013.csv", tmp_path):
        monkeypatch.setenv("FER_DATA", str(place))
        assert find_votes() == votes_file
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    monkeypatch.setenv("FER_DATA", "~/fer2013.csv")
    assert find_votes() == votes_file
    monkeypatch.setenv("FER_DATA", "~nobody_of_this_name/fer2013.csv")
    assert find_votes() is None
    monkeypatch.delenv("FER_DATA")
    monkeypatch.setattr("fer_utils.data.votes.DATA", tmp_path)
    assert find_votes() == votes_file


def test_crowd_accuracy_shares_ties_and_counts_answers_without_a_class_as_wrong():
    votes = np.zeros((4, 10), int)
    votes[0, 3] = 10  # right
    votes[1, [2, 4]] = 5  # one of two
    votes[2, 9] = 6  # no face
    votes[2, 0] = 4
    votes[3, 1] = 10  # wrong
    assert crowd_accuracy(votes, np.array([3, 4, 0, 6])) == pytest.approx(1.5 / 4)


def test_the_real_votes(real_fer2013):
    votes = read_votes(real_fer2013 / FILE)
    assert all(set(array.sum(axis=1)) <= set(range(1, 11)) for array in votes.values())
