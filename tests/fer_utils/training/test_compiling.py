"""What a recipe says of the loss and the optimiser."""

import dataclasses

import numpy as np
import pytest

from fer_utils.device import keras
from fer_utils.training.build import NETWORKS, build_network
from fer_utils.training.compiling import compile_network
from fer_utils.training.experiments import find_experiment
from small_training import TINY, build_small_network


def test_label_smoothing_and_dropout_come_from_the_recipe(small_network):
    recipe = dataclasses.replace(TINY, label_smoothing=0.1, dropout=0.5)
    network = build_network(find_experiment("lenet_like"), recipe)
    assert network.get_layer("dropout").rate == 0.5
    compile_network(network, recipe, 96)
    sure = np.eye(7, dtype=np.float32)[:1]
    smoothed = float(network.loss(sure, np.clip(sure, 1e-3, 1)))
    compile_network(network, TINY, 96)
    assert smoothed > 0.3 > float(network.loss(sure, np.clip(sure, 1e-3, 1)))


def test_momentum_puts_gradient_descent_in_adam_s_place():
    network = build_small_network(1.0)
    compile_network(network, dataclasses.replace(TINY, momentum=0.9, weight_decay=0.01), 64)
    optimizer = network.optimizer
    assert isinstance(optimizer, keras.optimizers.SGD) and optimizer.nesterov
    assert (optimizer.momentum, optimizer.weight_decay) == (0.9, 0.01)


def test_tensorflow_traces_the_step_once(monkeypatch):
    network, traces = build_small_network(0.1), []
    compile_network(network, dataclasses.replace(TINY, weight_decay=0.1, ema_decay=0.9), 32)
    step = network.train_step
    monkeypatch.setattr(network, "train_step", lambda batch: traces.append(batch) or step(batch))
    network.make_train_function()
    images, wanted = np.zeros((32, 48, 48, 1), np.uint8), np.eye(7, dtype=np.float32)[np.zeros(32, int)]
    told = [network.train_function(iter([(images, wanted, None)])) for _ in range(3)]
    assert len(traces) == 1
    assert told[2]["loss"] < told[0]["loss"]


@pytest.mark.parametrize("extra", [{}, {"momentum": 0.9}, {"optimizer": "rmsprop"}], ids=str)
@pytest.mark.parametrize("decays", ["all", "kernels"])
def test_weight_decay_spares_all_but_the_kernels_where_the_recipe_says_so(decays, extra):
    network = NETWORKS["efficientnet"](width=0.25)  # with biases, and filters of single maps
    recipe = dataclasses.replace(TINY, learning_rate=0.1, schedule="constant", weight_decay=0.5, decays=decays, **extra)
    compile_network(network, recipe, 64)
    for variable in network.trainable_variables:
        variable.assign(np.ones(variable.shape))
    network.optimizer.apply([keras.ops.zeros(variable.shape) for variable in network.trainable_variables])
    left = {"kernel": set(), "gamma": set(), "beta": set(), "bias": set()}
    for variable in network.trainable_variables:
        left[variable.name] |= set(np.unique(variable.numpy().round(6)))
    spared = 1.0 if decays == "kernels" else 0.95
    assert left == {"kernel": {np.float32(0.95)}, **dict.fromkeys(("gamma", "beta", "bias"), {np.float32(spared)})}
