"""Executes notebooks in a kernel of the running Python: into pages for a reader, or in place for the repository."""

import asyncio
import contextlib
import html
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, replace

import nbformat
from ipykernel.kernelspec import RESOURCES, get_kernel_dict
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError

from fer_course.heads import find_repository, trains, write_head
from fer_course.pages import INDEX, INDEX_ROW, SOLUTIONS, as_page
from fer_utils.environment import atomic_path, progress_bar

LARGEST_STORED_NOTEBOOK = 1_000_000
KEPT_CELL_METADATA = ("tags", "reason")
STORED_METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"file_extension": ".py", "name": "python", "pygments_lexer": "ipython3"},
}
# Colab reads these and gives the notebook a GPU.
GPU_METADATA = {"accelerator": "GPU", "colab": {"gpuType": "T4"}}
WIDGET = "application/vnd.jupyter.widget-view+json"
# A path on somebody's disk: /two/parts, a well-known first folder, a Windows drive. Not the path of a web address.
ABSOLUTE_PATH = re.compile(
    r"(?<![\w.:/<~)-])/(?:[A-Za-z][\w.-]*/[\w.-]|(?:home|root|tmp|content|Users)\b)|\b[A-Za-z]:\\\w|\bfile://"
)


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


def find_notebooks(folder, only=(), solutions=False):
    """The paths NN_*.ipynb in `folder`, in order, or `only` those numbers or names; `ValueError` if one is missing.

    With `solutions`, each is followed by the notebook of the same name in `folder`/solutions, where there is one.
    """
    paths = {path.stem: path for path in sorted(folder.glob("[0-9][0-9]_*.ipynb"))}
    unknown = [word for word in only if not any(word in (name, name[:2]) for name in paths)]
    if unknown or not paths:
        wanted = ", ".join(unknown) or "NN_*.ipynb"
        raise ValueError(f"there is no notebook {wanted}; there are: {', '.join(paths) or 'none'}")
    chosen = [path for name, path in paths.items() if not only or name in only or name[:2] in only]
    if not solutions:
        return chosen
    return [path for notebook in chosen for path in (notebook, solution_of(notebook)) if path.exists()]


def solution_of(path):
    """Where the worked solutions of the notebook at `path` are, if it has any."""
    return path.parent / SOLUTIONS / path.name


def execute_notebook(path, environment):
    """(executed notebook, `Outcome`) of the notebook at `path`; the file itself is left as it is.

    It runs in its own folder, with `environment` added to the environment variables. A failing cell ends it: the
    notebook then holds the error, and the outcome the cell's number, its source and the error.
    """
    notebook = nbformat.read(path, as_version=4)
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
        on_notebook_start=_let_ctrl_c_through,
        on_cell_execute=show,
        resources={"metadata": {"path": str(path.parent)}},
    )
    client.create_kernel_manager().kernel_spec_manager = CurrentInterpreter()
    # A drawing backend of the user's own choice would keep the figures out of the notebook.
    variables = {name: value for name, value in os.environ.items() if name != "MPLBACKEND"} | environment
    start, failure = time.monotonic(), ""
    try:
        with bar:
            client.execute(env=variables, stderr=subprocess.DEVNULL)
    except (CellExecutionError, DeadKernelError) as error:
        failure = f"failed at cell {len(started)} of {total}\n{_describe_failure(started, error)}"
    _leave_out_widgets(notebook)
    return notebook, Outcome(name, (time.monotonic() - start) / 60, len(started), failure)


def _let_ctrl_c_through(notebook):
    """Takes back nbclient's handler of Ctrl-C, which would leave a half-closed kernel behind."""
    with contextlib.suppress(NotImplementedError, RuntimeError):
        asyncio.get_running_loop().remove_signal_handler(signal.SIGINT)


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
    outcomes = []
    for path in paths:
        notebook, outcome = execute_notebook(path, environment)
        show(outcome)
        outcomes.append(outcome)
        _write_text(build / "notebooks" / path.name, nbformat.writes(notebook) + "\n")
        _write_text(build / "html" / f"{path.stem}.html", as_page(notebook, path.stem))
        if (solution := solution_of(path)).exists():
            page = as_page(nbformat.read(solution, as_version=4), path.stem)
            _write_text(build / "html" / SOLUTIONS / f"{path.stem}.html", page)
    rows = [INDEX_ROW.format(**{**vars(o), "verdict": html.escape(o.verdict)}) for o in outcomes]
    _write_text(build / "html" / "index.html", INDEX.format(rows="\n".join(rows)))
    return outcomes


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


def normalise(notebook):
    """Gives `notebook` the metadata of a stored notebook, one that trains also Colab's wish for a GPU.

    Cells keep their ids, tags and reasons.
    """
    notebook.metadata = nbformat.from_dict(STORED_METADATA | (GPU_METADATA if trains(notebook) else {}))
    for cell in notebook.cells:
        for key in set(cell.metadata) - set(KEPT_CELL_METADATA):
            del cell.metadata[key]


def write_times(outcomes, folder, device=None):
    """Writes the reading time of the stored notebooks in `folder` into their heads; solutions have none.

    With the name of the `device` that ran them, also the minutes of the `outcomes`, those of the failed left out.
    """
    for outcome in outcomes:
        path = folder / f"{outcome.name}.ipynb"
        if not outcome.failure and path.parent == folder:
            notebook = nbformat.read(path, as_version=4)
            write_head(notebook, path.stem, find_repository(), {device: outcome.minutes} if device else None)
            _write_text(path, nbformat.writes(notebook) + "\n")


def find_stored_problems(notebook):
    """A line for each thing that must not be stored: an absolute path, an error, stderr output, more than 1 MB."""
    problems = []
    for number, cell in enumerate(notebook.cells, start=1):
        outputs = cell.get("outputs", [])
        kinds = {output.get("name") or output.output_type for output in outputs}
        for kind in sorted(kinds & {"stderr", "error"}):
            problems.append(f"cell {number}: found {kind} output; expected none; correct the code")
        for text in [cell.source, *output_texts(outputs)]:
            if found := ABSOLUTE_PATH.search(text):
                where = text[found.start() :][:60]
                problems.append(f"cell {number}: found an absolute path, {where!r}; expected none; make it relative")
    size = len(nbformat.writes(notebook).encode())
    if size > LARGEST_STORED_NOTEBOOK:
        expected = f"at most {LARGEST_STORED_NOTEBOOK:,}"
        problems.append(f"the file: found {size:,} bytes; expected {expected}; draw fewer or smaller figures")
    return problems


def output_texts(outputs):
    """The texts in a cell's `outputs`: streams, error messages, and each textual form of a result; no pictures."""
    texts = []
    for output in outputs:
        texts += [output.get("text"), output.get("evalue"), *output.get("traceback", [])]
        texts += [str(value) for kind, value in output.get("data", {}).items() if not kind.startswith("image/")]
    return [text for text in texts if text]


def _write_text(path, text):
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
