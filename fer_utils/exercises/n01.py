"""Checks of the exercises of notebook 01, data exploration."""

import numpy as np

from fer_utils.data import ACTION_UNITS, UNITS
from fer_utils.exercises.checking import (
    Mistake,
    as_array,
    as_number,
    as_share,
    call,
    check,
    compare_arrays,
    compare_numbers,
    list_values,
)


@check("list the numbers of the movements that a frightened face has over a surprised one, such as [12]")
def check_added_units(answer):
    """The action units of fear that surprise does not have."""
    parts = answer if isinstance(answer, list | tuple | dict | set | np.ndarray) else [answer]
    units = {as_number(part) for part in parts}
    surprise, fear = set(ACTION_UNITS["Surprise"]), set(ACTION_UNITS["Fear"])
    if unknown := units - set(UNITS):
        raise Mistake(f"there is no action unit {list_values(unknown)}; the figure names those there are")
    if units == fear:
        raise Mistake("these are all movements of a frightened face; asked for are those that surprise does not have")
    if units & surprise:
        raise Mistake(f"a surprised face has unit {list_values(units & surprise)} already")
    if units - fear:
        raise Mistake(f"unit {list_values(units - fear)} is no movement of fear: look at the picture again")
    if units != fear - surprise:
        raise Mistake("so far so good, but it is not all yet")
    return "two movements of a few pixels tell the two apart, and a network has to find them"


@check("write a function that gives each face the class whose mean training face is nearest to it")
def check_nearest_mean(answer, faces):
    """A function of images (N, 48, 48, 1) that returns the classes (N,) of the nearest mean training faces."""
    images, labels = faces.validation.images[:500], faces.validation.labels[:500]
    classes = as_array(call(answer, images.copy()), labels.shape)
    change = images[:, np.newaxis] - _mean_faces(faces.train)
    squared, absolute = (np.sum(distance, axis=(2, 3, 4)) for distance in (change**2, np.abs(change)))
    of_validation = np.sum((images[:, np.newaxis] - _mean_faces(faces.validation)) ** 2, axis=(2, 3, 4))
    mistakes = {
        "these are the classes whose mean face is farthest": squared.argmax(axis=1),
        "these are the nearest by absolute differences; asked for are squared ones": absolute.argmin(axis=1),
        "your mean faces are those of the validation faces; asked for are those of training": of_validation.argmin(
            axis=1
        ),
        "these are the labels: the function must not know them": labels,
        "these are distances and not classes: which of the seven is smallest?": squared.min(axis=1),
        "every face gets the same class": np.full(len(labels), classes[0]),
    }
    compare_arrays(classes, squared.argmin(axis=1), mistakes)
    return "seven mean faces are a classifier, a very simple one; the next question is whether it beats the floor"


@check("write a function that returns the accuracy on those test images that are no copies of training images, a share")
def check_honest_accuracy(answer, faces):
    """A function of (correct, test images, training images): the accuracy on test images without a copy in training."""
    train = faces.train.images[:60]
    test = np.concatenate([faces.test.images[:20], train[30:20:-1]])
    correct = np.repeat([True, False, True, False], [8, 12, 9, 1])
    share = as_share(call(answer, correct.copy(), test.copy(), train.copy()))
    known = {image.tobytes() for image in train}
    leaked = np.array([image.tobytes() in known for image in test])
    mistakes = {
        "this is the accuracy on all test images, the copies among them": correct.mean(),
        "this is the accuracy on the copies alone: the other way round": correct[leaked].mean(),
        "this divides by the number of all test images; the copies have to go there, too": np.mean(correct & ~leaked),
        "this is a share of images, whether the network is right on them or not": np.mean(~leaked),
    }
    compare_numbers(share, correct[~leaked].mean(), mistakes)
    return "this is the accuracy on faces that the network has never seen, and the one to report"


def _mean_faces(split):
    return np.stack([split.images[split.labels == label].mean(axis=0) for label in range(7)])
