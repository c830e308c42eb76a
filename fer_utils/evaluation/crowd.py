"""Holds the crowd's votes (FERPlus) against labels and answers: agreement, the label ceiling, whose mistake it is."""

from typing import NamedTuple

import numpy as np

from fer_utils.data import (
    CLASS_NAMES,
    DRAWN_SEED,
    FER2013_FINGERPRINT,
    SPLIT_NAMES,
    find_votes,
    read_votes,
    shown_expressions,
)
from fer_utils.evaluation.compare import confusion_matrix, wilson_interval

# From which share of the votes for the most frequent answer each bin of agreement starts.
AGREEMENT = {"below 50 %": 0.0, "50 to 69 %": 0.5, "70 to 89 %": 0.7, "90 to 99 %": 0.9, "100 %": 1.0}


SPLITS = "train", "validation", "test"  # of a `FaceDataset`, in the order of `SPLIT_NAMES`


class AgreementBin(NamedTuple):
    """The answers on the faces that the crowd agrees on to a degree: how many, the share right, its 95 % interval."""

    count: int
    accuracy: float
    low: float
    high: float


class Ceiling(NamedTuple):
    """How often the best possible answer would meet one more vote of the same crowd (see `label_ceiling`)."""

    all_votes: float
    seven_classes: float
    left_out: float


def crowd_accuracy(votes, labels):
    """Returns at what accuracy the crowd stands on images with `labels`, if its most frequent answer is taken.

    `votes` int (N, 10). An answer without a class of FER2013 is wrong; of k equally frequent ones, the right one
    counts 1/k.
    """
    most = votes == votes.max(axis=1, keepdims=True)
    return float(np.mean(most[np.arange(len(labels)), labels] / most.sum(axis=1)))


def find_test_votes(faces):
    """Reads the crowd's votes on the test faces, int (N, 10); None without FER2013 or without a file of votes."""
    return _read_split_votes(faces, "test")


def _read_split_votes(faces, split):
    path = find_votes() if faces.fingerprint == FER2013_FINGERPRINT else None
    return read_votes(path)[SPLIT_NAMES[SPLITS.index(split)]] if path else None


def find_second_opinions(faces, split="test"):
    """Returns a second label for each face of the `split` ("train", ...), int (N,), -1 where there is none.

    Of drawn faces the expression that is really drawn, of FER2013 the crowd's answer (`find_majority`).
    """
    n_faces, votes = len(getattr(faces, split).labels), _read_split_votes(faces, split)
    if faces.name == "drawn faces":
        return shown_expressions(SPLITS.index(split), n_faces, DRAWN_SEED).astype(int)
    return np.full(n_faces, -1) if votes is None else find_majority(votes)


def measure_agreement(votes):
    """Returns the share of the votes for the most frequent answer, float (N,), of `votes` int (N, answers)."""
    return np.max(votes, axis=1) / np.sum(votes, axis=1)


def accuracy_by_agreement(correct, votes):
    """Returns {bin of `AGREEMENT`: `AgreementBin`} of answers `correct` bool (N,) on faces with `votes` int (N, 10).

    Empty bins are left out. The intervals are Wilson's (1927).
    """
    starts = np.array(list(AGREEMENT.values()))
    places = np.searchsorted(starts, measure_agreement(votes) + 1e-9) - 1
    found = {}
    for place, words in enumerate(AGREEMENT):
        right = np.asarray(correct)[places == place]
        if right.size:
            found[words] = AgreementBin(right.size, float(right.mean()), *wilson_interval(right.sum(), right.size))
    return found


def label_ceiling(votes):
    """Returns the `Ceiling` of the accuracy, were each label one more vote of the crowd; `votes` int (N, 10).

    On a face the best answer is the class with most votes, and it is right with that class's share: of all votes
    (`all_votes`; answers that FER2013 has no class for are then always missed), or of the votes for the seven classes
    (`seven_classes`; faces without such a vote are left out). Both know the very votes they are judged by, and with
    ten votes that flatters. `left_out` does not: each vote is judged by the majority of the others, one of k equally
    frequent answers counting 1/k.
    """
    votes = np.asarray(votes, float)
    of_classes = votes[:, : len(CLASS_NAMES)]
    most, total = of_classes.max(axis=1), of_classes.sum(axis=1)
    met = np.zeros(len(votes))
    for answer in range(votes.shape[1]):
        others = votes.copy()
        others[:, answer] -= 1
        best = others == others.max(axis=1, keepdims=True)
        met += votes[:, answer] * best[:, answer] / best.sum(axis=1)
    everything = votes.sum(axis=1)
    shares = most[total > 0] / total[total > 0]
    return Ceiling(float(np.mean(most / everything)), float(np.mean(shares)), float(np.mean(met / everything)))


def find_majority(votes):
    """Returns the crowd's class on each face, int (N,): its most frequent answer; -1 for a tie or no class."""
    first, ties = votes.argmax(axis=1), (votes == votes.max(axis=1, keepdims=True)).sum(axis=1)
    return np.where((ties == 1) & (first < len(CLASS_NAMES)), first, -1)


def compare_with_crowd(labels, predictions, votes):
    """Compares a network's answers with the crowd's, as a dict; faces without the crowd's one class are left out.

    `n` faces have such a class; `confusion` and `confusion_labels` (7, 7) have it as rows and the network's answers or
    the labels as columns; on these faces `network` and `labels` are the shares that agree with the crowd. The network's
    answers agree with the labels on the share `network_labels`, and where crowd and label agree on `where_agreed`;
    `mistakes_shared` is the share of its mistakes that are what the crowd says, `mistakes_of_labels` the share of them
    where label and crowd differ.
    """
    majority = find_majority(votes)
    known = majority >= 0
    crowd, labels, predictions = majority[known], np.asarray(labels)[known], np.asarray(predictions)[known]
    wrong = predictions != labels
    return {
        "n": int(known.sum()),
        "confusion": confusion_matrix(crowd, predictions),
        "confusion_labels": confusion_matrix(crowd, labels),
        "network": float(np.mean(predictions == crowd)),
        "labels": float(np.mean(labels == crowd)),
        "network_labels": float(np.mean(~wrong)),
        "where_agreed": float(np.mean(~wrong[labels == crowd])),
        "mistakes_shared": float(np.mean((predictions == crowd)[wrong])),
        "mistakes_of_labels": float(np.mean((labels != crowd)[wrong])),
    }
