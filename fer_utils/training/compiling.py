"""Compiles a network: from a recipe to its optimiser, learning rates and loss."""

from fer_utils import device
from fer_utils.device import keras

OPTIMIZERS = {"adam": keras.optimizers.Adam, "rmsprop": keras.optimizers.RMSprop}


def compile_network(network, recipe, n_images):
    """Gives `network` the optimiser, the learning rates and the loss of `recipe` for epochs of `n_images` images.

    One that computes in float16 gets an optimiser that scales the loss, so that small gradients do not become zero.
    """
    schedule = _schedule(recipe, recipe.epochs * -(-n_images // recipe.batch_size))
    extras = {"weight_decay": recipe.weight_decay or None}
    if recipe.ema_decay:
        extras |= {"use_ema": True, "ema_momentum": recipe.ema_decay}
    if recipe.momentum:
        optimizer = keras.optimizers.SGD(schedule, momentum=recipe.momentum, nesterov=True, **extras)
    else:
        optimizer = OPTIMIZERS[recipe.optimizer](schedule, **extras)
    if recipe.decays == "kernels":
        others = [variable for variable in network.trainable_variables if not variable.name.endswith("kernel")]
        optimizer.exclude_from_weight_decay(others)
    if network.dtype_policy.name == device.FLOAT16:
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
    optimizer.build(network.trainable_variables)
    loss = keras.losses.CategoricalCrossentropy(label_smoothing=recipe.label_smoothing)
    network.compile(optimizer=optimizer, loss=loss, metrics=["accuracy"])
    if keras.backend.backend() == "tensorflow":
        _build_metrics(network)


def _build_metrics(network):
    """Gives the metrics their variables, as the optimiser has its own.

    Keras makes what is missing within the first step, and TensorFlow traces a step that made variables once more.
    """
    wanted = keras.ops.ones((1, *network.output.shape[1:]))
    network.compute_metrics(None, wanted, wanted)
    network.reset_metrics()


def _schedule(recipe, steps):
    """Returns the learning rate over `steps` steps: constant, or up during the warm-up and down along half a cosine."""
    if recipe.schedule == "constant":
        return recipe.learning_rate
    warmup = round(recipe.warmup * steps)
    return keras.optimizers.schedules.CosineDecay(
        recipe.learning_rate / 10 if warmup else recipe.learning_rate,
        decay_steps=steps - warmup,
        warmup_target=recipe.learning_rate if warmup else None,
        warmup_steps=warmup,
    )
