"""Executes notebooks in a kernel of the running Python: into pages for a reader, or in place for the repository."""

import asyncio
import atexit
import contextlib
import logging
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, replace

import nbformat
from ipykernel.kernelspec import RESOURCES, get_kernel_dict
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from fer_course.heads import find_repository, write_head
from fer_course.pages import make_index, make_page
from fer_course.stored import SOLUTIONS, find_solution, find_stored_problems, normalise, read_notebook
from fer_utils.environment import atomic_path, progress_bar

WIDGET = "application/vnd.jupyter.widget-view+json"


@dataclass(frozen=True)
class Outcome:
    """How one notebook went: `cells` counts the code cells that ran, `failure` is empty or says what went wrong."""

    name: str
    minutes: float
    cells: int
    failure: str = ""

    def __str__(self):
        return f"{self.name}: {self.cells} cells, {self.minutes:.1f} min, {self.failure or 'ok'}"

    @property
    def verdict(self):
        """`"ok"`, or the first line of the failure."""
        return self.failure.splitlines()[0] if self.failure else "ok"


class CurrentInterpreter(KernelSpecManager):
    """Starts the kernel of the running Python, whatever kernels called python3 the user has installed."""

    def get_kernel_spec(self, kernel_name):
        return KernelSpec(resource_dir=RESOURCES, **get_kernel_dict())


def execute_notebook(path, environment):
    """Returns (executed notebook, `Outcome`) of the notebook at `path`; the file itself is left as it is.

    It runs in its own folder, with `environment` added to the environment variables. A failing cell ends it: the
    notebook then holds the error, and the outcome the cell's number, its source and the error.
    """
    notebook = read_notebook(path)
    total = sum(cell.cell_type == "code" and bool(cell.source.strip()) for cell in notebook.cells)
    name = f"{SOLUTIONS}/{path.stem}" if path.parent.name == SOLUTIONS else path.stem
    layout = "{desc} of {total_fmt} |{bar:20}| {elapsed}"
    bar, started = progress_bar(total=total, bar_format=layout, desc=f"{name}: cell 0", file=sys.stderr), []

    def show(cell, cell_index):
        started.append(cell)
        bar.set_description_str(f"{name}: cell {len(started)}", refresh=False)
        bar.update()
        bar.refresh()

    client = NotebookClient(
        notebook,
        timeout=None,
        record_timing=False,
        store_widget_state=False,
        coalesce_streams=True,
        on_notebook_start=lambda notebook: _keep_signals(handlers),
        on_cell_execute=show,
        resources={"metadata": {"path": str(path.parent)}},
    )
    client.create_kernel_manager().kernel_spec_manager = CurrentInterpreter()
    # A drawing backend of the user's own choice would keep the figures out of the notebook.
    variables = {name: value for name, value in os.environ.items() if name != "MPLBACKEND"} | environment
    start, failure = time.monotonic(), ""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        with bar:
            client.execute(env=variables, stderr=subprocess.DEVNULL)
    except (CellExecutionError, RuntimeError) as error:  # the kernel died (`DeadKernelError`), or did not start
        failure = f"failed at cell {len(started)} of {total}\n{_describe_failure(started, error)}"
    except KeyboardInterrupt:
        logging.getLogger("asyncio").setLevel(logging.CRITICAL)  # how far the client was just then helps nobody
        _end_kernel(client)
        raise
    finally:
        _set_signals(handlers)
    _leave_out_widgets(notebook)
    return notebook, Outcome(name, (time.monotonic() - start) / 60, len(started), failure)


def _end_kernel(client):
    """Ends the kernel of a client that was interrupted now, and not once more as Python ends, with a traceback.

    The client's own way to the end may still be under way: each of the two may find that the other was there before.
    """
    atexit.unregister(client._cleanup_kernel)
    with contextlib.suppress(Exception):
        client._cleanup_kernel()


def _keep_signals(handlers):
    """Takes back nbclient's handlers of Ctrl-C and SIGTERM, which would leave a half-closed kernel behind."""
    for number in handlers:
        with contextlib.suppress(NotImplementedError, RuntimeError):
            asyncio.get_running_loop().remove_signal_handler(number)
    _set_signals(handlers)


def _set_signals(handlers):
    """Sets the `handlers`, {signal: what answers it}, which outside the main thread nobody can."""
    with contextlib.suppress(ValueError):
        for number, handler in handlers.items():
            signal.signal(number, handler)


def _leave_out_widgets(notebook):
    """Keeps of each widget the words that stand for it: without its kernel there is nothing to show or to press."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            output.get("data", {}).pop(WIDGET, None)


def _describe_failure(started, error):
    what = f"{error.ename}: {error.evalue}" if isinstance(error, CellExecutionError) else str(error)
    return f"{started[-1].source}\n\n{what}" if started else what


def run_notebooks(paths, build, environment, show=print):
    """Executes the notebooks at `paths` in order; `show`s each `Outcome` as it comes, and returns all.

    The executed copies go to the folder `build`/notebooks, a page for each to `build`/html, with an index.html. Worked
    solutions get a page as they are stored, so that links to them lead somewhere.
    """
    executed = []
    for path in paths:
        notebook, outcome = execute_notebook(path, environment)
        show(outcome)
        executed.append((notebook, outcome))
        _write_text(build / "notebooks" / path.name, nbformat.writes(notebook) + "\n")
        _write_text(build / "html" / f"{path.stem}.html", make_page(notebook, path.stem))
        if (solution := find_solution(path)).exists():
            page = make_page(read_notebook(solution), path.stem)
            _write_text(build / "html" / SOLUTIONS / f"{path.stem}.html", page)
    _write_text(build / "html" / "index.html", make_index(executed))
    return [outcome for _, outcome in executed]


def store_notebooks(paths, environment, show=print):
    """Rewrites the notebooks at `paths` with their outputs; an `Outcome` for each. One that failed stays as it was."""
    outcomes = []
    for path in paths:
        notebook, outcome = execute_notebook(path, environment)
        normalise(notebook)
        if not outcome.failure and (problems := find_stored_problems(notebook)):
            outcome = replace(outcome, failure="\n".join(["not stored", *problems]))
        if not outcome.failure:
            _write_text(path, nbformat.writes(notebook) + "\n")
        show(outcome)
        outcomes.append(outcome)
    return outcomes


def write_times(outcomes, folder, device=None):
    """Writes the reading time of the stored notebooks in `folder` into their heads; solutions have none.

    With the name of the `device` that ran them, also the minutes of the `outcomes`, those of the failed left out.
    """
    for outcome in outcomes:
        path = folder / f"{outcome.name}.ipynb"
        if not outcome.failure and path.parent == folder:
            notebook = read_notebook(path)
            write_head(notebook, path.stem, find_repository(), {device: outcome.minutes} if device else None)
            _write_text(path, nbformat.writes(notebook) + "\n")


def _write_text(path, text):
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
