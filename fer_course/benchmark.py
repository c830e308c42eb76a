"""Measures how fast the course is on this machine: one table, each row beside its anchor from the same run.

Machines differ and are noisy, so what counts are the ratios. What is compared is measured in turns, round after round,
and the median over the rounds is taken.
"""

import contextlib
import csv
import io
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from fer_course.notebooks import execute_notebook
from fer_course.readme import insert_between
from fer_utils import device
from fer_utils.data import IMAGE_SIZE, SPLIT_NAMES, Split, load_faces, read_fer2013
from fer_utils.device import keras
from fer_utils.environment import PROJECT, atomic_path, progress_bar
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
    as_markdown,
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
    find_commit,
    find_recipe,
    fit_one_epoch,
    list_runs,
    list_versions,
)

MINUTES_MARKS = "<!-- minutes: written by `fer-course benchmark` -->\n", "<!-- end of minutes -->\n"
MEASURED_NETWORKS = "lenet_like", "vgg_like", "resnet_like"
BAR = "{desc} |{bar:20}| {elapsed} so far"


def run_benchmark(faces, notebooks, quick=False):
    """Measures everything, or with `quick` a part of it in two minutes; returns facts and rows, ready for `save`.

    `notebooks` are the paths of the notebooks to time; quick times the first of them.
    """
    # The notebooks first: one that fails ends it all, and then little is lost.
    measures = (
        measure_notebooks, measure_reading, measure_training, measure_growth, measure_race, measure_families,
        measure_start,
    )  # fmt: skip
    rows = []
    with progress_bar(total=len(measures), bar_format=BAR, file=sys.stderr) as bar:
        for measure in measures:
            bar.set_description_str(measure.__name__.replace("_", " "))
            rows += measure(notebooks if measure is measure_notebooks else faces, quick)
            bar.update()
    facts = {"device": device.name_device(), "precision": device.choose_precision(), "dataset": faces.name}
    return {**facts, "quick": quick, "versions": list_versions(), "commit": find_commit(), "rows": rows}


def measure_reading(faces, quick):
    """Images per second from the text of a `fer2013.csv`, ours beside the ways others go, and from the cache."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "fer2013.csv"
        n_all = sum(len(split.labels) for split in (faces.train, faces.validation, faces.test))
        n_images = write_csv(faces, path, every=max(1, n_all // 2_000) if quick else 1)
        ways = {
            "row by row": lambda: read_row_by_row(path),
            "csv module and int()": lambda: read_with_csv_module(path),
            "pandas, the text alone": lambda: pd.read_csv(path),
            "read_fer2013": lambda: read_fer2013(path),
        }
        speeds = {way: n_images / seconds for way, seconds in time_in_turns(ways, 3 if quick else 2).items()}
    with contextlib.redirect_stdout(io.StringIO()):
        seconds = time_in_turns({"load_faces": load_faces}, 3)["load_faces"]
    rows = [Row("reading", way, speed, "images/s") for way, speed in speeds.items() if way != "read_fer2013"]
    for way, speed in (("read_fer2013", speeds["read_fer2013"]), ("load_faces, cached", n_all / seconds)):
        rows += [Row("reading", way, speed, "images/s", speed / row.value, row.what) for row in rows[:3]]
    return rows


def write_csv(faces, path, every=1):
    """Writes every so many-th image of `faces` in the form of `fer2013.csv`; returns how many these are."""
    n_written = 0
    with open(path, "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("emotion", "pixels", "Usage"))
        for usage, split in zip(SPLIT_NAMES, (faces.train, faces.validation, faces.test), strict=True):
            for image, label in zip(split.images[::every], split.labels[::every], strict=True):
                writer.writerow((label, " ".join(map(str, image.ravel().tolist())), usage))
                n_written += 1
    return n_written


def read_row_by_row(path):
    """Pixels uint8 (N, 48, 48) by pandas and a loop over its rows, as most public code for FER2013 reads them."""
    rows = pd.read_csv(path).iterrows()
    return np.array([np.array(row.pixels.split(), np.uint8).reshape(IMAGE_SIZE, IMAGE_SIZE) for _, row in rows])


def read_with_csv_module(path):
    """Pixels uint8 (N, 48, 48) by the csv module and an int() per pixel, as torchvision reads them."""
    with open(path, newline="") as file:
        pixels = [[int(number) for number in row["pixels"].split()] for row in csv.DictReader(file)]
    return np.array(pixels, np.uint8).reshape(-1, IMAGE_SIZE, IMAGE_SIZE)


def measure_training(faces, quick):
    """Images per second of training the report's networks at full width, and the share of what the machine can do."""
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
    speeds = {what: recipe.batch_size * rate for what, rate in count_in_turns(steps, 1 if quick else 3).items()}
    anchor = f"{name}, float32, plain Keras fit"
    rows = [Row("training", anchor, _speed_of_fit(name, faces.train, recipe, quick), "images/s")]
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
        fit_one_epoch(network, few, recipe, seed=0, epoch=0, bar=bar)

    step()
    return step


def _speed_of_fit(model, split, recipe, quick):
    """Returns the images per second of one epoch of Keras's own `fit` on numpy arrays, with all that it waits for."""
    network = _build_and_compile(model, "none", recipe, device.FLOAT32)
    network.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    n_images = 2_500 if quick else len(split.labels)
    network.fit(split.images[:256], split.labels[:256], batch_size=recipe.batch_size, verbose=0)
    start = time.perf_counter()
    network.fit(split.images[:n_images], split.labels[:n_images], batch_size=recipe.batch_size, verbose=0)
    return n_images / (time.perf_counter() - start)


def measure_growth(faces, quick):
    """Returns how a training's seconds grow with images, width and depth: exponents of fitted powers."""
    recipe = find_recipe(EXPERIMENTS["lenet_like"], "full")
    widths = (0.5, 1) if quick else (0.5, 1, 2)
    depths = (2, 4) if quick else (2, 4, 8)
    n_images = 640 if quick else 2_560
    narrow = replace(recipe, width=0.5)
    network, bar = _build_and_compile("lenet_like", "none", narrow, device.FLOAT32), progress_bar(disable=True)

    def epoch(share):
        part = Split(faces.train.images[: int(share * n_images)], faces.train.labels[: int(share * n_images)])
        return lambda: fit_one_epoch(network, part, narrow, seed=0, epoch=0, bar=bar)

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
    """Returns a network of `depth` equal convolutions of 64 maps at 12x12 places, compiled."""
    layers = keras.layers
    inputs = keras.Input((IMAGE_SIZE, IMAGE_SIZE, 1), dtype="uint8")
    x = layers.Conv2D(64, 4, strides=4)(layers.Rescaling(1 / 255)(inputs))
    for _ in range(depth):
        x = layers.Conv2D(64, 3, padding="same", activation="relu")(x)
    network = keras.Model(inputs, layers.Dense(7, activation="softmax")(layers.GlobalAveragePooling2D()(x)))
    network.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    return network


def measure_race(faces, quick):
    """Seconds of the full recipes on this machine, side by side, and seconds to given validation accuracies."""
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
    """{experiment: images a second of training in its full recipe}, measured in turns of some `seconds` each."""
    recipes = {name: find_recipe(EXPERIMENTS[name], "full") for name in names}
    steps = {}
    for name, recipe in recipes.items():
        network = build_network(EXPERIMENTS[name], recipe, precision=device.choose_precision())
        compile_network(network, recipe, TRAINING_IMAGES)
        steps[name] = _training_step(network, faces.train, recipe)
    return {name: recipes[name].batch_size * rate for name, rate in count_in_turns(steps, seconds).items()}


def measure_families(faces, quick):
    """Returns the images per second of training each of the seven families of notebook 09, beside the plain 3x3 one."""
    names = (PLAIN, "equal_mobilenet") if quick else EQUAL_ROWS
    speeds = _speeds_of_recipes(names, faces, 1)
    anchor = speeds[PLAIN]
    return [
        Row("families", f"{name}{TRAINING_ENDING}", speed, "images/s", speed / anchor, f"{PLAIN}{TRAINING_ENDING}")
        for name, speed in speeds.items()
    ]


FIRST_STEP = """
import time
start = time.perf_counter()
import contextlib, io, json
from fer_utils import training
imported = time.perf_counter()
from fer_utils.data import load_faces
with contextlib.redirect_stdout(io.StringIO()):
    faces = load_faces()
loaded = time.perf_counter()
from fer_course.benchmark import first_step
first_step(faces)
print(json.dumps([imported - start, loaded - imported, time.perf_counter() - loaded]))
"""


def measure_start(faces, quick):
    """Returns the seconds from starting Python to the end of the first training step, and what they go into."""
    start = time.perf_counter()
    answer = subprocess.run([sys.executable, "-c", FIRST_STEP], cwd=PROJECT, capture_output=True, text=True, check=True)
    total = time.perf_counter() - start
    parts = zip(
        ("imports", "loading the faces", "building the network and one step"), json.loads(answer.stdout), strict=True
    )
    return [
        Row("start", "Python to first training step", total, "s"),
        *(Row("start", what, value, "s") for what, value in parts),
    ]


def first_step(faces):
    """Builds the LeNet-like network of the quick profile and trains one batch."""
    recipe = find_recipe(EXPERIMENTS["lenet_like"], "quick")
    _training_step(
        _build_and_compile("lenet_like", "none", recipe, device.choose_precision(recipe.width)), faces.train, recipe
    )


def measure_notebooks(paths, quick):
    """Minutes of each notebook in order (drawn faces, quick profile), and which share of them is training."""
    rows = []
    with tempfile.TemporaryDirectory() as store:
        fixed = {"FER_DATA": "drawn", "FER_PROFILE": "quick", "FER_PROGRESS": "0", "FER_RUNS": store}
        trained = 0.0
        for path in paths[:1] if quick else paths:
            _, outcome = execute_notebook(path, fixed)
            before, trained = (
                trained,
                sum(run.seconds for folder in Path(store).glob("*") for run in list_runs(folder)[0]),
            )
            if outcome.failure:
                raise RuntimeError(f"{outcome.name} {outcome.failure}")
            share = 100 * (trained - before) / (60 * outcome.minutes)
            rows.append(Row("notebooks", outcome.name, outcome.minutes, "min"))
            rows.append(Row("notebooks", f"{outcome.name}: training", share, "%"))
    return rows


def insert_minutes(text, measured):
    """Returns `text` with a table of the notebooks' minutes, as `measured`, between its two marks."""
    values = {row.what: row.value for row in measured["rows"] if row.part == "notebooks"}
    names = [name for name in values if f"{name}: training" in values]
    table = pd.DataFrame(
        {
            "minutes": [f"{values[name]:.1f}" for name in names],
            "of which training": [f"{values[f'{name}: training']:.0f} %" for name in names],
        },
        index=pd.Index(names, name=f"quick profile, in order, {measured['device']}"),
    )
    return insert_between(text, MINUTES_MARKS, as_markdown(table))


def save(measured, path):
    """Writes the answer of `run_benchmark` to `path` as json, all or nothing."""
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")
