"""Checks of the exercises of notebook 03, data augmentation."""

import numpy as np

from fer_utils.exercises.checking import Mistake, as_array, call, check, compare_arrays, put_in_words


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


# A plane of grey that grows from top to bottom: in a changed picture of it, the slope says how far it was turned.
_RAMP = np.tile(np.linspace(0.2, 0.8, 48, dtype=np.float32)[:, None, None], (1, 48, 1))
_MOST_DEGREES = 45
_OF_LESSON = ("RandomFlip", "RandomRotation", "RandomZoom")


@check("write a function that returns a layer: a keras.Sequential of random changes that keep the label")
def check_own_augmentation(answer, fit_briefly, images):
    """A function that builds a layer which changes faces at random in training, keeps labels and narrows the gap.

    `fit_briefly` is the function of the notebook, which trains a small network with a layer and returns its history;
    `images` (N, 48, 48, 1) are some faces.
    """
    layer = call(answer)
    _refuse_unless_layer(layer)
    faces = np.repeat(np.asarray(images, np.float32)[:8] / 255, 8, axis=0)
    _refuse_wrong_changes(layer, faces)
    _refuse_lost_labels(layer)
    if not {type(part).__name__ for part in _list_layers(layer)} - {*_OF_LESSON, "InputLayer"}:
        raise Mistake("these are the layers of the lesson: add another change, or put one in place of a change there")
    before, after = (_read_end(fit_briefly(layer)) for layer in (None, call(answer)))
    if after["gap"] >= before["gap"]:
        raise Mistake(
            f"trained with it, the network has a gap of {100 * after['gap']:.0f} points, and without it of "
            f"{100 * before['gap']:.0f}: stronger changes, or more of them, are needed"
        )
    if after["validation"] < before["validation"] - 0.08:
        raise Mistake(
            f"the gap is narrower, but only because less is learned: {after['validation']:.0%} of the validation faces "
            f"instead of {before['validation']:.0%}. The changes are too strong"
        )
    return "it changes faces in training alone, keeps their labels, and narrows the gap"


def _refuse_unless_layer(layer):
    from fer_utils.device import keras

    if not isinstance(layer, keras.layers.Layer):
        raise Mistake(f"your function has to return a layer of Keras, and this is {put_in_words(layer)}")


def _list_layers(layer):
    return [part for inner in layer.layers for part in _list_layers(inner)] if hasattr(layer, "layers") else [layer]


def _refuse_wrong_changes(layer, faces):
    """Raises a `Mistake` unless the layer changes `faces` (N, 48, 48, 1) at random, in training alone."""
    used, first, second = (np.asarray(layer(faces, training=training)) for training in (False, True, True))
    if used.shape != faces.shape:
        raise Mistake(f"a batch of shape {faces.shape} comes out in another shape, {used.shape}")
    if not np.allclose(used, faces, atol=1e-3):
        raise Mistake("it changes faces outside training, too, and these must stay as they are")
    if np.allclose(first, faces, atol=1e-3):
        raise Mistake("in training the faces come out as they went in: nothing is changed yet")
    if np.allclose(first, second, atol=1e-3):
        raise Mistake("it makes the same pictures each time: nothing in it is random")
    if first.min() < -0.5 or first.max() > 1.5:
        raise Mistake(
            f"its pictures have grey levels from {first.min():.1f} to {first.max():.1f}, but the layer stands behind "
            "the rescaling, where faces lie between 0 and 1: look for an argument value_range"
        )


def _refuse_lost_labels(layer):
    """Raises a `Mistake` if the layer turns pictures upside down or farther than `_MOST_DEGREES`."""
    angles = _measure_angles(np.asarray(layer(np.repeat(_RAMP[None], 192, axis=0), training=True))[..., 0])
    if not np.any((angles > _MOST_DEGREES + 1) & (angles < 179)) and np.any(angles >= 179):
        raise Mistake("some faces come out upside down, or with light and dark exchanged: no test face looks so")
    if angles.max() > _MOST_DEGREES + 1:
        raise Mistake(
            f"some faces are turned by {angles.max():.0f} degrees and lie on their sides or worse; no test face does. "
            "A factor of RandomRotation is a share of a full turn"
        )


def _measure_angles(pictures):
    """Returns by how many degrees, 0 to 180, each of the changed pictures of the ramp (N, 48, 48) is turned."""
    middle = pictures[:, 6:42, 6:42]
    down = np.median(middle[:, 8:] - middle[:, :-8], axis=(1, 2))
    across = np.median(middle[:, :, 8:] - middle[:, :, :-8], axis=(1, 2))
    return np.degrees(np.abs(np.arctan2(across, down)))


def _read_end(history):
    """Returns the gap and the validation accuracy of the last epoch."""
    training, validation = history["accuracy"][-1], history["val_accuracy"][-1]
    return {"gap": training - validation, "validation": validation}
