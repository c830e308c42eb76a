"""Shows where a network looks: Grad-CAM, occlusion, and checks whether such maps say anything."""

from typing import NamedTuple

import numpy as np
from scipy import stats

from fer_utils.data import IMAGE_SIZE
from fer_utils.device import import_tensorflow, keras
from fer_utils.evaluation.readings import convolution_outputs, last_maps
from fer_utils.models import predict

N_LOOKED_AT = 100  # faces for heat maps and occlusion
STEP = 4  # pixels from one occluding square to the next


def class_heat_maps(model, images, classes=None, layer_name=None):
    """Returns where the model looks for a class: Grad-CAM (Selvaraju et al. 2017), float32 (N, h, w) from 0 to 1.

    `classes` int (N,) defaults to the predicted ones. `layer_name` defaults to the last layer that gives maps
    (`readings.last_maps`), whose height and width the heat maps have. Each map is divided by its own largest value; all
    zero where nothing speaks for the class.
    """
    tf = import_tensorflow()
    layer = model.get_layer(layer_name or last_maps(model))
    softmax = model.layers[-1]
    both = keras.Model(model.input, [layer.output, softmax.input])
    with tf.GradientTape() as tape:
        maps, features = both(images, training=False)
        # The scores before the softmax: behind it a sure network has no gradient left.
        scores = features @ softmax.kernel + softmax.bias
        if classes is None:
            classes = tf.argmax(scores, axis=1)
        score = tf.gather(scores, classes, axis=1, batch_dims=1)
    importance = tape.gradient(score, maps).numpy().mean(axis=(1, 2), keepdims=True)
    heat = np.maximum((importance * maps.numpy()).sum(axis=-1), 0)
    return heat / np.maximum(heat.max(axis=(1, 2), keepdims=True), 1e-12)


def occlusion_maps(model, images, classes, size=12):
    """Returns what a grey square takes from the probability of `classes` int (N,): float (N, 48 / `STEP`, 48 / `STEP`).

    Zeiler and Fergus 2014. The square of `size` pixels lies round the middle of each field of `STEP` pixels, cut off
    at the border, and has the image's mean grey. `images` are uint8 (N, 48, 48, 1).
    """
    everyone = np.arange(len(images))
    before = predict(model, images)[everyone, classes]
    grey = images.mean(axis=(1, 2, 3), keepdims=True).astype(np.uint8)
    edges = [(max(0, middle - size // 2), middle + size // 2) for middle in range(STEP // 2, IMAGE_SIZE, STEP)]
    drops = np.zeros((len(images), len(edges), len(edges)), np.float32)
    for row, (top, bottom) in enumerate(edges):
        for column, (left, right) in enumerate(edges):
            covered = images.copy()
            covered[:, top:bottom, left:right] = grey
            drops[:, row, column] = before - predict(model, covered)[everyone, classes]
    return drops


def compare_maps(maps, others):
    """Returns each map's rank correlation (Spearman 1904) with its fellow, (N,) of (N, h, w); NaN where one is flat."""
    ranks = [stats.rankdata(each.reshape(len(each), -1), axis=1) for each in (maps, others)]
    ranks = [rank - rank.mean(axis=1, keepdims=True) for rank in ranks]
    with np.errstate(invalid="ignore"):
        return (ranks[0] * ranks[1]).sum(axis=1) / np.sqrt((ranks[0] ** 2).sum(axis=1) * (ranks[1] ** 2).sum(axis=1))


def explain_likeness(network, images, layer_name):
    """Returns {words: mean rank correlation}: why the heat maps of different faces look alike.

    Grad-CAM at `layer_name`, each map for the network's own answer: of each face against the map of "another face",
    against that of "a picture of one grey", in which there is nothing to see, and against "another face" again, after
    the mean of all maps was taken from each ("without the common map").
    """
    grey = np.broadcast_to(images.mean(axis=(1, 2, 3), keepdims=True).astype(np.uint8), images.shape)
    maps, of_grey = (class_heat_maps(network, shown, layer_name=layer_name) for shown in (images, grey))
    own = maps - maps.mean(axis=0)
    pairs = {
        "another face": (maps, np.roll(maps, 1, axis=0)),
        "a picture of one grey": (maps, of_grey),
        "another face, without the common map": (own, np.roll(own, 1, axis=0)),
    }
    return {words: _mean(compare_maps(*pair)) for words, pair in pairs.items()}


def randomise_layers(network, fresh):
    """Gives `network` the weights of `fresh`, layer by layer from the output down, and yields each layer's name.

    The cascade of Adebayo et al. (2018). `fresh` is the same network untrained; a normalisation goes with its
    convolution. `network` itself changes.
    """
    for layer in reversed(network.layers):
        if layer.trainable_weights:
            layer.set_weights(fresh.get_layer(layer.name).get_weights())
            if hasattr(layer, "kernel"):
                yield layer.name


class LayerLook(NamedTuple):
    """A layer's heat maps: places along a side, share that is dark all over, rank correlation with occlusion."""

    places: int
    dark: float
    agreement: float


def compare_with_occlusion(model, images, classes, drops):
    """Compares Grad-CAM for `classes` with `drops` of `occlusion_maps`: {layer: `LayerLook`} of the last convolutions.

    These are the last three whose places along a side divide those of the drops, which are averaged to them: maps finer
    than the drops are left out. `ValueError` for a model without any.
    """
    sizes = {name: model.get_layer(name).output.shape[1] for name in convolution_outputs(model)}
    names = [name for name, size in sizes.items() if drops.shape[1] % size == 0][-3:]
    if not names:
        raise ValueError(
            f"the model {model.name} has no maps whose side divides the {drops.shape[1]} places of the drops"
        )
    found = {}
    for name in names:
        heat = class_heat_maps(model, images, classes, name)
        size = heat.shape[1]
        coarse = drops.reshape(len(drops), size, -1, size, drops.shape[2] // size).mean(axis=(2, 4))
        dark = float(np.mean(heat.max(axis=(1, 2)) == 0))
        found[name] = LayerLook(size, dark, _mean(compare_maps(heat, coarse)))
    return found


def check_heat_maps(network, fresh, images, layer_name):
    """Returns {layers randomised: mean rank correlation of the heat maps with the original ones}, "none" first.

    Grad-CAM at `layer_name` for the classes first predicted, while `randomise_layers` works its way down; NaN where
    all maps are dark. Last, under "another face", the correlation of each face's original map with the next face's:
    what maps have in common that do not belong together. `network` itself changes.
    """
    classes = predict(network, images).argmax(axis=1)
    original = class_heat_maps(network, images, classes, layer_name)
    found = {"none": _mean(compare_maps(original, original))}
    for name in randomise_layers(network, fresh):
        found[name] = _mean(compare_maps(original, class_heat_maps(network, images, classes, layer_name)))
    return found | {"another face": _mean(compare_maps(original, np.roll(original, 1, axis=0)))}


def _mean(values):
    return float(np.nanmean(values)) if np.isfinite(values).any() else float("nan")
