"""Builds the network of an experiment, or loads it with a run's weights."""

from fer_utils import device
from fer_utils.device import keras
from fer_utils.models import (
    FAMILIES,
    augmentation_layer,
    deep_finer,
    deep_longer,
    deep_residual,
    deep_squeezed,
    fast,
    lenet_like,
    resnet_like,
    vgg_like,
)
from fer_utils.training.experiments import find_experiment
from fer_utils.training.recipes import Recipe
from fer_utils.training.runs import WEIGHTS, RunError, explain_damage, read_checked
from fer_utils.training.seeds import own_seeds

OF_REPORT = lenet_like, vgg_like, resnet_like
OF_COURSE = fast, deep_residual, deep_squeezed, deep_longer, deep_finer
NETWORKS = {build.__name__: build for build in (*OF_REPORT, *OF_COURSE)} | FAMILIES


def build_network(experiment, recipe, seed=0, precision=device.FLOAT32):
    """Builds the uncompiled network of an `Experiment` and a `Recipe`; `seed` sets initial weights and augmentation.

    Without a seed (None), for a network whose weights do not matter or are loaded, they are any Keras gives.
    `precision` is the Keras dtype policy that its layers compute in; weights are float32 in each.
    """
    # Made first: images are turned and stretched in float32, whatever the network computes in.
    augmentation = None
    if experiment.augmentation != "none":
        augmentation = augmentation_layer(seed or 0, experiment.augmentation, recipe.interpolation)
    usual = keras.config.dtype_policy()
    keras.config.set_dtype_policy(precision)
    try:
        extras = {"conv_stride": experiment.conv_stride} if experiment.conv_stride != 1 else {}
        extras |= {"dropout": recipe.dropout} if recipe.dropout else {}
        with own_seeds(seed or 0, checked=seed is not None):
            network = NETWORKS[experiment.model](recipe.width, augmentation=augmentation, **extras)
    finally:
        keras.config.set_dtype_policy(usual)
    for layer in network.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = recipe.norm_momentum
    return network


def find_weights(run):
    """Returns the path of the weights of a `Run`; `RunError` if they were not kept."""
    path = run.folder / WEIGHTS if run.folder else None
    if path is None or not path.exists():
        name = f"{run.experiment}, seed {run.seed}"
        raise RunError(f"{name}: the run was kept without its weights; train it with retrain=True")
    return path


def load_network(run):
    """Loads the trained `keras.Model` of a `Run`; `RunError` if its weights were not kept or are damaged."""
    path = find_weights(run)
    read_checked(run.folder, WEIGHTS, run.digests)
    with explain_damage(run.folder / "run.json"):
        recipe = Recipe(**run.recipe)
    network = build_network(find_experiment(run.experiment), recipe, seed=None)
    with explain_damage(path):
        network.load_weights(path)
    return network
