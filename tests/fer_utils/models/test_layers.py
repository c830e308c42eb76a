"""The layers that the networks share; above all that the normalisation is Keras's."""

import numpy as np
import pytest

from fer_utils.device import FLOAT32, keras
from fer_utils.models.layers import BatchNormalization, with_keras_layers
from fer_utils.models.of_report import lenet_like
from fer_utils.models.prediction import predict
from small_training import make_split

SHAPES = {"maps": (12, 7, 5, 6), "numbers": (12, 6)}


def train_steps(kind, shape, dtype="float32", trainable=True):
    """What three training steps of a normalisation of `kind` give: outputs, its variables, and an answer after them."""
    values = np.random.default_rng(0).normal(3, 2, (3, *shape)).astype("float32")
    layer = kind(momentum=0.9, dtype=dtype)
    inputs = keras.Input(shape[1:])
    network = keras.Model(inputs, layer(inputs))
    layer.trainable = trainable
    network.compile(keras.optimizers.SGD(0.5), "mse", jit_compile=False)
    outputs = []
    for batch in values:
        outputs.append(np.asarray(layer(batch, training=True), "float32"))
        network.train_on_batch(batch, batch[::-1])
    return [*outputs, *layer.get_weights(), np.asarray(network(values[0], training=False), "float32")]


@pytest.mark.filterwarnings("ignore:The model does not have any trainable weights")
@pytest.mark.parametrize("trainable", [True, False])
@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16"])
@pytest.mark.parametrize("shape", SHAPES)
def test_the_normalisation_is_keras_s(shape, dtype, trainable):
    wanted, found = (
        train_steps(kind, SHAPES[shape], dtype, trainable)
        for kind in (keras.layers.BatchNormalization, BatchNormalization)
    )
    changed = [bool((array != start).all()) for array, start in zip(found[3:7], (1, 0, 0, 1), strict=True)]
    assert changed == [trainable] * 4
    for one, other in zip(wanted, found, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-5)


def test_it_takes_one_operation_of_tensorflow_where_it_trains(monkeypatch):
    import tensorflow

    def list_operations(training):
        layer = BatchNormalization()
        layer.build((None, 4, 4, 2))
        call = tensorflow.function(lambda values: layer(values, training=training))
        graph = call.get_concrete_function(tensorflow.TensorSpec((None, 4, 4, 2), FLOAT32)).graph
        return {operation.type for operation in graph.get_operations()}

    assert "FusedBatchNormV3" in list_operations(training=True)
    assert "FusedBatchNormV3" not in list_operations(training=False)
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    assert "FusedBatchNormV3" not in list_operations(training=True)


def test_a_copy_with_keras_s_layers_answers_the_same():
    network, images = lenet_like(0.1), make_split(20, 0).images
    twin = with_keras_layers(network)
    assert any(type(layer) is BatchNormalization for layer in network.layers)
    assert [type(layer).__name__ for layer in twin.layers] == [type(layer).__name__ for layer in network.layers]
    assert all(type(layer).__module__.startswith("keras.") for layer in twin.layers)
    np.testing.assert_array_equal(predict(twin, images), predict(network, images))


def test_a_network_that_a_learner_saves_is_read_again(tmp_path):
    network, images = lenet_like(0.1), make_split(20, 0).images
    network.save(tmp_path / "network.keras")
    read = keras.saving.load_model(tmp_path / "network.keras")
    np.testing.assert_array_equal(predict(read, images), predict(network, images))
