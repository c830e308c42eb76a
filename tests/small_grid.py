"""For a process of its own (a grid, a Dask worker): networks built at once, short epochs, a line per record.

`SMALL_GRID_LOG` names the file that each finished training adds its experiment and seed to. Importing this module
changes nothing; `dask_setup`, which a worker that preloads the module calls by itself, does.
"""

import os
import time

from fer_utils import training
from fer_utils.experiments import RECIPES
from small_training import TINY, build_small_network


def dask_setup(worker=None):
    fit_one_epoch, record = training.fit_one_epoch, training._record

    def fit_slowly(*arguments):
        time.sleep(0.3)
        return fit_one_epoch(*arguments)

    def record_and_note(*arguments):
        run = record(*arguments)
        with open(os.environ["SMALL_GRID_LOG"], "a") as log:
            log.write(f"{run.experiment} {run.seed}\n")
        return run

    RECIPES["quick"] = TINY
    for name in training.MODELS:
        training.MODELS[name] = build_small_network
    training.fit_one_epoch, training._record = fit_slowly, record_and_note
