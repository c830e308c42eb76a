"""Trains what is missing of the grid of experiments and seeds, on this machine or on a Dask cluster."""

import os
from pathlib import Path

from fer_utils.environment import atomic_path, current_profile, progress_bar
from fer_utils.training.apart import call_apart
from fer_utils.training.build import build_network
from fer_utils.training.experiments import (
    ABLATION_ROWS,
    BEST_ROWS,
    BETWEEN_ROWS,
    EQUAL_ROWS,
    EXPERIMENTS,
    FAST_ROWS,
    REPORT_ROWS,
    ROWS,
    STRIDE_2_ROWS,
    STRONGEST,
    TAUGHT_ROWS,
    find_experiment,
    find_recipe,
)
from fer_utils.training.learned import TEACHER_SEEDS, learned_split
from fer_utils.training.loop import train, training_cost
from fer_utils.training.runs import load_run
from fer_utils.training.sharing import share_here, share_on_cluster
from fer_utils.training.store import (
    checkpoint_file,
    explain_disk,
    find_finished,
    hold,
    lock_run,
    remove_checkpoint,
    run_folder,
    store_folder,
)

BETWEEN_SHALLOW = BETWEEN_ROWS[:2]
TEACHERS = {experiment.teacher for experiment in EXPERIMENTS.values()} - {None}
BAR = "{desc} {percentage:3.0f}% of all |{bar:20}| {remaining} left{postfix}"


def list_tasks(seeds=3, experiments=()):
    """Lists [(experiment, seed)]: all tables with seeds 0, 1, ..., then with seed 0 what needs one training alone.

    These are the other stride, and what lies between the recipes for the deep network. The longer trainings of the best
    networks are for a GPU, and what learns from them needs them: they have to be named. `experiments` are names,
    instead of all these.
    All experiments come with their first seed before any comes with its second.
    Raises `ValueError` for an unknown name.
    """
    names = [find_experiment(name).name for name in experiments]
    once = [name for name in (*BETWEEN_ROWS, *STRIDE_2_ROWS) if name not in BETWEEN_SHALLOW]
    names = names or [*FAST_ROWS, *REPORT_ROWS, *ROWS, *BETWEEN_SHALLOW, *EQUAL_ROWS, *ABLATION_ROWS, BEST_ROWS[0]]
    tasks = [(name, seed) for seed in range(seeds) for name in names]
    return tasks if experiments else tasks + [(name, 0) for name in once]


def keeps_weights(experiment, seed):
    """Returns whether the trained network is kept: of the first seed, where a notebook or a photo may need it.

    Those that teach another network are kept, too.
    """
    if experiment in TEACHERS:
        return seed in TEACHER_SEEDS
    numbers_alone = (*EQUAL_ROWS, *ABLATION_ROWS, *BETWEEN_ROWS, *REPORT_ROWS[:2], *BEST_ROWS[1:], *TAUGHT_ROWS)
    return seed == 0 and (experiment == STRONGEST or experiment not in numbers_alone)


def reproduce(faces, tasks, scheduler=None, show=print):
    """Trains those of `tasks` that the store lacks, in the current profile; returns the `Run` of every task.

    One progress bar shows what is done and estimates the time left. Stopped and called again, it goes on. Processes
    that share a store share the work. Weights are kept as `keeps_weights` says. `scheduler` is the address of a Dask
    scheduler, whose workers train one run each at a time. Raises `RunError` when a run cannot be written.
    """
    store = store_folder(faces, current_profile())
    missing = [task for task in tasks if not _is_finished(task, faces, store)]
    for task in set(tasks) - set(missing):
        remove_checkpoint(run_folder(store, *task))
    show(f"{len(tasks) - len(missing)} of {len(tasks)} runs are finished")
    costs = call_apart("the costs", _find_costs, missing, faces) if missing else {}
    if scheduler:
        finished = _train_on_cluster(scheduler, faces, costs, store, show)
    else:
        finished = _train_here(faces, costs, store, show)
    for count, task in enumerate(finished, start=1):
        run = load_run(run_folder(store, *task))
        show(f"{count} of {len(missing)}: {_name(task)}, validation accuracy {run.validation_accuracy:.1%}")
    return [load_run(run_folder(store, *task)) for task in tasks]


def _is_finished(task, faces, store, show=print):
    experiment = find_experiment(task[0])
    recipe = find_recipe(experiment, current_profile())
    return bool(find_finished(run_folder(store, *task), experiment, recipe, faces, show))


def _name(task):
    return "{}, seed {}".format(*task)


def _train_here(faces, costs, store, show):
    """Yields each task of `costs` when it is finished, trained in a process of its own, which shows the bar.

    One that another process is at is left to it and looked at later.
    """
    total, done = sum(costs.values()), 0

    def do(task):
        nonlocal done
        call_apart(_name(task), _train_unless_taken, task, faces, store, total, done)
        done += costs[task]

    return share_here(costs, lambda task: run_folder(store, *task), do, show)


def _find_costs(tasks, faces):
    """Returns {task: its `training_cost`}. Called in a process of its own: a network may take a whole GPU's memory."""
    costs = {}
    for name in {name for name, _ in tasks}:
        experiment, recipe = find_experiment(name), find_recipe(name)
        network = build_network(experiment, recipe, seed=None)
        costs[name] = training_cost(network, recipe, learned_split(experiment, faces))
    return {task: costs[task[0]] for task in tasks}


def _train_unless_taken(task, faces, store, total, done):
    """Trains `task`, whose bar starts at `done` of `total`; `filelock.Timeout` if another process is at it."""
    folder = run_folder(store, *task)
    with (
        explain_disk(folder),
        lock_run(folder).acquire(timeout=0),
        progress_bar(total=total, initial=done, bar_format=BAR, mininterval=0.5, smoothing=0) as bar,
    ):
        train(task[0], faces, task[1], keep_weights=keeps_weights(*task), store=store, bar=bar)


def _train_on_cluster(scheduler, faces, costs, store, show):
    """Yields each task of `costs` as its run comes back from a worker of the Dask `scheduler` and is in the store.

    Workers that see the store write to it, so that another one goes on from the last epoch of one that died; what
    workers elsewhere have trained comes back as files.
    """
    store.mkdir(parents=True, exist_ok=True)
    with progress_bar(desc="the cluster", total=sum(costs.values()), bar_format=BAR, smoothing=0) as bar:

        def show_alone(line):
            bar.clear()
            show(line)

        arguments = costs, faces, current_profile(), str(store)
        for task, files in share_on_cluster(scheduler, _train_on_worker, *arguments, name=_name, show=show_alone):
            bar.update(costs[task])
            bar.clear()
            _keep_files(files, task, faces, store)
            yield task


def _train_on_worker(task, faces, profile, store):
    """Returns {file name: bytes} of the finished run of `task`, trained in a process that this worker starts."""
    from distributed import get_worker

    os.environ["FER_PROFILE"] = profile
    store = Path(store) if Path(store).is_dir() else Path(get_worker().local_directory) / "runs"
    return call_apart(_name(task), _train_and_read, task, faces, store)


def _train_and_read(task, faces, store):
    run = train(task[0], faces, task[1], keep_weights=keeps_weights(*task), store=store)
    return {path.name: path.read_bytes() for path in run.folder.iterdir()}


def _keep_files(files, task, faces, store):
    """Writes the run of `task` that came as `files`, unless the store has it: a worker or another process wrote it."""
    folder = run_folder(store, *task)
    with explain_disk(folder), hold(lock_run(folder), folder):
        if not _is_finished(task, faces, store, show=lambda _: None):
            with atomic_path(folder) as temporary:
                temporary.mkdir()
                for name, content in files.items():
                    (temporary / name).write_bytes(content)
        checkpoint_file(folder).unlink(missing_ok=True)
