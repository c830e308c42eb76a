"""The report's three networks (§4, Appendix A), a fast one and a deep one: functions that return a `keras.Model`.

What the report states and what had to be chosen where it is silent:

=========================  =======================================  ==============================================
part                       the report                               here
=========================  =======================================  ==============================================
input                      48x48 grey, scaled to 0..1 (§3)          uint8 (48, 48, 1), scaled by the first layer
filter size                3 (§4)                                   3
stride                     "the stride is 2" (§4)                   `conv_stride` 1, pooling 2; `conv_stride=2` is
                                                                    the literal reading
normalisation              after each layer but the output (§4)     before the ReLU, momentum 0.9
LeNet-like                 3 convolutions, 2 dense, max pooling     32, 64, 128 maps; dense 128
                           after every convolution (§4.1)
VGGNet-like                10 layers, more layers and maps (§4.2)   2 convolutions each of 32, 64, 128, 256 maps,
                                                                    pooling after each pair; dense 256
ResNet-like                VGGNet-like with shortcuts, projected    a shortcut round each pair; 1x1 convolution
                           by a 1x1 convolution (§4.3)              where the number of maps changes
padding, bias, activation  silent                                   "same", none before a normalisation, ReLU
output                     7-way softmax (§4.1)                     the same
=========================  =======================================  ==============================================
"""

import math

import numpy as np

from fer_utils import device
from fer_utils.environment import quiet_stderr
from fer_utils.fer2013 import CLASS_NAMES, IMAGE_SIZE

with quiet_stderr():
    import keras
    from keras import layers

VIEWS = 1, 2, 10
VIEW_SHIFT = 2  # pixels
# Forward, and backward once for the maps and once for the weights: the multiply-adds of training over those of a look.
PASSES = 3


def lenet_like(width=1.0, conv_stride=1, augmentation=None):
    """The baseline of 5 weighted layers (report §4.1, Figure 8).

    `width` scales the number of maps of every layer; `augmentation` is a layer that changes the scaled images in
    training; `conv_stride` is the stride of every 3x3 convolution.
    """
    inputs, x = scaled_input(augmentation)
    for number, maps in enumerate((32, 64, 128), start=1):
        x = convolution(x, scaled(maps, width), conv_stride, f"conv{number}")
        x = layers.ReLU(name=f"conv{number}_relu")(x)
        x = pooling(x, f"pool{number}")
    return _classifier(inputs, x, scaled(128, width), "lenet_like")


def vgg_like(width=1.0, conv_stride=1, augmentation=None):
    """The plain network of 10 weighted layers (report §4.2, Figure 9); arguments as for `lenet_like`."""
    return _paired_network(width, conv_stride, augmentation, shortcuts=False, name="vgg_like")


def resnet_like(width=1.0, conv_stride=1, augmentation=None):
    """`vgg_like` with a shortcut round each pair of convolutions (report §4.3, Figures 2 and 10; He et al. 2016)."""
    return _paired_network(width, conv_stride, augmentation, shortcuts=True, name="resnet_like")


def fast(width=1.0, augmentation=None, dropout=0.0):
    """A network of 5 weighted layers for a training of a minute on two CPU cores; arguments as for `deep_residual`.

    The baseline's multiply-adds are spent where they count: its first convolution sees more and skips every second
    place, so that no layer works at 48x48; poolings come before the normalisations, which then read a quarter of the
    numbers; and in place of a dense layer each last map is averaged (Lin et al. 2014).
    """
    inputs, x = scaled_input(augmentation)
    for number, maps in enumerate((32, 64, 128, 256), start=1):
        size, stride, name = (5, 2, "conv1") if number == 1 else (3, 1, f"conv{number}")
        x = layers.Conv2D(scaled(maps, width), size, stride, padding="same", use_bias=False, name=name)(x)
        if number < 4:
            x = pooling(x, f"pool{number}")
        x = layers.ReLU(name=f"{name}_relu")(normalisation(x, name))
    x = layers.GlobalAveragePooling2D(name="average")(x)
    x = layers.Dropout(dropout, name="dropout")(x)
    return keras.Model(inputs, softmax(x), name="fast")


def deep_residual(width=1.0, augmentation=None, dropout=0.0):
    """A network of 12 weighted layers with a shortcut round each pair of convolutions; arguments as for `lenet_like`.

    One convolution at 48x48, where a multiply-add buys least; five pairs at 24x24, 12x12, 12x12, 6x6 and 6x6; the last
    maps are averaged (Lin et al. 2014), and `dropout` is the share of these averages left out in training.
    """
    inputs, x = scaled_input(augmentation)
    x = layers.ReLU(name="conv1_relu")(convolution(x, scaled(32, width), 1, "conv1"))
    for block, (maps, halved) in enumerate(((64, True), (128, True), (128, False), (256, True), (256, False)), start=1):
        if halved:
            x = pooling(x, f"pool{block}")
        x = _residual_pair(x, scaled(maps, width), block)
    x = layers.GlobalAveragePooling2D(name="average")(x)
    x = layers.Dropout(dropout, name="dropout")(x)
    return keras.Model(inputs, softmax(x), name="deep_residual")


MODELS = {
    "lenet_like": lenet_like,
    "vgg_like": vgg_like,
    "resnet_like": resnet_like,
    "fast": fast,
    "deep_residual": deep_residual,
}


def predict(model, images, batch_size=None):
    """What `model` says of uint8 images (N, 48, 48, 1): class probabilities float32 (N, 7) of the course's networks.

    A model with other outputs gives them in their own structure; of no images it says nothing, in arrays of no rows.
    `batch_size` is by default what suits the device.
    Not `model.predict`: on TensorFlow its input pipeline adds a wait of its own to every call (notebook 08).
    """
    if not len(images):  # only an answer tells what answers look like: one to a black image, left out again
        answer = model.predict_on_batch(np.zeros((1, *images.shape[1:]), images.dtype))
        return keras.tree.map_structure(lambda part: np.asarray(part)[:0], answer)
    size = batch_size or device.prediction_batch()
    batches = [model.predict_on_batch(images[start : start + size]) for start in range(0, len(images), size)]
    return keras.tree.map_structure(lambda *parts: np.concatenate(parts), *batches)


def predict_views(model, images, views=1):
    """Class probabilities float32 (N, 7) of uint8 images (N, 48, 48, 1), each the mean over `views` of the image.

    1: the image alone. 2: the image and its mirror image. 10: these two in five places each, as they are and moved by
    `VIEW_SHIFT` pixels towards each corner, the border repeated (the "ten crops" of Krizhevsky et al. 2012).
    `ValueError` for any other number.
    """
    if views not in VIEWS:
        raise ValueError(f"views is {views!r}; an image is judged by {VIEWS[0]}, {VIEWS[1]} or {VIEWS[2]} views")
    corners = [(dy, dx) for dy in (0, 2 * VIEW_SHIFT) for dx in (0, 2 * VIEW_SHIFT)]
    places = [(VIEW_SHIFT, VIEW_SHIFT), *(corners if views == 10 else [])]
    padded = np.pad(images, ((0, 0), (VIEW_SHIFT,) * 2, (VIEW_SHIFT,) * 2, (0, 0)), mode="edge")
    moved = [padded[:, y : y + IMAGE_SIZE, x : x + IMAGE_SIZE] for y, x in places]
    seen = moved if views == 1 else [*moved, *(image[:, :, ::-1] for image in moved)]
    return np.mean([predict(model, view) for view in seen], axis=0)


# What `count_multiply_adds` counts: a kernel's multiplications at each place of the maps that a layer gives or, where
# it spreads each number over many places, of those that it reads.
AT_PLACES_GIVEN = (
    layers.Conv1D, layers.Conv2D, layers.Conv3D, layers.DepthwiseConv1D, layers.DepthwiseConv2D,
    layers.SeparableConv1D, layers.SeparableConv2D,
)  # fmt: skip
AT_PLACES_READ = (layers.Conv1DTranspose, layers.Conv2DTranspose, layers.Conv3DTranspose)
# Their weights of two or more dimensions scale numbers and mix none: they count as little as any normalisation.
SCALES = (
    layers.BatchNormalization, layers.LayerNormalization, layers.GroupNormalization, layers.Normalization, layers.PReLU,
)  # fmt: skip
# These multiply without weights, or nobody can see what they do.
MULTIPLIES_UNSEEN = (layers.Attention, layers.AdditiveAttention, layers.Dot, layers.Lambda)
PRODUCTS = (
    "Matmul Dot Tensordot Einsum Inner Outer Vdot Conv DepthwiseConv SeparableConv ConvTranspose DotProductAttention"
)


def count_multiply_adds(model):
    """Counts the multiply-adds of one image's forward pass through `model`'s convolutions and dense layers, an int.

    Each call of a layer counts, and so does each layer of a model within the model. Places beyond the border, which
    padding fills, count like others. What scales, adds, selects or moves numbers (normalisations, activations,
    poolings, sums, augmentation) counts as nothing. `ValueError` names the first layer that is none of these.
    """
    total = 0
    for layer, inputs, outputs in list_calls(model):
        if isinstance(layer, keras.Model) and _find_graph(layer) is not None:
            total += count_multiply_adds(layer)
        elif isinstance(layer, AT_PLACES_GIVEN):
            total += _count_places(layer, outputs[0]) * _count_kernels(layer)
        elif isinstance(layer, AT_PLACES_READ):
            total += _count_places(layer, inputs[0]) * _count_kernels(layer)
        elif isinstance(layer, layers.Dense):
            total += _count_places(layer, outputs[0], channels_first=False) * _count_kernels(layer)
        elif not isinstance(layer, SCALES):
            _refuse_if_it_multiplies(layer)
    return total


def list_calls(model):
    """[(layer, inputs, outputs)]: every call of a layer in `model`'s forward pass, in order, with Keras's own tensors.

    `ValueError` for a model that is not built of layers from an input to an output. The one place that reads the graph
    which Keras keeps of a model: `model.layers` holds a layer that is called twice only once.
    """
    graph = _find_graph(model)
    if graph is None:
        raise ValueError(
            f"{_name_layer(model)} is not built of layers from an input to an output, so its layers cannot be followed"
        )
    by_depth = graph._nodes_by_depth
    nodes = [node for depth in sorted(by_depth, reverse=True) for node in by_depth[depth]]
    return [(node.operation, node.input_tensors, node.output_tensors) for node in nodes]


def _find_graph(model):
    """The functional model that `model` is, or that a `Sequential` is made into when it is built; else None."""
    graph = getattr(model, "_functional", model)
    return graph if hasattr(graph, "_nodes_by_depth") else None


def _name_layer(layer):
    return f"{layer.name} ({type(layer).__name__})"


def _count_places(layer, tensor, channels_first=None):
    """At how many places of a map `tensor` (N, places..., channels) of `layer` stands."""
    if channels_first is None:
        channels_first = layer.data_format == "channels_first"
    places = tensor.shape[2:] if channels_first else tensor.shape[1:-1]
    if None in places:
        raise ValueError(f"the multiply-adds of {_name_layer(layer)} are not known: the size of its maps is left open")
    return math.prod(places)


def _count_kernels(layer):
    """How many weights the kernels of a convolution or dense layer hold, without biases."""
    return sum(math.prod(weight.shape) for weight in layer.weights if weight.name.endswith("kernel"))


def _refuse_if_it_multiplies(layer):
    """`ValueError` if `layer` could mix numbers: by weights of two or more dimensions, or by products of its inputs."""
    weighs = any(len(weight.shape) > 1 for weight in getattr(layer, "weights", []))
    if weighs or isinstance(layer, MULTIPLIES_UNSEEN) or type(layer).__name__ in PRODUCTS.split():
        raise ValueError(
            f"the multiply-adds of {_name_layer(layer)} are not known: the course does not count this type"
        )


def _paired_network(width, conv_stride, augmentation, shortcuts, name):
    inputs, x = scaled_input(augmentation)
    for block, maps in enumerate((32, 64, 128, 256), start=1):
        maps = scaled(maps, width)
        first, second = f"conv{2 * block - 1}", f"conv{2 * block}"
        entrance = x
        x = convolution(x, maps, conv_stride, first)
        x = layers.ReLU(name=f"{first}_relu")(x)
        x = convolution(x, maps, conv_stride, second)
        if shortcuts:
            x = layers.Add(name=f"add{block}")([x, projection(entrance, maps, conv_stride**2, f"shortcut{block}")])
        x = layers.ReLU(name=f"{second}_relu")(x)
        x = pooling(x, f"pool{block}")
    return _classifier(inputs, x, scaled(256, width), name)


def _residual_pair(x, maps, block):
    """Two convolutions and a shortcut round them (He et al. 2016)."""
    y = layers.ReLU(name=f"block{block}_relu1")(convolution(x, maps, 1, f"block{block}_conv1"))
    y = convolution(y, maps, 1, f"block{block}_conv2")
    y = layers.Add(name=f"block{block}_add")([y, projection(x, maps, 1, f"block{block}_shortcut")])
    return layers.ReLU(name=f"block{block}_relu2")(y)


def scaled(maps, width):
    return max(1, round(maps * width))


def scaled_input(augmentation):
    inputs = keras.Input((IMAGE_SIZE, IMAGE_SIZE, 1), dtype="uint8", name="face")
    x = layers.Rescaling(1 / 255, name="scale", dtype="float32")(inputs)
    return inputs, x if augmentation is None else augmentation(x)


def convolution(x, maps, stride=1, name=None, size=3):
    x = layers.Conv2D(maps, size, strides=stride, padding="same", use_bias=False, name=name)(x)
    return normalisation(x, name)


def projection(x, maps, stride=1, name=None):
    """The shortcut's own path: the input itself, or a 1x1 convolution where shape or number of maps changes."""
    if x.shape[-1] == maps and stride == 1:
        return x
    return convolution(x, maps, stride, name, size=1)


def normalisation(x, name=None):
    return layers.BatchNormalization(momentum=0.9, name=name and f"{name}_norm")(x)


def pooling(x, name=None):
    return layers.MaxPooling2D(2, padding="same", name=name)(x)


def _classifier(inputs, x, units, name):
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(units, use_bias=False, name="dense")(x)
    x = layers.ReLU(name="dense_relu")(normalisation(x, "dense"))
    return keras.Model(inputs, softmax(x), name=name)


def softmax(x):
    # In half precision it would round the probabilities, and with them the loss.
    return layers.Dense(len(CLASS_NAMES), activation="softmax", name="expression", dtype="float32")(x)
