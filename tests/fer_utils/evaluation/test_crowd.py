"""The crowd's votes: agreement, its ceiling, a network held against it; small cases computed by hand."""

import dataclasses

import numpy as np
import pytest

from fer_utils.data.drawn_faces import LABEL_NOISE, draw_faces, shown_expressions
from fer_utils.data.load import DRAWN_SEED, FER2013_FINGERPRINT
from fer_utils.evaluation import crowd
from small_records import make_votes
from small_training import make_faces


def test_accuracy_by_agreement_sorts_faces_into_bins():
    votes = make_votes({3: 10}, {3: 9, 4: 1}, {0: 5, 1: 5}, {0: 7, 1: 3}, {0: 4, 1: 3, 2: 3}, {4: 8, 6: 2})
    found = crowd.accuracy_by_agreement([True, False, True, True, False, False], votes)
    counts = {words: (each.count, each.accuracy) for words, each in found.items()}
    assert list(counts) == list(crowd.AGREEMENT)
    assert list(counts.values()) == [(1, 0.0), (1, 1.0), (2, 0.5), (1, 0.0), (1, 1.0)]
    assert all(each.low <= each.accuracy <= each.high for each in found.values())
    assert list(crowd.accuracy_by_agreement([True], make_votes({3: 10}))) == ["100 %"]


def test_ceiling_by_hand():
    ceiling = crowd.label_ceiling(make_votes({4: 6, 6: 3, 8: 1}))
    # Without one vote for Sad it is 5 against 3, without another it is still Sad: 6 of 10 votes are met.
    assert ceiling == pytest.approx((0.6, 6 / 9, 0.6))
    tie = crowd.label_ceiling(make_votes({0: 1, 1: 1}))
    assert tie == pytest.approx((0.5, 0.5, 0.0)), "the one vote left says the other answer each time"
    thirds = crowd.label_ceiling(make_votes({0: 2, 1: 1, 2: 1}))
    # A vote for 0 leaves a tie of three (1/3 each), a vote for 1 or 2 leaves 0 in front.
    assert thirds.left_out == pytest.approx(2 / 4 / 3)


def test_ceiling_of_faces_without_a_class():
    assert crowd.label_ceiling(make_votes({9: 10}, {3: 10})) == pytest.approx((0.5, 1.0, 1.0))


def test_agreed_votes_have_no_ceiling():
    assert crowd.label_ceiling(make_votes({3: 10}, {5: 8})) == (1, 1, 1)


def test_majority_of_ties_and_of_answers_without_a_class():
    votes = make_votes({3: 6, 4: 4}, {0: 5, 1: 5}, {7: 9, 0: 1}, {3: 4, 9: 4})
    assert crowd.find_majority(votes).tolist() == [3, -1, -1, -1]


def test_comparison_with_the_crowd_by_hand():
    votes = make_votes({0: 10}, {1: 10}, {2: 10}, {3: 10}, {0: 5, 1: 5})
    labels, answers = np.array([0, 0, 2, 2, 0]), np.array([0, 1, 3, 2, 0])
    found = crowd.compare_with_crowd(labels, answers, votes)
    assert (found["n"], found["network"], found["labels"], found["network_labels"]) == (4, 0.5, 0.5, 0.5)
    assert found["where_agreed"] == 0.5, "right on the first, wrong on the third"
    assert (found["mistakes_shared"], found["mistakes_of_labels"]) == (0.5, 0.5)
    assert np.argwhere(found["confusion"]).tolist() == [[0, 0], [1, 1], [2, 3], [3, 2]]
    assert np.argwhere(found["confusion_labels"]).tolist() == [[0, 0], [1, 0], [2, 2], [3, 2]]


def test_shown_expressions_are_those_of_the_drawn_faces():
    _, labels, _ = draw_faces((0, 0, 300), DRAWN_SEED)
    shown = shown_expressions(2, 300, DRAWN_SEED)
    assert abs(np.mean(shown != labels) - LABEL_NOISE) < 0.05
    assert np.array_equal(shown[:50], shown_expressions(2, 50, DRAWN_SEED))
    assert not np.array_equal(shown, shown_expressions(1, 300, DRAWN_SEED))


def test_second_opinions(monkeypatch):
    faces = make_faces()
    assert set(crowd.find_second_opinions(faces)) == {-1}
    drawn = dataclasses.replace(faces, name="drawn faces")
    assert crowd.find_second_opinions(drawn).tolist() == shown_expressions(2, 35, DRAWN_SEED).tolist()
    of_validation = crowd.find_second_opinions(drawn, "validation")
    assert of_validation.tolist() == shown_expressions(1, len(drawn.validation.labels), DRAWN_SEED).tolist()
    votes = make_votes(*[{3: 10}] * 35)
    monkeypatch.setattr(crowd, "find_votes", lambda: "votes.csv")
    monkeypatch.setattr(crowd, "read_votes", lambda path: {"PrivateTest": votes, "Training": votes[:2]})
    assert crowd.find_test_votes(faces) is None, "the votes are on FER2013's faces alone"
    original = dataclasses.replace(faces, fingerprint=FER2013_FINGERPRINT)
    assert set(crowd.find_second_opinions(original)) == {3}
    assert crowd.find_second_opinions(original, "train").tolist() == [3, 3]
