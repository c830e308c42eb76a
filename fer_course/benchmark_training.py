"""Measures how fast networks train on this machine, beside plain Keras and the machine's matrix product."""

from dataclasses import replace

import numpy as np

from fer_utils import device
from fer_utils.data import IMAGE_SIZE, Split
from fer_utils.device import keras
from fer_utils.environment import progress_bar
from fer_utils.evaluation import MATRIX, count_in_turns, multiply_matrices, time_in_turns
from fer_utils.models import PASSES, count_multiply_adds
from fer_utils.report import (
    PLAIN,
    RACERS,
    RECIPE_ENDING,
    SHARE_ENDING,
    TRAINING_ENDING,
    TRAINING_IMAGES,
    Row,
    load_recorded,
    seconds_of_recipe,
    seconds_to_marks,
)
from fer_utils.training import (
    EQUAL_ROWS,
    EXPERIMENTS,
    Experiment,
    build_network,
    compile_network,
    find_recipe,
    fit_one_epoch,
    lesson_of_labels,
)

MEASURED_NETWORKS = "lenet_like", "vgg_like", "resnet_like"


def measure_training(faces, quick):
    """Measures images a second of training the report's networks at full width, and their share of the ceiling."""
    names = MEASURED_NETWORKS[:1] if quick else MEASURED_NETWORKS
    ceilings = time_in_turns({precision: multiply_matrices(precision) for precision in device.PRECISIONS}, 5)
    ceilings = {precision: MATRIX**3 / seconds for precision, seconds in ceilings.items()}
    rows = [Row("training", f"matrix product, {name}", speed / 1e9, "GMAC/s") for name, speed in ceilings.items()]
    for name in names:
        rows += _measure_network(name, faces, ceilings, quick)
    return rows


def _measure_network(name, faces, ceilings, quick):
    recipe = find_recipe(EXPERIMENTS["lenet_like"], "full")
    plain, augmented = EXPERIMENTS["lenet_like"], EXPERIMENTS["lenet_like_augmented"]
    steps, networks = {}, {}
    for words, experiment in (("", plain), (", augmented", augmented)):
        for precision in device.PRECISIONS:
            what = f"{name}, {precision}{words}"
            networks[what] = _build_and_compile(name, experiment.augmentation, recipe, precision)
            steps[what] = _training_step(networks[what], faces.train, recipe)
    n_images, anchor = dict.fromkeys(steps, recipe.batch_size), f"{name}, float32, plain Keras fit"
    n_images[anchor] = (20 if quick else 160) * recipe.batch_size
    steps[anchor] = _epoch_of_fit(name, faces.train, recipe, n_images[anchor])
    rates = count_in_turns(steps, 1 if quick else 3)
    speeds = {what: n_images[what] * rate for what, rate in rates.items()}
    rows = [Row("training", anchor, speeds.pop(anchor), "images/s")]
    rows += [Row("training", what, speed, "images/s", speed / rows[0].value, anchor) for what, speed in speeds.items()]
    for precision, ceiling in ceilings.items():
        what = f"{name}, {precision}"
        share = speeds[what] * PASSES * count_multiply_adds(networks[what]) / ceiling
        rows.append(Row("training", f"{what}{SHARE_ENDING}", 100 * share, "%"))
    return rows


def _build_and_compile(model, augmentation, recipe, precision):
    experiment = Experiment("measured", "", model, augmentation)
    network = build_network(experiment, recipe, precision=precision)
    compile_network(network, recipe, TRAINING_IMAGES)
    return network


def _training_step(network, split, recipe):
    """Returns a function that trains one batch, and has done so once."""
    few = Split(split.images[: recipe.batch_size], split.labels[: recipe.batch_size])
    bar = progress_bar(disable=True)

    def step():
        fit_one_epoch(network, lesson_of_labels(few), recipe, seed=0, epoch=0, bar=bar)

    step()
    return step


def _epoch_of_fit(model, split, recipe, n_images):
    """Returns a function that trains an epoch on `n_images` by Keras's own `fit` on numpy arrays, and has done so once.

    Its images are a short epoch's whole batches: nothing is traced anew, and what `fit` waits for at its end counts.
    """
    network = _build_and_compile(model, "none", recipe, device.FLOAT32)
    network.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    places = np.resize(np.arange(len(split.labels)), n_images)
    images, labels = split.images[places], split.labels[places]

    def epoch():
        network.fit(images, labels, batch_size=recipe.batch_size, verbose=0)

    epoch()
    return epoch


def measure_growth(faces, quick):
    """Measures how a training's seconds grow with images, width and depth: exponents of fitted powers."""
    recipe = find_recipe(EXPERIMENTS["lenet_like"], "full")
    widths = (0.5, 1) if quick else (0.5, 1, 2)
    depths = (2, 4) if quick else (2, 4, 8)
    n_images = 640 if quick else 2_560
    narrow = replace(recipe, width=0.5)
    network, bar = _build_and_compile("lenet_like", "none", narrow, device.FLOAT32), progress_bar(disable=True)

    def epoch(share):
        part = Split(faces.train.images[: int(share * n_images)], faces.train.labels[: int(share * n_images)])
        return lambda: fit_one_epoch(network, lesson_of_labels(part), narrow, seed=0, epoch=0, bar=bar)

    by_images = {share: epoch(share) for share in (0.25, 0.5, 1)}
    by_width = {
        width: _training_step(
            _build_and_compile("vgg_like", "none", replace(recipe, width=width), device.FLOAT32), faces.train, recipe
        )
        for width in widths
    }
    by_depth = {depth: _training_step(_build_stack(depth), faces.train, recipe) for depth in depths}
    rows = []
    for what, steps in (("images", by_images), ("width", by_width), ("depth", by_depth)):
        seconds = time_in_turns(steps, 5)  # the first rounds still build what the later ones use
        exponent = np.polyfit(np.log(list(seconds)), np.log(list(seconds.values())), 1)[0]
        rows += [Row("growth", f"{what} × {size}", 1000 * value, "ms") for size, value in seconds.items()]
        rows.append(Row("growth", f"seconds grow with {what} to the power of", float(exponent), ""))
    return rows


def _build_stack(depth):
    """Builds a network of `depth` equal convolutions of 64 maps at 12x12 places, compiled."""
    layers = keras.layers
    inputs = keras.Input((IMAGE_SIZE, IMAGE_SIZE, 1), dtype="uint8")
    x = layers.Conv2D(64, 4, strides=4)(layers.Rescaling(1 / 255)(inputs))
    for _ in range(depth):
        x = layers.Conv2D(64, 3, padding="same", activation="relu")(x)
    network = keras.Model(inputs, layers.Dense(7, activation="softmax")(layers.GlobalAveragePooling2D()(x)))
    network.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    return network


def measure_race(faces, quick):
    """Measures seconds of the full recipes, side by side, and seconds to given validation accuracies."""
    names = RACERS[-2:] if quick else RACERS
    speeds = _speeds_of_recipes(names, faces, 2 if quick else 5)
    totals = {name: seconds_of_recipe(name, speed) for name, speed in speeds.items()}
    slowest = totals["resnet_like"]
    rows = [
        Row("race", f"{name}{RECIPE_ENDING}", total, "s", slowest / total, f"resnet_like{RECIPE_ENDING}")
        for name, total in totals.items()
    ]
    for name, by_mark in seconds_to_marks({"rows": rows}, load_recorded(*names)).items():
        rows += [Row("race", f"{name} to {mark:.0%} of validation", seconds, "s") for mark, seconds in by_mark.items()]
    return rows


def _speeds_of_recipes(names, faces, seconds):
    """Measures {experiment: images a second of training in its full recipe}, in turns of some `seconds` each."""
    recipes = {name: find_recipe(EXPERIMENTS[name], "full") for name in names}
    steps = {}
    for name, recipe in recipes.items():
        network = build_network(EXPERIMENTS[name], recipe, precision=device.choose_precision())
        compile_network(network, recipe, TRAINING_IMAGES)
        steps[name] = _training_step(network, faces.train, recipe)
    return {name: recipes[name].batch_size * rate for name, rate in count_in_turns(steps, seconds).items()}


def measure_families(faces, quick):
    """Measures images a second of training each of the seven families of notebook 09, beside the plain 3x3 one."""
    names = (PLAIN, "equal_mobilenet") if quick else EQUAL_ROWS
    speeds = _speeds_of_recipes(names, faces, 1)
    anchor = speeds[PLAIN]
    return [
        Row("families", f"{name}{TRAINING_ENDING}", speed, "images/s", speed / anchor, f"{PLAIN}{TRAINING_ENDING}")
        for name, speed in speeds.items()
    ]


def first_step(faces):
    """Builds the LeNet-like network of the quick profile and trains one batch."""
    recipe = find_recipe(EXPERIMENTS["lenet_like"], "quick")
    _training_step(
        _build_and_compile("lenet_like", "none", recipe, device.choose_precision(recipe.width)), faces.train, recipe
    )
