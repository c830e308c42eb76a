"""For a process of its own (a grid, a Dask worker): networks built at once, short epochs, a line per record.

`SMALL_GRID_LOG` names the file that each finished training adds its experiment and seed to; a file beside it, .pids,
gets the number of each process that has a first epoch behind it. A thread draws random numbers all the time, on which
no training may depend. Importing this module changes nothing; `dask_setup` does, which a worker that preloads it calls.
The processes train themselves: each one more would have to import TensorFlow first.
"""

import os
import threading
import time

from fer_utils.training import grid, loop, screening
from fer_utils.training.build import NETWORKS
from fer_utils.training.experiments import RECIPES
from small_training import TINY, build_small_network, call_here, draw_numbers, leave_graphs_as_traced, make_faces

GRID_TRAINS = grid._train_unless_taken
TASKS = [("lenet_like", 0), ("vgg_like", 0), ("lenet_like", 1)]


def dask_setup(worker=None):
    leave_graphs_as_traced()
    fit_one_epoch, record = loop.fit_one_epoch, loop._record
    grid.call_apart = screening.call_apart = call_here

    def fit_slowly(network, lesson, recipe, seed, epoch, bar):
        if epoch == 1:
            with open(f"{os.environ['SMALL_GRID_LOG']}.pids", "a", encoding="utf-8") as log:
                log.write(f"{os.getpid()}\n")
        time.sleep(0.5)
        return fit_one_epoch(network, lesson, recipe, seed, epoch, bar)

    def record_and_note(*arguments):
        run = record(*arguments)
        with open(os.environ["SMALL_GRID_LOG"], "a", encoding="utf-8") as log:
            log.write(f"{run.experiment} {run.seed}\n")
        return run

    threading.Thread(target=draw_numbers, args=(threading.Event(),), daemon=True).start()
    RECIPES["quick"] = TINY
    for name in NETWORKS:
        NETWORKS[name] = build_small_network
    loop.fit_one_epoch, loop._record = fit_slowly, record_and_note


def train_small(*arguments):
    """Does what the grid does in a process of its own, there, with small trainings."""
    dask_setup()
    return GRID_TRAINS(*arguments)


def train_grid(scheduler):
    """Trains the small grid into this process's store, on the cluster at `scheduler` unless it is None."""
    dask_setup()
    grid.reproduce(make_faces(), TASKS, scheduler=scheduler, show=lambda line: None)


def work(log, *options):
    """Is `dask worker` with these `options`, which writes to the file `log`."""
    from distributed.cli.dask_worker import main

    for stream in (1, 2):
        os.dup2(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND), stream)
    main(options)
