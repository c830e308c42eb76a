"""Shares trainings out: among processes of this machine by locks, among the workers of a Dask cluster by its scheduler.

Every task is done once, by whoever comes first; what was under way when a process died is taken up by another.
"""

import os
import time
import warnings

from filelock import Timeout

from fer_utils.training.runs import RunError
from fer_utils.training.store import check_free, tell_wait

SECONDS_BETWEEN_LOOKS = 2  # at a task that another process is at
SECONDS_TO_CONNECT = 10  # to a Dask scheduler


def share_here(tasks, find_folder, do, show):
    """Yields each of `tasks` when `do(task)` has done it; what `find_folder(task)` holds is one process's at a time.

    A task that another process is at is left to it and done again later, when `do` is to find it finished; `do` raises
    `filelock.Timeout` if it comes too late. Where nothing else is left, `show` is told once for which task it waits.
    """
    waiting, told = list(tasks), set()
    while waiting:
        busy = []
        for task in waiting:
            try:
                check_free(find_folder(task))
                do(task)
            except Timeout:
                busy.append(task)
            else:
                yield task
        if busy == waiting:
            for folder in [find_folder(task) for task in busy]:
                if folder not in told:
                    show(tell_wait(folder))
                    told.add(folder)
            time.sleep(SECONDS_BETWEEN_LOOKS)
        waiting = busy


def share_on_cluster(scheduler, function, tasks, faces, *arguments):
    """Yields (task, what came back) of each of `tasks`, from the workers of the Dask `scheduler`, an address.

    They call `function(task, faces, *arguments)`, one at a time each, without progress bars. A task that a worker was
    at when it died is given to another one. Raises `RunError` if there is no such scheduler, no fit worker, or if they
    go away.
    """
    try:
        from distributed import Client, as_completed
        from distributed.client import FutureCancelledError
        from distributed.comm import CommClosedError
        from distributed.scheduler import KilledWorker
    except ImportError as error:
        raise RunError("distributed is not installed; install the optional extra `cluster` of this package") from error
    try:
        client = Client(scheduler, timeout=SECONDS_TO_CONNECT)
    except (OSError, ValueError) as error:
        raise RunError(f"there is no Dask scheduler at {scheduler} ({error})") from error
    tasks = list(tasks)
    with client:
        _check_workers(client)
        with warnings.catch_warnings(action="ignore", category=UserWarning):  # the faces are large, and so meant
            sent = client.submit(_hand_on, faces, pure=False)
        futures = {
            client.submit(_work_quietly, function, task, sent, *arguments, pure=False): place
            for place, task in enumerate(tasks)
        }
        try:
            for future in as_completed(list(futures)):
                yield tasks[futures[future]], future.result()
        except (FutureCancelledError, CommClosedError, KilledWorker) as error:
            raise RunError(
                f"the cluster at {scheduler} went away ({type(error).__name__}). All finished runs are kept; start it "
                "again and give the same command again"
            ) from error


def _check_workers(client):
    threads = client.nthreads()
    if not threads:
        raise RunError("the scheduler has no workers; start some with `dask worker ADDRESS --nthreads 1`")
    if max(threads.values()) > 1:
        raise RunError("a worker has several threads; start workers with `--nthreads 1`: one trains one run at a time")


def _hand_on(faces):
    """Returns the faces as a result of the cluster: if their worker dies they are made again; scattered data is not."""
    return faces


def _work_quietly(function, *arguments):
    os.environ["FER_PROGRESS"] = "0"
    return function(*arguments)
