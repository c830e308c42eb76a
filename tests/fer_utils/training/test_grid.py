"""The grid: what is missing is trained once, by whoever comes first; stopped or killed, nothing is lost."""

import errno
import http.server
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import CancelledError, Future
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from filelock import FileLock

import forked
import small_grid
from fer_utils.environment import PROJECT
from fer_utils.training import grid, loop, sharing
from fer_utils.training.apart import call_apart
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
)
from fer_utils.training.grid import keeps_weights, list_tasks, reproduce
from fer_utils.training.loop import train
from fer_utils.training.recipes import Experiment
from fer_utils.training.runs import WEIGHTS, RunError, list_runs
from fer_utils.training.screening import Training, screen_candidates
from fer_utils.training.store import checkpoint_file, store_folder
from small_grid import TASKS
from small_training import (
    TINY,
    Stopped,
    assert_same_arrays,
    call_here,
    make_faces,
    must_not_train,
    wait_for,
    weights_of,
)


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
    # The longer trainings of the best are for a GPU and have to be named, and what is taught needs one of them.
    assert {name for name, _ in tasks} == set(EXPERIMENTS) - {*BEST_ROWS[1:], *TAUGHT_ROWS}
    assert list_tasks(2, ["vgg_like"]) == [("vgg_like", 0), ("vgg_like", 1)]
    with pytest.raises(ValueError, match="there is no experiment 'alexnet'"):
        list_tasks(1, ["alexnet"])


def test_weights_are_kept_of_the_first_seed_of_what_is_used_later():
    assert keeps_weights("vgg_like", 0) and keeps_weights("best", 0)
    assert not keeps_weights("vgg_like", 1) and not keeps_weights("equal_vgg", 0)
    assert [keeps_weights("best_mixed", seed) for seed in range(4)] == [True, True, True, False], "the teachers"
    assert [keeps_weights(STRONGEST, seed) for seed in range(2)] == [True, False]
    assert not keeps_weights("best_long", 0) and not keeps_weights("best_taught", 0)
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


def test_the_checkpoint_of_a_finished_run_is_removed_unless_another_process_is_at_it(epochs, store):
    (run,) = reproduce(make_faces(), TASKS[:1], show=silent)
    checkpoint = checkpoint_file(run.folder)
    checkpoint.touch()  # a process that is killed when it has just written the run leaves it
    with FileLock(run.folder.with_name("seed-0.lock"), thread_local=False):
        reproduce(make_faces(), TASKS[:1], show=silent)
        assert checkpoint.exists()
    reproduce(make_faces(), TASKS[:1], show=silent)
    assert not checkpoint.exists() and epochs == [0, 1, 2]


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
    lines = []

    def look(line):
        lines.append(line)
        if line.startswith("waiting"):  # only the one that is taken is left
            assert finished(store) == [("lenet_like", 1), ("vgg_like", 0)]
            threading.Timer(0.2, other.release).start()

    reproduce(faces, TASKS, show=look)
    assert [line.split(",")[0].split(" since ")[0] for line in lines[1:]] == [
        "1 of 3: vgg_like",
        "2 of 3: lenet_like",
        "waiting for the process that trains lenet_like/seed-0",
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


def test_every_run_has_a_process_of_its_own(epochs, store, monkeypatch):
    called = []

    def call(what, *arguments):
        called.append(what)
        return call_here(what, *arguments)

    monkeypatch.setattr(grid, "call_apart", call)
    reproduce(make_faces(), TASKS, show=silent)
    assert called == ["the costs", "lenet_like, seed 0", "vgg_like, seed 0", "lenet_like, seed 1"]


@pytest.mark.slow
def test_a_run_in_a_process_of_its_own_is_recorded(log, store, monkeypatch):
    def call(what, *arguments):
        return (call_here if what == "the costs" else call_apart)(what, *arguments)

    monkeypatch.setenv("SMALL_GRID_LOG", str(log))
    monkeypatch.setattr(grid, "call_apart", call)
    monkeypatch.setattr(grid, "_train_unless_taken", small_grid.train_small)
    reproduce(make_faces(), TASKS[:1], show=silent)
    assert finished(store) == TASKS[:1]
    assert int(log.with_name(f"{log.name}.pids").read_text(encoding="utf-8")) != os.getpid()


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    """The file in which other processes note what they have trained."""
    return tmp_path_factory.mktemp("grid") / "trained.log"


@pytest.fixture(autouse=True)
def clear(log):
    log.write_text("", encoding="utf-8")
    log.with_name(f"{log.name}.pids").unlink(missing_ok=True)


def start_grid(log, scheduler=None):
    """A process that trains the grid into the test's store."""
    return forked.start(small_grid.train_grid, scheduler, env=variables(log), cwd=PROJECT)


def variables(log):
    return {**os.environ, "SMALL_GRID_LOG": str(log)}


def kill_one_in_the_middle(processes, log):
    """Kills that of `processes` which first has an epoch behind it and another one before it; returns it."""
    victim = {process.pid: process for process in processes}[wait_for_the_middle(log)]
    victim.kill()
    return victim


def wait_for_the_middle(log):
    """The number of the process that first has an epoch behind it and another one before it."""
    pids = log.with_name(f"{log.name}.pids")
    wait_for(lambda: pids.exists() and pids.read_text(encoding="utf-8").endswith("\n"))
    return int(pids.read_text(encoding="utf-8").split()[0])


def assert_each_was_trained_once(log, store):
    assert finished(store) == sorted(TASKS)
    assert sorted(log.read_text(encoding="utf-8").split("\n")[:-1]) == sorted(f"{name} {seed}" for name, seed in TASKS)


@pytest.mark.slow
def test_two_processes_share_the_grid_and_a_killed_one_loses_nothing(log, store):
    processes = [start_grid(log), start_grid(log)]
    processes.remove(kill_one_in_the_middle(processes, log))
    processes[0].join(120)
    assert processes[0].exitcode == 0
    assert_each_was_trained_once(log, store)
    assert not list(store.rglob("*.unfinished.npz"))


# --- a Dask cluster ---


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Cluster:
    """A scheduler on the loopback interface and its workers, one thread each; dead ones are replaced on request."""

    def __init__(self, log, folder):
        self.address, self.log, self.folder = f"tcp://127.0.0.1:{free_port()}", log, folder
        command = [sys.executable, "-m", "dask", "scheduler", "--host", self.address, "--no-dashboard"]
        with open(self.folder / "scheduler.log", "w", encoding="utf-8") as output:
            self.scheduler = subprocess.Popen(command, cwd=folder, stdout=output, stderr=output)
        self.workers = []

    def start_worker(self):
        options = ("--nthreads", "1", "--no-nanny", "--no-dashboard", "--host", "127.0.0.1", "--preload", "small_grid")
        arguments = self.folder / "workers.log", self.address, *options
        return forked.start(small_grid.work, *arguments, env=variables(self.log), cwd=self.folder)

    def need_workers(self, count):
        self.workers = [worker for worker in self.workers if worker.is_alive()]
        self.workers += [self.start_worker() for _ in range(count - len(self.workers))]
        from distributed import Client

        with Client(self.address, timeout="60s") as client:
            client.wait_for_workers(count, timeout=120)
        return self.workers


@pytest.fixture(scope="module")
def cluster(log, tmp_path_factory):
    pytest.importorskip("distributed", reason="the optional extra `cluster` is not installed")
    cluster = Cluster(log, tmp_path_factory.mktemp("dask"))
    yield cluster
    for worker in cluster.workers:
        worker.kill()
    cluster.scheduler.kill()
    cluster.scheduler.wait()


@pytest.mark.slow
def test_a_cluster_trains_each_run_once_though_a_worker_is_killed(cluster, log, store, small_network, tmp_path):
    workers, killed = cluster.need_workers(2), []
    killer = threading.Thread(target=lambda: killed.append(kill_one_in_the_middle(workers, log)))
    killer.start()
    runs = reproduce(make_faces(), TASKS, scheduler=cluster.address, show=silent)
    killer.join()
    killed[0].join(10)
    assert killed[0].exitcode == -signal.SIGKILL
    assert [(run.experiment, run.seed) for run in runs] == TASKS
    assert_each_was_trained_once(log, store)
    # A seed gives the same run wherever it is trained, though in the workers a thread draws random numbers.
    there = runs[1]  # the one with augmentation
    here = train(there.experiment, make_faces(), there.seed, store=tmp_path / "here")
    assert there.history == here.history
    assert_same_arrays(*(dict(np.load(run.folder / "arrays.npz")) for run in (there, here)))
    assert_same_arrays(weights_of(there), weights_of(here))


@pytest.mark.slow
def test_candidates_are_trained_on_a_cluster_too_and_come_back_as_numbers(cluster, small_network, store, tmp_path):
    cluster.need_workers(1)
    trainings = [Training(Experiment(name, name, "lenet_like", "flip"), TINY) for name in ("one", "two")]
    lines = []
    found = screen_candidates(trainings, make_faces(), tmp_path / "there", cluster.address, lines.append)
    assert lines[0].startswith("0 of 2 trainings") and len(lines) == 3
    here = screen_candidates(trainings[:1], make_faces(), tmp_path / "here", show=silent)
    assert found["one"]["history"] == here["one"]["history"] and set(found) == {"one", "two"}


@pytest.mark.slow
def test_a_killed_client_can_be_started_again(cluster, log, store):
    cluster.need_workers(1)
    client = start_grid(log, cluster.address)
    wait_for_the_middle(log)
    client.kill()
    client.join()
    assert len(reproduce(make_faces(), TASKS, scheduler=cluster.address, show=silent)) == len(TASKS)
    assert_each_was_trained_once(log, store)


@pytest.mark.slow
def test_a_killed_scheduler_is_named_and_finished_runs_are_kept(cluster, log, store):
    """The last test of this cluster."""
    cluster.need_workers(1)

    def kill_after_the_first(line):
        if line.startswith("1 of"):
            cluster.scheduler.kill()

    with pytest.raises(RunError, match=f"the cluster at {cluster.address} went away .*All finished runs are kept"):
        reproduce(make_faces(), TASKS, scheduler=cluster.address, show=kill_after_the_first)
    assert len(finished(store)) >= 1


def files_of(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_runs_of_workers_that_do_not_see_the_store_come_back_as_files(tmp_path, store, epochs, monkeypatch):
    files = files_of(loop.train("lenet_like", make_faces(), store=tmp_path / "elsewhere").folder)
    monkeypatch.setattr(grid, "share_on_cluster", lambda *_, **__: iter([(TASKS[0], files)]))
    (run,) = reproduce(make_faces(), TASKS[:1], scheduler="there", show=silent)
    assert files_of(run.folder) == files and finished(store) == TASKS[:1]


def test_a_run_that_another_process_has_finished_meanwhile_is_kept(tmp_path, store, epochs, capsys):
    faces = make_faces()
    files = files_of(loop.train("lenet_like", faces, store=tmp_path / "elsewhere").folder)
    here = loop.train("lenet_like", faces).folder
    kept = files_of(here)
    assert kept != files
    checkpoint_file(here).touch()
    taken = threading.Event()

    def hold_for_a_moment():
        with FileLock(here.with_name("seed-0.lock")):
            taken.set()
            time.sleep(0.3)

    threading.Thread(target=hold_for_a_moment).start()
    taken.wait(10)
    grid._keep_files(files, TASKS[0], faces, store_folder(faces, "quick"))
    assert "waiting for the process that trains lenet_like/seed-0 since " in capsys.readouterr().out
    assert files_of(here) == kept and not checkpoint_file(here).exists()


@pytest.mark.parametrize(("threads", "message"), [({}, "has no workers"), ({"a": 1, "b": 2}, "--nthreads 1")])
def test_what_is_wrong_with_a_cluster_is_said(threads, message):
    with pytest.raises(RunError, match=message):
        sharing._check_workers(SimpleNamespace(nthreads=lambda: threads))


@pytest.fixture
def no_patience(monkeypatch):
    pytest.importorskip("distributed", reason="the optional extra `cluster` is not installed")
    monkeypatch.setattr(sharing, "SECONDS_TO_CONNECT", 1)


def test_a_scheduler_that_is_not_there_is_named(store, no_patience):
    address = f"tcp://127.0.0.1:{free_port()}"
    with pytest.raises(RunError, match=f"no Dask scheduler at {address}"):
        reproduce(make_faces(), TASKS, scheduler=address, show=silent)
    assert Path(store).exists()


def test_a_web_server_such_as_dask_s_dashboard_is_not_waited_for(no_patience):
    class Silent(http.server.BaseHTTPRequestHandler):
        def log_message(self, *_):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Silent) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"tcp://127.0.0.1:{server.server_port}"
        with pytest.raises(RunError, match=f"no Dask scheduler at {address} .*no answer in 1 seconds"):
            sharing._connect(address)
        server.shutdown()


@pytest.mark.parametrize("address", ["tls://127.0.0.1:1", "nonsense", "foo://127.0.0.1:1"])
def test_an_address_that_cannot_be_used_is_named(no_patience, address):
    with pytest.raises(RunError, match=f"no Dask scheduler at {address} "):
        sharing._connect(address)


def test_each_time_that_no_worker_is_left_it_is_said_once(monkeypatch):
    monkeypatch.setattr(sharing, "SECONDS_BETWEEN_LOOKS", 0.01)
    future, lines = Future(), []
    looks = iter([["a"], [], [], ["b"], [], []])

    def look():
        workers = next(looks, None)
        if workers is None:
            future.set_result("done")
        return {"workers": workers}

    client = SimpleNamespace(scheduler_info=look)
    assert list(sharing._wait_for_each([future], client, "tcp://there", lines.append)) == [future]
    assert len(lines) == 2 and all("no worker of the cluster at tcp://there is left, waiting" in line for line in lines)


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (RuntimeError("Error during\nthis"), "one, seed 0 failed .*at tcp://there .*Error during this.*runs are kept"),
        (OSError(errno.ENOSPC, "No space left"), "one, seed 0 failed .*at tcp://there .*No space left.*runs are kept"),
        (CancelledError("lost"), "the cluster at tcp://there went away .*finished runs are kept"),
        (RunError("one, seed 0 could not be written"), "^one, seed 0 could not be written$"),
    ],
)
def test_what_a_cluster_raises_is_said_in_one_line(error, message):
    pytest.importorskip("distributed", reason="the optional extra `cluster` is not installed")
    future = Future()
    future.set_exception(error)
    with pytest.raises(RunError, match=message) as raised:
        sharing._read(future, "one, seed 0", "tcp://there")
    assert "\n" not in str(raised.value)
