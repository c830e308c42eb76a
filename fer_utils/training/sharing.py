"""Shares trainings out: among processes of this machine by locks, among the workers of a Dask cluster by its scheduler.

Every task is done once, by whoever comes first; what was under way when a process died is taken up by another.
"""

import asyncio
import os
import queue
import time
import warnings
from concurrent.futures import CancelledError, ThreadPoolExecutor

from filelock import Timeout

from fer_utils.training.runs import RunError
from fer_utils.training.store import check_free, tell_wait

SECONDS_BETWEEN_LOOKS = 2  # at a task that another process is at, and at the workers of a cluster
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


def share_on_cluster(scheduler, function, tasks, faces, *arguments, name, show):
    """Yields (task, what came back) of each of `tasks`, from the workers of the Dask `scheduler`, an address.

    They call `function(task, faces, *arguments)`, one at a time each, without progress bars. A task that a worker was
    at when it died is given to another one; where none is left, `show` is told that one is waited for. A `ValueError`
    of a worker is raised as it is. Raises `RunError` if there is no such scheduler or no fit worker, if they go away,
    or if a task fails in another way; then the message has its `name(task)`.
    """
    tasks = list(tasks)
    with _connect(scheduler) as client:
        _check_workers(client)
        with warnings.catch_warnings(action="ignore", category=UserWarning):  # the faces are large, and so meant
            sent = client.submit(_hand_on, faces, pure=False)
        futures = {client.submit(_work_quietly, function, task, sent, *arguments, pure=False): task for task in tasks}
        for future in _wait_for_each(futures, client, scheduler, show):
            task = futures[future]
            yield task, _read(future, name(task), scheduler)


def _connect(scheduler):
    """Returns a `Client` of the Dask `scheduler`; raises `RunError` if none answers at this address in time."""
    try:
        from distributed import Client
    except ImportError as error:
        raise RunError("distributed is not installed; install the optional extra `cluster` of this package") from error
    try:
        with ThreadPoolExecutor(1) as pool:  # in a notebook, this thread has a loop that runs already
            pool.submit(asyncio.run, _greet(scheduler)).result()
        return Client(scheduler, timeout=SECONDS_TO_CONNECT)
    except Exception as error:
        raise RunError(
            f"there is no Dask scheduler at {scheduler} that this command can use ({_in_one_line(error)}). Give the "
            'address that `dask scheduler` prints after "Scheduler at"'
        ) from error


async def _greet(scheduler):
    """Raises an error unless Dask answers at this address in time.

    `Client` itself would wait for ever where something else listens, such as the web server of Dask's dashboard.
    """
    from distributed import Security, rpc

    keys = Security().get_connection_args("client")  # for tls://
    try:
        async with asyncio.timeout(SECONDS_TO_CONNECT), rpc(scheduler, connection_args=keys) as there:
            await there.identity()
    except TimeoutError as error:
        raise TimeoutError(f"no answer in {SECONDS_TO_CONNECT} seconds") from error


def _check_workers(client):
    threads = client.nthreads()
    if not threads:
        raise RunError("the scheduler has no workers; start some with `dask worker ADDRESS --nthreads 1`")
    if max(threads.values()) > 1:
        raise RunError("a worker has several threads; start workers with `--nthreads 1`: one trains one run at a time")


def _wait_for_each(futures, client, scheduler, show):
    """Yields each of `futures` when it has ended; tells `show`, whenever the last worker has gone, what to do."""
    ended, left, told = queue.Queue(), len(futures), False
    for future in futures:
        future.add_done_callback(ended.put)
    while left:
        try:
            future = ended.get(timeout=SECONDS_BETWEEN_LOOKS)
        except queue.Empty:
            alone = not client.scheduler_info()["workers"]
            if alone and not told:
                show(
                    f"no worker of the cluster at {scheduler} is left, waiting for one; start it with `dask worker "
                    "ADDRESS --nthreads 1`. Finished runs are kept"
                )
            told = alone
        else:
            left -= 1
            yield future


def _read(future, name, scheduler):
    """Returns what a worker returned; a `RunError` names what else happened, and to which task."""
    from distributed.comm import CommClosedError

    kept = "All finished runs are kept"
    try:
        return future.result()
    except ValueError:  # a `RunError` is one: a worker's own words are clear
        raise
    except (CancelledError, CommClosedError) as error:
        raise RunError(
            f"the cluster at {scheduler} went away ({type(error).__name__}). {kept}; start it again and give the same "
            "command again"
        ) from error
    except Exception as error:
        raise RunError(
            f"{name} failed on the cluster at {scheduler} ({_in_one_line(error)}). {kept}; see that its scheduler and "
            "workers have this environment, and what they print, and give the same command again"
        ) from error


def _in_one_line(error):
    return " ".join(f"{type(error).__name__}: {error}".split())


def _hand_on(faces):
    """Returns the faces as a result of the cluster: if their worker dies they are made again; scattered data is not."""
    return faces


def _work_quietly(function, *arguments):
    os.environ["FER_PROGRESS"] = "0"
    return function(*arguments)
