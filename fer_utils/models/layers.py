"""The layers that the course's networks share."""

from fer_utils.data import CLASS_NAMES, IMAGE_SIZE
from fer_utils.device import FLOAT32, import_tensorflow, keras

layers = keras.layers


def scaled(maps, width):
    """Returns the number of `maps` times `width`, at least one."""
    return max(1, round(maps * width))


def scaled_input(augmentation):
    """Returns (input of uint8 faces, the same from 0 to 1 and, in training, changed by the layer `augmentation`)."""
    inputs = keras.Input((IMAGE_SIZE, IMAGE_SIZE, 1), dtype="uint8", name="face")
    x = layers.Rescaling(1 / 255, name="scale", dtype="float32")(inputs)
    return inputs, x if augmentation is None else augmentation(x)


def convolution(x, maps, stride=1, name=None, size=3):
    """Adds a convolution without bias and its normalisation; the activation is left to the caller."""
    x = layers.Conv2D(maps, size, strides=stride, padding="same", use_bias=False, name=name)(x)
    return normalisation(x, name)


def projection(x, maps, stride=1, name=None):
    """Returns what a shortcut carries: the input itself, or a 1x1 convolution of it where shape or maps change."""
    if x.shape[-1] == maps and stride == 1:
        return x
    return convolution(x, maps, stride, name, size=1)


@keras.saving.register_keras_serializable("fer_utils")
class BatchNormalization(layers.BatchNormalization):
    """Keras's layer, which trains in one operation of TensorFlow where Keras takes many: a third of a step's time less.

    Its numbers are Keras's up to their last digits. Under JAX and in 16 bits it is Keras's own in every way.
    """

    def call(self, inputs, training=None, mask=None):
        one_operation = keras.backend.backend() == "tensorflow" and len(inputs.shape) == 4
        if not (one_operation and training and self.trainable and self.compute_dtype == FLOAT32):
            return super().call(inputs, training=training, mask=mask)
        tf = import_tensorflow()
        outputs, mean, variance = tf.compat.v1.nn.fused_batch_norm(
            inputs, self.gamma.value, self.beta.value, epsilon=self.epsilon
        )
        # The operation estimates the variance of all places there could be; Keras keeps that of the places there are.
        places = tf.cast(tf.size(inputs) // inputs.shape[-1], variance.dtype)
        for kept, new in ((self.moving_mean, mean), (self.moving_variance, variance * (1 - 1 / places))):
            kept.assign(kept * self.momentum + new * (1 - self.momentum))
        return outputs


def with_keras_layers(network):
    """Returns a copy of `network` with Keras's own normalisations: a file of it is read without this package."""

    def copy(layer):
        plain = layers.BatchNormalization if isinstance(layer, BatchNormalization) else type(layer)
        return plain.from_config(layer.get_config())

    twin = keras.models.clone_model(network, clone_function=copy)
    twin.set_weights(network.get_weights())
    return twin


def normalisation(x, name=None):
    """Adds a batch normalisation, whose averages a training may give another momentum (`Recipe.norm_momentum`)."""
    return BatchNormalization(momentum=0.9, name=name and f"{name}_norm")(x)


def weigh_maps(x, units, name=None):
    """Multiplies each map by a weight from 0 to 1, which `units` numbers compute from all means (Hu et al. 2018)."""
    weights = layers.GlobalAveragePooling2D(keepdims=True)(x)
    weights = layers.Conv2D(units, 1, activation="silu", name=name and f"{name}_squeeze")(weights)
    weights = layers.Conv2D(x.shape[-1], 1, activation="sigmoid", name=name and f"{name}_excite")(weights)
    return layers.Multiply()([x, weights])


def pooling(x, name=None):
    """Adds a max pooling over 2x2 places."""
    return layers.MaxPooling2D(2, padding="same", name=name)(x)


def softmax(x):
    """Adds the output: the probabilities of the seven classes."""
    # In half precision it would round the probabilities, and with them the loss.
    return layers.Dense(len(CLASS_NAMES), activation="softmax", name="expression", dtype="float32")(x)
