"""Checks of the exercises of notebook 12, your own photo."""

import numpy as np

from fer_utils.exercises.checking import Mistake, as_array, as_share, call, check, compare_arrays


@check("fill in how sure an answer must be, a share with two decimals")
def check_sureness(answer, run):
    """The lowest probability such that of the test answers of `run` that are at least as sure, 90 % are right."""
    sureness, confidence = as_share(answer), run.test_probabilities.max(axis=1).astype(float)
    if sureness > confidence.max():
        raise Mistake("no answer is as sure as that")

    def accuracy_from(least):
        return np.mean(run.test_correct[confidence >= least])

    if accuracy_from(sureness) < 0.9:
        raise Mistake(f"of the answers at least this sure only {accuracy_from(sureness):.1%} are right")
    if sureness >= 0.01 and accuracy_from(sureness - 0.01) >= 0.9:
        spared = np.mean(confidence >= sureness)
        raise Mistake(
            f"this is enough, but leaves {spared:.0%} of the answers; a lower value, that leaves more, is enough"
        )
    return f"it leaves {np.mean(confidence >= sureness):.0%} of the answers; on the others the network should be silent"


@check("write a function that returns the wider square as (left, top, side)")
def check_wider_square(answer):
    """A function of a square (left, top, side) and a factor: the square round its centre, `factor` times as wide."""
    for (left, top, side), factor in (((100, 80, 40), 1.5), ((60, 90, 80), 2)):
        growth = side * (factor - 1)
        mistakes = {
            "the square grew to the right and down only: its centre has moved": (left, top, side + growth),
            "the centre moved up and to the left: half of the growth belongs on each side": (
                (left - growth, top - growth, side + growth)
            ),
            "the place is right, but the side is still the old one": (left - growth / 2, top - growth / 2, side),
            "the square is as it was": (left, top, side),
        }
        square = as_array(call(answer, (left, top, side), factor), (3,))
        compare_arrays(square, (left - growth / 2, top - growth / 2, side + growth), mistakes)
    return "half of the growth on each side, and the centre stays"


@check("write a function that returns the grey levels, an array of uint8")
def check_grey_levels(answer):
    """A function that brings a face of floats from 0 to 1 back to the networks' uint8 grey levels from 0 to 255."""
    face = np.linspace(0, 1, 48 * 48, dtype=np.float32).reshape(48, 48, 1)
    levels = call(answer, face)
    as_array(levels, face.shape)
    if np.max(levels) <= 1:
        raise Mistake("no number is above 1: the networks divide by 255, and would see a dark room")
    if np.asarray(levels).dtype != np.uint8:
        raise Mistake(f"the numbers are of type {np.asarray(levels).dtype}; the faces of the course are uint8")
    away = np.abs(levels - 255 * face)
    if away.max() > 250:
        raise Mistake("white has become black: 256 does not fit into 8 bits")
    if away.max() > 1:
        raise Mistake(f"some grey levels are wrong by {away.max():.0f}")
    return "black is 0, white is 255, and the network divides by itself"
