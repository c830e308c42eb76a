"""Measures what layers see: activation maps, probes, gradients, neighbours (report §5.4; §4.3)."""

from typing import NamedTuple

import numpy as np
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import r2_score
from sklearn.neighbors import NearestNeighbors

from fer_utils.device import import_tensorflow, keras
from fer_utils.models import predict

layers = keras.layers

ACTIVATIONS = (layers.ReLU, layers.LeakyReLU, layers.PReLU, layers.ELU, layers.Activation)
POOLINGS = (layers.MaxPooling2D, layers.AveragePooling2D)
N_DIRECTIONS = 100  # of a layer's variation, by which it is read


def activation_maps(model, images, layer_names=None):
    """Returns {layer name: float32 (N, height, width, maps)} for uint8 images (N, 48, 48, 1) (report §5.4, Figure 7).

    Without `layer_names`, the layers are those of `convolution_outputs`.
    """
    names = layer_names or convolution_outputs(model)
    outputs = {name: model.get_layer(name).output for name in names}
    maps = predict(keras.Model(model.input, outputs), images)
    return {name: maps[name] for name in names}


def convolution_outputs(model):
    """Returns the names of `model`'s layers that give the maps behind its convolutions, in the model's order.

    These are the activations that give maps, and the layers with an activation of their own whose maps have more than
    one place: what weighs maps by a single number each is left out. `ValueError` for a model without any.
    """
    names = [layer.name for layer in model.layers if _gives_maps(layer) and _activates(layer)]
    if not names:
        raise ValueError(f"the model {model.name} has no activation that gives maps: name a layer that does")
    return names


def last_maps(model):
    """Returns the name of the last layer of `model` that gives maps and is no pooling; `ValueError` without any.

    Of most networks it is the last of `convolution_outputs`; where branches end together it joins them.
    """
    convolution_outputs(model)  # a model without any is told so
    return [layer.name for layer in model.layers if _gives_maps(layer) and not isinstance(layer, POOLINGS)][-1]


def _gives_maps(layer):
    return len(layer.output.shape) == 4


def _activates(layer):
    own = getattr(layer, "activation", keras.activations.linear)
    acts_itself = own is not keras.activations.linear and max(layer.output.shape[1:3]) > 1
    return isinstance(layer, ACTIVATIONS) or acts_itself


def silent_maps(maps, tolerance=1e-6):
    """Returns which maps of an array (N, height, width, maps) are blank, bool (N, maps): nowhere above `tolerance`.

    Report §5.4: "several feature maps are not activated and left blank".
    """
    return np.abs(maps).max(axis=(1, 2)) <= tolerance


class LayerReading(NamedTuple):
    """What can be read off a layer: how much of the image, and the class."""

    name: str
    n_maps: int
    n_blank: float  # maps without any activation, mean per image
    r2: float  # share of the grey levels' variance that a linear regression rebuilds
    correct: np.ndarray  # bool (N,): where a linear probe (Alain and Bengio 2016) finds the class


def read_layers(model, known, new, layer_names):
    """Reads the layers named: [`LayerReading`, ...] on the `Split` `new`, by readers that learn from `known` (§5.4).

    Layers differ in size, so each is first reduced to its `N_DIRECTIONS` main directions of variation.
    """
    images = np.concatenate([known.images, new.images])
    pixels, n_known = images.reshape(len(images), -1) / 255, len(known.images)
    readings = []
    for name, maps in activation_maps(model, images, layer_names).items():
        reduction = PCA(N_DIRECTIONS, whiten=True, svd_solver="randomized", iterated_power=2, random_state=0)
        flat = maps.reshape(len(maps), -1)
        learn, check = reduction.fit_transform(flat[:n_known]), reduction.transform(flat[n_known:])
        rebuilt = Ridge(alpha=100).fit(learn, pixels[:n_known]).predict(check)
        r2 = r2_score(pixels[n_known:], rebuilt, multioutput="variance_weighted")
        probe = LogisticRegression(C=0.03, max_iter=500).fit(learn, known.labels)
        n_blank = float(silent_maps(maps[n_known:]).sum(axis=1).mean())
        readings.append(LayerReading(name, maps.shape[-1], n_blank, float(r2), probe.predict(check) == new.labels))
    return readings


def gradient_norms(model, images, labels):
    """Returns {layer name: norm of the loss's gradient by its kernel, per weight}, in the order of the forward pass.

    Root mean square over the kernel of each convolution but those of shortcuts and of each dense layer, for one batch
    of uint8 images (N, 48, 48, 1) in training mode: what reaches a layer when it is about to learn (report §4.3; He et
    al. 2016). The model stays as it is.
    """
    tf = import_tensorflow()
    weighted = [layer for layer in model.layers if hasattr(layer, "kernel") and "shortcut" not in layer.name]
    kernels = [layer.kernel.value for layer in weighted]
    # A plain call in training mode would move the averages of the batch normalisations.
    with tf.GradientTape() as tape:
        probabilities, _ = model.stateless_call(
            model.trainable_variables, model.non_trainable_variables, images, training=True
        )
        loss = tf.reduce_mean(keras.losses.sparse_categorical_crossentropy(labels, probabilities))
    gradients = tape.gradient(loss, kernels)
    return {
        layer.name: float(np.sqrt(np.mean(np.square(gradient))))
        for layer, gradient in zip(weighted, gradients, strict=True)
    }


def embed(model, images):
    """Returns what the last layer of `model` reads of uint8 images (N, 48, 48, 1): float32 (N, features)."""
    return predict(keras.Model(model.input, model.layers[-1].input), images)


def neighbour_agreement(features, labels, n_neighbours=10):
    """Returns the share of same labels among the `n_neighbours` nearest of each of the features (N, F), float (N,)."""
    nearest = NearestNeighbors(n_neighbors=n_neighbours).fit(features).kneighbors(return_distance=False)
    return np.mean(np.asarray(labels)[nearest] == np.asarray(labels)[:, np.newaxis], axis=1)
