"""Trains what is missing of the grid of experiments and seeds, on this machine or on a Dask cluster."""

import contextlib
import functools
import os
import time
import warnings
from pathlib import Path

from filelock import Timeout

from fer_utils.environment import atomic_path, current_profile, progress_bar
from fer_utils.training.build import build_network
from fer_utils.training.experiments import (
    ABLATION_ROWS,
    BEST_ROWS,
    EQUAL_ROWS,
    FAST_ROWS,
    ROWS,
    STRIDE_2_ROWS,
    find_experiment,
    find_recipe,
)
from fer_utils.training.loop import count_as_done, train, training_cost
from fer_utils.training.runs import RunError, load_run
from fer_utils.training.store import find_finished, lock_run, run_folder, store_folder

BAR = "{desc} {percentage:3.0f}% of all |{bar:20}| {remaining} left{postfix}"
SECONDS_BETWEEN_LOOKS = 2  # at a run that another process is training
SECONDS_TO_CONNECT = 10  # to a Dask scheduler


def list_tasks(seeds=3, experiments=()):
    """Lists [(experiment, seed)]: all tables with seeds 0, 1, ..., then the other stride with seed 0.

    The longer training of the best network is for a GPU and has to be named. `experiments` are names, instead of these.
    All experiments come with their first seed before any comes with its second.
    Raises `ValueError` for an unknown name.
    """
    names = [find_experiment(name).name for name in experiments]
    names = names or [*FAST_ROWS, *ROWS, *EQUAL_ROWS, *ABLATION_ROWS, BEST_ROWS[0]]
    tasks = [(name, seed) for seed in range(seeds) for name in names]
    return tasks if experiments else tasks + [(name, 0) for name in STRIDE_2_ROWS]


def keeps_weights(experiment, seed):
    """Returns whether the trained network is kept: of the first seed, where a notebook or a photo may need it."""
    return seed == 0 and experiment not in (*EQUAL_ROWS, *ABLATION_ROWS)


def reproduce(faces, tasks, scheduler=None, show=print):
    """Trains those of `tasks` that the store lacks, in the current profile; returns the `Run` of every task.

    One progress bar shows what is done and estimates the time left. Stopped and called again, it goes on. Processes
    that share a store share the work. Weights are kept as `keeps_weights` says. `scheduler` is the address of a Dask
    scheduler, whose workers train one run each at a time. Raises `RunError` when a run cannot be written.
    """
    store = store_folder(faces, current_profile())
    experiments = {name: find_experiment(name) for name, _ in tasks}
    recipes = {name: find_recipe(experiment, current_profile()) for name, experiment in experiments.items()}
    costs = {
        name: training_cost(build_network(experiments[name], recipe, seed=None), recipe, faces)
        for name, recipe in recipes.items()
    }
    missing = [
        (name, seed)
        for name, seed in tasks
        if not find_finished(run_folder(store, name, seed), experiments[name], recipes[name], faces)
    ]
    show(f"{len(tasks) - len(missing)} of {len(tasks)} runs are finished")
    total = sum(costs[name] for name, _ in missing)
    with progress_bar(total=total, bar_format=BAR, mininterval=0.5, smoothing=0) as bar:
        if scheduler:
            finished = _train_on_cluster(scheduler, faces, missing, store)
        else:
            finished = _train_here(faces, missing, store, bar)
        reached = 0
        for count, (name, seed) in enumerate(finished, start=1):
            reached += costs[name]
            # What came from elsewhere says how fast a cluster is, and nothing about this machine.
            move = bar.update if scheduler else functools.partial(count_as_done, bar)
            move(reached - bar.n)
            run = load_run(run_folder(store, name, seed))
            bar.clear()
            show(f"{count} of {len(missing)}: {name}, seed {seed}, validation accuracy {run.validation_accuracy:.1%}")
    return [load_run(run_folder(store, *task)) for task in tasks]


def _train_here(faces, tasks, store, bar):
    """Yields each task as it is finished; one that another process is training is left to it and looked at later."""
    waiting = list(tasks)
    while waiting:
        busy = []
        for task in waiting:
            lock = lock_run(run_folder(store, *task))
            try:
                with lock.acquire(timeout=0), _explain_disk(task, store):
                    train(task[0], faces, task[1], keep_weights=keeps_weights(*task), store=store, bar=bar)
            except Timeout:
                busy.append(task)
            else:
                yield task
        if busy == waiting:
            bar.set_description_str("waiting for another process")
            time.sleep(SECONDS_BETWEEN_LOOKS)
        waiting = busy


@contextlib.contextmanager
def _explain_disk(task, store):
    """Turns what the disk raises while the run of `task` is written into a `RunError` that names both."""
    try:
        yield
    except OSError as error:
        name, seed = task
        raise RunError(
            f"{name}, seed {seed} could not be written to {store}: {error.strerror or error}. "
            "All finished runs are kept; make room and give the same command again"
        ) from error


def _train_on_cluster(scheduler, faces, tasks, store):
    """Yields each task as its run comes back from a worker of the Dask `scheduler` and is in the store.

    A run that a worker was at when it died is given to another one. Workers that see the store write to it, so that the
    other one goes on from the last epoch; what workers elsewhere have trained comes back as files.
    """
    try:
        from distributed import Client, as_completed
    except ImportError as error:
        raise RunError("distributed is not installed; install the optional extra `cluster` of this package") from error
    store.mkdir(parents=True, exist_ok=True)
    try:
        client = Client(scheduler, timeout=SECONDS_TO_CONNECT)
    except (OSError, ValueError) as error:
        raise RunError(f"there is no Dask scheduler at {scheduler} ({error})") from error
    with client:
        _check_workers(client)
        with warnings.catch_warnings(action="ignore", category=UserWarning):  # the faces are large, and so meant
            sent = client.submit(_hand_on, faces, pure=False)
        futures = {
            client.submit(_train_on_worker, task, sent, current_profile(), str(store), pure=False): task
            for task in tasks
        }
        for future in as_completed(list(futures)):
            task = futures[future]
            folder = run_folder(store, *task)
            files = future.result()
            with lock_run(folder), _explain_disk(task, store):
                _keep_files(files, folder)
            yield task


def _check_workers(client):
    threads = client.nthreads()
    if not threads:
        raise RunError("the scheduler has no workers; start some with `dask worker ADDRESS --nthreads 1`")
    if max(threads.values()) > 1:
        raise RunError("a worker has several threads; start workers with `--nthreads 1`: one trains one run at a time")


def _hand_on(faces):
    """Returns the faces as a result of the cluster: if their worker dies they are made again; scattered data is not."""
    return faces


def _train_on_worker(task, faces, profile, store):
    """Returns {file name: bytes} of the finished run of `task`, trained in this worker's process."""
    from distributed import get_worker

    os.environ.update(FER_PROFILE=profile, FER_PROGRESS="0")
    store = Path(store) if Path(store).is_dir() else Path(get_worker().local_directory) / "runs"
    run = train(task[0], faces, task[1], keep_weights=keeps_weights(*task), store=store)
    return {path.name: path.read_bytes() for path in run.folder.iterdir()}


def _keep_files(files, folder):
    """Writes a run that came as `files`, unless the worker has put the same run there already."""
    if folder.is_dir() and files == {path.name: path.read_bytes() for path in folder.iterdir()}:
        return
    with atomic_path(folder) as temporary:
        temporary.mkdir()
        for name, content in files.items():
            (temporary / name).write_bytes(content)
