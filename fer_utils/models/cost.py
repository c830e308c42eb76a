"""What a network costs: its multiply-adds."""

import math

from fer_utils.device import keras

layers = keras.layers


# Forward, and backward once for the maps and once for the weights: the multiply-adds of training over those of a look.
PASSES = 3
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
