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
from pathlib import Path

import numpy as np
import pandas as pd

from fer_course.benchmark_training import measure_families, measure_growth, measure_race, measure_training
from fer_utils import device
from fer_utils.data import IMAGE_SIZE, SPLIT_NAMES, load_faces, read_fer2013
from fer_utils.environment import PROJECT, progress_bar
from fer_utils.evaluation import time_in_turns
from fer_utils.report import Row
from fer_utils.training import find_commit, list_versions

BAR = "{desc} |{bar:20}| {elapsed} so far"


def run_benchmark(faces, quick=False):
    """Measures everything, or with `quick` a part of it in two minutes; returns facts and rows, ready for `save`."""
    measures = measure_reading, measure_training, measure_growth, measure_race, measure_families, measure_start
    rows = []
    with progress_bar(total=len(measures), bar_format=BAR, file=sys.stderr) as bar:
        for measure in measures:
            bar.set_description_str(measure.__name__.replace("_", " "))
            rows += measure(faces, quick)
            bar.update()
    facts = {"device": device.name_device(), "precision": device.choose_precision(), "dataset": faces.name}
    return {**facts, "quick": quick, "versions": list_versions(), "commit": find_commit(), "rows": rows}


def measure_reading(faces, quick):
    """Measures images a second from the text of a `fer2013.csv`, ours beside others' ways, and from the cache."""
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
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("emotion", "pixels", "Usage"))
        for usage, split in zip(SPLIT_NAMES, (faces.train, faces.validation, faces.test), strict=True):
            for image, label in zip(split.images[::every], split.labels[::every], strict=True):
                writer.writerow((label, " ".join(map(str, image.ravel().tolist())), usage))
                n_written += 1
    return n_written


def read_row_by_row(path):
    """Reads pixels uint8 (N, 48, 48) by pandas and a loop over its rows, as most public code for FER2013 reads them."""
    rows = pd.read_csv(path).iterrows()
    return np.array([np.array(row.pixels.split(), np.uint8).reshape(IMAGE_SIZE, IMAGE_SIZE) for _, row in rows])


def read_with_csv_module(path):
    """Reads pixels uint8 (N, 48, 48) by the csv module and an int() per pixel, as torchvision reads them."""
    with open(path, newline="", encoding="utf-8") as file:
        pixels = [[int(number) for number in row["pixels"].split()] for row in csv.DictReader(file)]
    return np.array(pixels, np.uint8).reshape(-1, IMAGE_SIZE, IMAGE_SIZE)


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
from fer_course.benchmark_training import first_step
first_step(faces)
print(json.dumps([imported - start, loaded - imported, time.perf_counter() - loaded]))
"""


def measure_start(faces, quick):
    """Measures the seconds from starting Python to the end of the first training step, and what they go into.

    Where that fails, a line says so, and there are no rows: what was measured before is not lost.
    """
    start = time.perf_counter()
    command = [sys.executable, "-c", FIRST_STEP]
    answer = subprocess.run(command, cwd=PROJECT, capture_output=True, encoding="utf-8")
    if answer.returncode:
        print(f"left out: Python did not get to a first step; it says:\n{answer.stderr[-1000:]}", file=sys.stderr)
        return []
    total = time.perf_counter() - start
    parts = zip(
        ("imports", "loading the faces", "building the network and one step"), json.loads(answer.stdout), strict=True
    )
    return [
        Row("start", "Python to first training step", total, "s"),
        *(Row("start", what, value, "s") for what, value in parts),
    ]
