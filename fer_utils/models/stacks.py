"""Narrow stacks of convolutions, shallow and deep, to see what shortcuts do where a network is deep.

He et al. (2016, Deep Residual Learning for Image Recognition, sections 1 and 4.1) found that a deep plain network ends
with a higher *training* loss than a shallower one, although it could compute the same, and that shortcuts undo this.
Here the stacks are so narrow, and work at so few places, that this shows on a CPU within a minute.

Each network gets the same recipe: plain stochastic gradient descent with momentum, few faces, few epochs.
"""

from fer_utils.device import keras
from fer_utils.models.layers import normalisation, pooling, scaled_input, softmax

layers = keras.layers

STACK_DEPTHS = 8, 20  # weighted layers of the shallow stack and of the deep one
STACK_MAPS = 16
STACK_FACES = 2048  # a whole number of batches: another size of batch would trace the network once more
STACK_EPOCHS = 4
STACK_BATCH = 32
STACK_RATE = 0.01
STACK_MOMENTUM = 0.9
# The same by the names that a run's recipe has, for what records a training of stacks.
STACK_RECIPE = {
    "depths": list(STACK_DEPTHS), "train_images": STACK_FACES, "epochs": STACK_EPOCHS, "batch_size": STACK_BATCH,
    "learning_rate": STACK_RATE, "momentum": STACK_MOMENTUM,
}  # fmt: skip


def narrow_stack(depth, shortcuts, normalised=True):
    """Builds a stack of `depth` weighted layers, an even number: a first convolution, pairs of them, a softmax.

    The first convolution and a pooling leave 16 maps of 6x6 places, `block0`; the pairs keep them so, and `block1`,
    `block2`, ... are the maps behind each. A plain pair is x = ReLU(F(x)). With `shortcuts` it is
    x = ReLU(x + F(x) / sqrt(number of pairs)): the division lets many pairs add up to as much as one. `normalised` puts
    a batch normalisation behind each convolution of the pairs; the first convolution always has one.
    """
    if depth < 4 or depth % 2:
        raise ValueError(f"expected an even number of at least 4 layers, found {depth}: pairs, and one at each end")
    inputs, x = scaled_input(None)
    x = layers.Conv2D(STACK_MAPS, 4, strides=4, use_bias=False, name="first")(x)
    x = pooling(layers.ReLU(name="first_relu")(normalisation(x, "first")), "block0")
    pairs = (depth - 2) // 2
    for pair in range(1, pairs + 1):
        entrance = x
        x = layers.ReLU(name=f"relu{2 * pair - 1}")(_convolution(x, 2 * pair - 1, normalised))
        x = _convolution(x, 2 * pair, normalised)
        if shortcuts:
            x = layers.Add(name=f"add{pair}")([entrance, layers.Rescaling(pairs**-0.5, name=f"divide{pair}")(x)])
        x = layers.ReLU(name=f"block{pair}")(x)
    kind = "residual" if shortcuts else "plain"
    return keras.Model(inputs, softmax(layers.Flatten(name="flatten")(x)), name=f"{kind}_stack_{depth}")


def train_stack(network, split, epochs=STACK_EPOCHS):
    """Trains a stack on the first `STACK_FACES` of a `Split`; returns the training loss of each epoch, [float, ...].

    The loss of an epoch is Keras's own: the mean over its batches, while the weights change.
    """
    # A network that is trained for seconds is not worth compiling by XLA.
    optimizer = keras.optimizers.SGD(STACK_RATE, momentum=STACK_MOMENTUM)
    optimizer.build(network.trainable_variables)  # made within the first step, they have TensorFlow trace it twice
    network.compile(optimizer, "sparse_categorical_crossentropy", jit_compile=False)
    images, labels = split.images[:STACK_FACES], split.labels[:STACK_FACES]
    return network.fit(images, labels, batch_size=STACK_BATCH, epochs=epochs, verbose=0).history["loss"]


def _convolution(x, number, normalised):
    name = f"conv{number}"
    x = layers.Conv2D(STACK_MAPS, 3, padding="same", use_bias=False, name=name)(x)
    return normalisation(x, name) if normalised else x
