"""The grid: what is missing is trained once, by whoever comes first; stopped or killed, nothing is lost."""

import errno
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock

from fer_utils.environment import PROJECT
from fer_utils.training import grid, loop, sharing
from fer_utils.training.experiments import (
    ABLATION_ROWS,
    BETWEEN_ROWS,
    EQUAL_ROWS,
    EXPERIMENTS,
    FAST_ROWS,
    REPORT_ROWS,
    ROWS,
    STRIDE_2_ROWS,
)
from fer_utils.training.grid import keeps_weights, list_tasks, reproduce
from fer_utils.training.loop import train
from fer_utils.training.recipes import Experiment
from fer_utils.training.runs import WEIGHTS, RunError, list_runs
from fer_utils.training.screening import screen_candidates
from fer_utils.training.store import store_folder
from small_grid import TASKS
from small_training import TINY, Stopped, assert_same_arrays, make_faces, must_not_train, weights_of


def silent(_):
    pass


def finished(store):
    """[(experiment, seed)] of the readable runs under the test's store."""
    runs, problems = list_runs(next(store.glob("quick-*")))
    assert problems == []
    return [(run.experiment, run.seed) for run in runs]


# --- here ---


def test_the_grid_is_the_rows_by_seeds_and_the_others_once():
    tasks = list_tasks(seeds=2)
    names = (*FAST_ROWS, *REPORT_ROWS, *ROWS, *BETWEEN_ROWS[:2], *EQUAL_ROWS, *ABLATION_ROWS, "best")
    by_seeds = [(name, seed) for seed in (0, 1) for name in names]
    assert tasks == [*by_seeds, *((row, 0) for row in (*BETWEEN_ROWS[2:], *STRIDE_2_ROWS))]
    # The longer training of the best is for a GPU and has to be named.
    assert {name for name, _ in tasks} == set(EXPERIMENTS) - {"best_long"}
    assert list_tasks(2, ["vgg_like"]) == [("vgg_like", 0), ("vgg_like", 1)]
    with pytest.raises(ValueError, match="there is no experiment 'alexnet'"):
        list_tasks(1, ["alexnet"])


def test_weights_are_kept_of_the_first_seed_of_what_is_used_later():
    assert keeps_weights("vgg_like", 0) and keeps_weights("best", 0)
    assert not keeps_weights("vgg_like", 1) and not keeps_weights("equal_vgg", 0)
    assert keeps_weights("report_vgg_like", 0) and not keeps_weights("between_vgg_like_mild", 0)


def test_what_is_missing_is_trained_and_weights_are_kept_of_seed_0(epochs, store, monkeypatch):
    reproduce(make_faces(), TASKS[:1], show=silent)
    lines = []
    runs = reproduce(make_faces(), TASKS, show=lines.append)
    assert [(run.experiment, run.seed) for run in runs] == TASKS
    assert [(run.folder / WEIGHTS).exists() for run in runs] == [True, True, False]
    assert lines[0] == "1 of 3 runs are finished" and lines[-1].startswith("2 of 2: lenet_like, seed 1, validation")
    assert epochs == [0, 1, 2] * 3
    monkeypatch.setattr(loop, "fit_epochs", must_not_train)
    assert len(reproduce(make_faces(), TASKS, show=silent)) == 3


def test_a_stopped_grid_goes_on_where_it_was(epochs, store, monkeypatch):
    go_on = loop.fit_one_epoch

    def stop_in_the_middle(*arguments):
        if len(epochs) == 5:
            raise Stopped
        return go_on(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(loop, "fit_one_epoch", stop_in_the_middle)
        with pytest.raises(Stopped):
            reproduce(make_faces(), TASKS, show=silent)
    assert finished(store) == [("lenet_like", 0)]
    reproduce(make_faces(), TASKS, show=silent)
    assert epochs == [0, 1, 2, 0, 1, 2, 0, 1, 2]


@pytest.mark.slow
def test_one_bar_shows_the_share_of_the_whole_and_the_time_left(small_network, store, monkeypatch, capsys):
    monkeypatch.setenv("FER_PROGRESS", "1")
    monkeypatch.delitem(sys.modules, "ipykernel", raising=False)
    bar = grid.progress_bar
    monkeypatch.setattr(grid, "progress_bar", lambda **options: bar(**{**options, "mininterval": 0}))
    reproduce(make_faces(), TASKS, show=silent)
    lines = capsys.readouterr().err.split("\r")
    shares = [int(line.split("%")[0].split()[-1]) for line in lines if "% of all" in line]
    assert shares == sorted(shares) and shares[0] == 0 and shares[-1] == 100
    assert any("lenet_like, seed 1" in line and " left, epoch 3/3" in line for line in lines)


def test_a_run_that_another_process_trains_is_left_to_it(epochs, store, monkeypatch):
    monkeypatch.setattr(sharing, "SECONDS_BETWEEN_LOOKS", 0.05)
    faces = make_faces()
    folder = store_folder(faces, "quick") / "lenet_like" / "seed-0"
    folder.parent.mkdir(parents=True)
    other = FileLock(folder.with_name("seed-0.lock"), thread_local=False)
    other.acquire()
    trained = []

    def look(line):
        trained.append(line)
        if len(trained) == 3:  # the first line, then two runs: only the one that is taken is left
            assert finished(store) == [("lenet_like", 1), ("vgg_like", 0)]
            threading.Timer(0.2, other.release).start()

    reproduce(faces, TASKS, show=look)
    assert [line.split(",")[0] for line in trained[1:]] == [
        "1 of 3: vgg_like",
        "2 of 3: lenet_like",
        "3 of 3: lenet_like",
    ]


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_named_and_finished_runs_stay(epochs, store, monkeypatch, error):
    write = np.savez

    def write_until_full(file, **arrays):
        if len(epochs) > 4:
            file.write(b"half")
            raise OSError(error, os.strerror(error))
        write(file, **arrays)

    with monkeypatch.context() as patch:
        patch.setattr(np, "savez", write_until_full)
        with pytest.raises(
            RunError, match=f"vgg_like, seed 0 could not be written to .*{os.strerror(error)}.*make room"
        ):
            reproduce(make_faces(), TASKS, show=silent)
    assert finished(store) == [("lenet_like", 0)]
    assert not list(store.rglob("*.tmp"))
    reproduce(make_faces(), TASKS, show=silent)
    assert epochs == [0, 1, 2, 0, 1, 1, 2, 0, 1, 2], "it goes on from the last checkpoint that could be written"


# --- several processes ---


SCRIPT = """
import small_grid
from fer_utils.training.grid import reproduce
from small_training import make_faces
small_grid.dask_setup()
reproduce(make_faces(), small_grid.TASKS)
"""


@pytest.fixture
def outside(store, tmp_path):
    """The environment of a process of its own on the test's store, and the file in which it notes what it trained."""
    log = tmp_path / "trained.log"
    log.touch()
    path = os.pathsep.join([str(PROJECT / "tests"), str(PROJECT)])
    return {**os.environ, "SMALL_GRID_LOG": str(log), "PYTHONPATH": path}, log


def start_grid(environment):
    return subprocess.Popen([sys.executable, "-c", SCRIPT], env=environment, cwd=PROJECT)


def wait_for(condition, seconds=120):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)


def kill_one_in_the_middle(processes, log):
    """Kills that of `processes` which first has an epoch behind it and another one before it; returns it."""
    pids = log.with_name(f"{log.name}.pids")
    wait_for(lambda: pids.exists() and pids.read_text().endswith("\n"))
    victim = {process.pid: process for process in processes}[int(pids.read_text().split()[0])]
    victim.kill()
    return victim


def test_two_processes_share_the_grid_and_a_killed_one_loses_nothing(outside, store):
    environment, log = outside
    processes = [start_grid(environment), start_grid(environment)]
    processes.remove(kill_one_in_the_middle(processes, log))
    assert processes[0].wait(120) == 0
    assert finished(store) == sorted(TASKS)
    assert sorted(log.read_text().split("\n")[:-1]) == sorted(f"{name} {seed}" for name, seed in TASKS)
    assert not list(store.rglob("*.unfinished.npz"))


# --- a Dask cluster ---


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def cluster(outside, tmp_path):
    """A scheduler on the loopback interface: its address, and a function that starts a worker."""
    pytest.importorskip("distributed", reason="the optional extra `cluster` is not installed")
    environment, started = outside[0], []
    address = f"tcp://127.0.0.1:{free_port()}"

    def start(*command):
        output = open(tmp_path / f"dask-{len(started)}.log", "w")
        started.append(
            subprocess.Popen(
                [sys.executable, "-m", "dask", *command], env=environment, cwd=tmp_path, stdout=output, stderr=output
            )
        )
        return started[-1]

    def start_worker(threads=1):
        options = ("--nthreads", str(threads), "--no-nanny", "--no-dashboard", "--host", "127.0.0.1")
        return start("worker", address, *options, "--preload", "small_grid")

    start("scheduler", "--host", address, "--no-dashboard")
    yield address, start_worker
    for process in started:
        process.kill()
        process.wait()


def wait_for_workers(address, count):
    from distributed import Client

    with Client(address, timeout="60s") as client:
        client.wait_for_workers(count, timeout=120)


def test_a_cluster_trains_each_run_once_though_a_worker_is_killed(cluster, outside, store, small_network, tmp_path):
    address, start_worker = cluster
    workers = [start_worker(), start_worker()]
    wait_for_workers(address, 2)
    killed = []
    killer = threading.Thread(target=lambda: killed.append(kill_one_in_the_middle(workers, outside[1])))
    killer.start()
    runs = reproduce(make_faces(), TASKS, scheduler=address, show=silent)
    killer.join()
    assert killed[0].wait(10) == -signal.SIGKILL
    assert [(run.experiment, run.seed) for run in runs] == TASKS
    assert finished(store) == sorted(TASKS)
    assert sorted(outside[1].read_text().split("\n")[:-1]) == sorted(f"{name} {seed}" for name, seed in TASKS)
    # A seed gives the same run wherever it is trained, though in the workers a thread draws random numbers.
    there = runs[1]  # the one with augmentation
    here = train(there.experiment, make_faces(), there.seed, store=tmp_path / "here")
    assert there.history == here.history
    assert_same_arrays(*(dict(np.load(run.folder / "arrays.npz")) for run in (there, here)))
    assert_same_arrays(weights_of(there), weights_of(here))


def test_runs_of_workers_that_do_not_see_the_store_come_back_as_files(tmp_path, store, epochs):
    run = loop.train("lenet_like", make_faces(), store=tmp_path / "elsewhere")
    files = {path.name: path.read_bytes() for path in run.folder.iterdir()}
    here = store_folder(make_faces(), "quick") / "lenet_like" / "seed-0"
    for _ in range(2):
        grid._keep_files(files, here)
        assert {path.name: path.read_bytes() for path in here.iterdir()} == files
    assert finished(store) == [("lenet_like", 0)]


def test_candidates_are_trained_on_a_cluster_too_and_come_back_as_numbers(cluster, small_network, tmp_path):
    address, start_worker = cluster
    start_worker()
    wait_for_workers(address, 1)
    trainings = [(name, Experiment(name, name, "lenet_like", "flip"), TINY) for name in ("one", "two")]
    lines = []
    found = screen_candidates(trainings, make_faces(), tmp_path / "there", scheduler=address, show=lines.append)
    assert lines[0].startswith("0 of 2 trainings") and len(lines) == 3
    here = screen_candidates(trainings[:1], make_faces(), tmp_path / "here", show=silent)
    assert found["one"]["history"] == here["one"]["history"] and set(found) == {"one", "two"}


def test_what_is_wrong_with_a_cluster_is_said(cluster, store):
    address, start_worker = cluster
    with pytest.raises(RunError, match="has no workers"):
        reproduce(make_faces(), TASKS, scheduler=address, show=silent)
    start_worker(threads=2)
    wait_for_workers(address, 1)
    with pytest.raises(RunError, match="--nthreads 1"):
        reproduce(make_faces(), TASKS, scheduler=address, show=silent)


def test_a_scheduler_that_is_not_there_is_named(store, monkeypatch):
    pytest.importorskip("distributed", reason="the optional extra `cluster` is not installed")
    address = f"tcp://127.0.0.1:{free_port()}"
    monkeypatch.setattr(sharing, "SECONDS_TO_CONNECT", 1)
    with pytest.raises(RunError, match=f"no Dask scheduler at {address}"):
        reproduce(make_faces(), TASKS, scheduler=address, show=silent)
    assert Path(store).exists()
