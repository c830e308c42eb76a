"""Checks of the exercises of notebook 03, data augmentation."""

import numpy as np

from fer_utils.evaluation import compare_on_same_images
from fer_utils.exercises.checking import Mistake, as_array, as_number, check, compare_arrays, put_in_words


@check("fill in the faces mirrored, an array of the same shape")
def check_mirrored(answer, images):
    """The images (N, 48, 48, 1) with left and right exchanged."""
    mirrored = as_array(answer, images.shape)
    mistakes = {
        "these are the faces as they were: the last axis holds the single grey value": images,
        "these faces stand upside down: of the two axes of a picture, the first runs from top to bottom": images[
            :, ::-1
        ],
        "these are the faces in reverse order, each as it was: the first axis counts the faces": images[::-1],
        "these faces are turned by half a circle: one axis too many is reversed": images[:, ::-1, ::-1],
        "these faces lie on their sides: rows and columns have changed places": images.swapaxes(1, 2),
    }
    compare_arrays(mirrored, images[:, :, ::-1], mistakes, agreement=1)
    return "left and right are exchanged, and each face keeps its label"


@check("fill in the mean of the probabilities for the faces and for the mirrored faces, an array (N, 7)")
def check_two_views(answer, network, images):
    """The mean of what `network` says about `images` (N, 48, 48, 1) and about their mirror images."""
    from fer_utils.models import predict

    probabilities = as_array(answer, (len(images), 7))
    plain, mirrored, upside_down = (
        predict(network, np.ascontiguousarray(view)) for view in (images, images[:, :, ::-1], images[:, ::-1])
    )
    mistakes = {
        "this is the network's answer to the faces as they are": plain,
        "this is the network's answer to the mirrored faces alone": mirrored,
        "this is a sum: each face's seven numbers must add up to 1": plain + mirrored,
        "this is a mean with faces that stand upside down": (plain + upside_down) / 2,
        "this is a product; asked for is the mean": plain * mirrored,
    }
    compare_arrays(probabilities, (plain + mirrored) / 2, mistakes)
    return "two views of each face, one answer; whether that is worth twice the work, the validation faces say"


@check("fill in the largest number of faces on which exactly one of the two may be right, a whole number")
def check_most_disagreements(answer):
    """How many of 1,000 faces may tell two networks apart if the second's lead of 20 is to be clear."""
    number = as_number(answer)
    if number != int(number):
        raise Mistake(f"a whole number of faces is asked for, and this is {put_in_words(answer)}")
    if number > 1000:
        raise Mistake("there are only 1,000 faces")
    if number < 20:
        raise Mistake("if the second is right on 20 faces more, it is alone in being right on 20 faces at least")
    if number % 2:
        raise Mistake(
            "that cannot be: what one gains less what it loses is 20, so gains and losses add up to an even number"
        )
    if number == 20:
        raise Mistake("this is the least: 20 gained and none lost. How many may be lost before the lead is unclear?")
    if not _compare_disagreeing(number).clear:
        raise Mistake("that is too many: the interval of the difference includes zero")
    if _compare_disagreeing(number + 2).clear:
        raise Mistake("with so many the lead is clear, but it still is with more")
    return "the same lead is clear if the two disagree seldom, and unclear if they disagree often"


def _compare_disagreeing(number, lead=20, n_images=1000):
    """The `Difference` of two networks of which exactly one is right on `number` of the images."""
    gained = (int(number) + lead) // 2
    lost = int(number) - gained
    before, after = np.zeros((2, n_images), bool)
    after[:gained], before[gained : gained + lost] = True, True
    return compare_on_same_images(before, after)
