"""Checks of the exercises of notebook 11, reading the mistakes."""

import numpy as np

from fer_utils.exercises.checking import Mistake, as_number, as_share, call, check, compare_numbers


@check("fill in the share right of the best answers, if each label were drawn like one more of these votes")
def check_ceiling(answer, votes):
    """The label ceiling of `votes` int (faces, 8): seven classes, and last the votes for something else."""
    total, of_classes = votes.sum(axis=1), votes[:, :7]
    most = of_classes.max(axis=1)
    mistakes = {
        "on the face that most people find no word for, the best answer of the seven is another than theirs": np.mean(
            votes.max(axis=1) / total
        ),
        "this pools all votes: each face counts the same, however many voted on it": most.sum() / total.sum(),
        "this leaves out the votes for something else; a label that is one of them is missed, too": np.mean(
            most / of_classes.sum(axis=1)
        ),
        "this counts the faces on which more than half agree; an answer there is not always right": np.mean(
            most > total / 2
        ),
        "this is how often the best answer is wrong": 1 - np.mean(most / total),
    }
    compare_numbers(as_share(answer), np.mean(most / total), mistakes)
    return "no network, however good, would stand above it, except by luck"


@check("write a function of confidence, correct and n_bins that gives the expected calibration error")
def check_calibration_error(answer):
    """`answer(confidence, correct, n_bins)`: the expected calibration error over bins of equal width from 0 to 1."""
    random = np.random.default_rng(10)
    confidence = np.concatenate([0.3 + 0.69 * random.random(380) ** 0.5, np.full(20, 1.0)])
    correct = random.random(400) < np.where(confidence < 0.6, confidence + 0.25, confidence - 0.2)
    for n_bins in (10, 5):
        error = call(answer, confidence.copy(), correct.copy(), n_bins)
        if np.isscalar(error) and not isinstance(error, str) and np.isnan(error):
            raise Mistake("your function gives nan: a bin without answers has no mean, and no part in the error")
        weights, gaps = _bin_gaps(confidence, correct, n_bins)
        inside_weights, inside_gaps = _bin_gaps(confidence[confidence < 1], correct[confidence < 1], n_bins)
        mistakes = {
            "every bin counts the same here, however few answers lie in it": np.abs(gaps).mean(),
            "that is the worst bin alone": np.abs(gaps).max(),
            "too sure here and too unsure there cancel: take each bin's distance without its sign": abs(
                np.sum(weights * gaps)
            ),
            "an answer of confidence 1 belongs to the last bin, and here it is left out": np.sum(
                inside_weights * np.abs(inside_gaps)
            ),
            "left out is the answer of confidence 1, though it is counted in the number of all": (
                np.sum(inside_weights * np.abs(inside_gaps)) * np.mean(confidence < 1)
            ),
        }
        compare_numbers(as_number(error), np.sum(weights * np.abs(gaps)), mistakes)
    return "each bin counts by its answers, and no sign cancels another"


def _bin_gaps(confidence, correct, n_bins):
    """The share of the answers, and mean confidence minus accuracy, of each bin that has answers."""
    bins = np.minimum((confidence * n_bins).astype(int), n_bins - 1)
    filled = np.unique(bins)
    gaps = [confidence[bins == place].mean() - correct[bins == place].mean() for place in filled]
    return np.array([np.mean(bins == place) for place in filled]), np.array(gaps)


@check("write a function that gives the drop of the score when a square of the image is covered with grey")
def check_drop(answer):
    """`answer(score, image, top, left, size)`: what a square of the image's mean grey takes from `score(image)`."""
    rows, columns = np.mgrid[:48, :48]
    image = (40 + 3 * rows + columns % 7)[..., np.newaxis].astype(np.uint8)
    image[8:20, 30:44] = 250
    image[:6, :10] = 220

    def score(seen):
        return (seen[8:20, 30:44].mean() + 2 * seen[:6, :10].mean()) / 765

    def cover(top, left, size, grey):
        covered = image.copy()
        covered[max(top, 0) : max(top + size, 0), max(left, 0) : max(left + size, 0)] = grey
        return score(image) - score(covered)

    for top, left, size in ((8, 30, 10), (-4, -2, 9)):
        given = image.copy()
        drop = as_number(call(answer, score, given, top, left, size))
        if not np.array_equal(given, image):
            raise Mistake("the image that was passed has changed: cover a copy of it")
        right = cover(top, left, size, image.mean())
        mistakes = {
            "the sign is wrong: a drop is the score before less the score after": -right,
            "rows and columns have changed places: the first index goes from top to bottom": cover(
                left, top, size, image.mean()
            ),
            "the square is black, and black is a grey level with a meaning: asked for is the image's mean": cover(
                top, left, size, 0
            ),
            "this is the score after, not what it lost": score(image) - right,
        }
        if top < 0 and abs(drop) < 1e-6:
            raise Mistake("a square that begins outside covers nothing here: a negative index counts from the end")
        compare_numbers(drop, right, mistakes, tolerance=0.03)
    return "one square of the map; the whole map is this in a loop over the places"
