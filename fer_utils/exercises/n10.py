"""Checks of the exercises of notebook 10, the strongest network."""

import math

import numpy as np
from scipy import stats

from fer_utils.exercises.checking import Mistake, as_array, as_number, call, check, compare_arrays, compare_numbers

TRIED = ((1, 0.72, 3589), (10, 0.72, 3589), (4, 0.6, 400))  # networks, accuracy, faces


@check("fill in the multiply-adds of the whole training, a number")
def check_training_cost(answer):
    """Multiply-adds of 90 epochs on 28,709 faces at 185 million a face forward, and twice as many backward."""
    forward, faces, epochs = 185e6, 28_709, 90
    mistakes = {
        "that is forward alone; the gradients are computed backward, at twice the cost": forward * faces * epochs,
        "that is backward alone": 2 * forward * faces * epochs,
        "that is one epoch": 3 * forward * faces,
        "that is one face for all epochs": 3 * forward * epochs,
    }
    compare_numbers(as_number(answer), 3 * forward * faces * epochs, mistakes, tolerance=0.01)
    return "three times the forward pass, for each face and each epoch: what the course counts as a training's cost"


@check("write a function of probabilities (networks, N, 7) that returns the class of each face, an array (N,)")
def check_mean_of_networks(answer):
    """`answer(probabilities)`: the class with the highest mean over the networks, int (N,), of invented networks."""
    random = np.random.default_rng(0)
    probabilities = random.dirichlet(np.full(7, 0.4), size=(3, 200))
    classes = as_array(call(answer, probabilities), (200,))
    votes = np.eye(7)[probabilities.argmax(axis=2)].sum(axis=0)
    surest = probabilities.max(axis=2).argmax(axis=0)
    mistakes = {
        "that is a vote: it counts a network that is sure no more than one that guesses": votes.argmax(axis=1),
        "that is the answer of whichever network is surest": probabilities.max(axis=0).argmax(axis=1),
        "that is the number of a network, not of a class": surest,
        "that is the first network alone": probabilities[0].argmax(axis=1),
        "that is the last network alone": probabilities[-1].argmax(axis=1),
        "that multiplies the probabilities: one network that says never decides": probabilities.prod(axis=0).argmax(1),
        "those are probabilities, not classes": probabilities.mean(axis=0).max(axis=1),
    }
    compare_arrays(classes, probabilities.mean(axis=0).argmax(axis=1), mistakes)
    return "the mean over the networks first, then the highest of the seven"


@check("write a function of networks, accuracy and faces that returns the luck of the best of them, a share")
def check_luck_of_the_best(answer):
    """`answer(n_networks, accuracy, n_faces)`: mean of the highest measured accuracy less `accuracy`, within 7 %."""
    for n_networks, accuracy, n_faces in TRIED:
        found = as_number(call(answer, n_networks, accuracy, n_faces))
        right = _expected_best(n_networks, accuracy, n_faces) - accuracy
        deviation = math.sqrt(accuracy * (1 - accuracy) / n_faces)
        if abs(found - right) <= max(0.07 * right, 0.05 * deviation):
            continue
        asked = f"for {n_networks} networks of {accuracy:.0%} and {n_faces:,} faces"
        mistakes = {
            "that is the published accuracy; how much of it is luck?": right + accuracy,
            "that is in points; a share is asked for": 100 * right,
            "that is the standard deviation of one result, not the best of several": deviation,
            "that is from the worst to the best": 2 * right,
            "that is half a 95 % interval, whatever the number of networks": 1.96 * deviation,
        }
        for words, value in mistakes.items():
            if n_networks > 1 and math.isclose(found, value, rel_tol=0.07):
                raise Mistake(f"{words} ({asked})")
        if n_networks == 1:
            raise Mistake(f"a single network is not chosen: its luck is zero on average, not {found:.2g}")
        raise Mistake(f"{asked} it is {right:.2g}, not {found:.2g}: average over more rounds, or look at the draw")
    return "the more are tried, and the fewer the faces, the more of a published best is luck"


def _expected_best(n_networks, accuracy, n_faces):
    """The mean of the highest of `n_networks` independent accuracies, from the binomial distribution."""
    below = stats.binom.cdf(np.arange(n_faces), n_faces, accuracy) ** n_networks
    return float((1 - below).sum() / n_faces)
