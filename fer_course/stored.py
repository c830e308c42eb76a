"""Says where the notebooks are, and what may be stored in them."""

import base64
import io
import re

import nbformat
from PIL import Image

from fer_course.heads import SETUP_METADATA, trains

SOLUTIONS = "solutions"
LARGEST_STORED_NOTEBOOK = 1_000_000  # bytes
KEPT_CELL_METADATA = ("tags", "reason", *SETUP_METADATA)
STORED_METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"file_extension": ".py", "name": "python", "pygments_lexer": "ipython3"},
}
# Colab reads these and gives the notebook a GPU.
GPU_METADATA = {"accelerator": "GPU", "colab": {"gpuType": "T4"}}
# TensorFlow's warnings reach stdout in a notebook; a line of waiting says that two notebooks were stored at once.
WARNING = re.compile(r"^(?:WARNING:|waiting for the process).*", re.MULTILINE)
# A path on somebody's disk: /two/parts, a well-known first folder, a Windows drive. Not the path of a web address.
ABSOLUTE_PATH = re.compile(
    r"(?<![\w.:/<~)-])/(?:[A-Za-z][\w.-]*/[\w.-]|(?:home|root|tmp|content|Users)\b)|\b[A-Za-z]:\\\w|\bfile://"
)


def find_notebooks(folder, only=(), solutions=False):
    """Finds NN_*.ipynb in `folder`, in order, or `only` those numbers or names; `ValueError` if one is missing.

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
    return [path for notebook in chosen for path in (notebook, find_solution(notebook)) if path.exists()]


def read_notebook(path):
    """Reads the notebook at `path`; `ValueError` names a file that is none."""
    try:
        return nbformat.read(path, as_version=4)
    except (ValueError, AttributeError, KeyError, TypeError, nbformat.ValidationError) as error:
        what = str(error).partition("\n")[0][:100]
        raise ValueError(f"{path.name}: found no notebook ({what}); get it again") from error


def find_solution(path):
    """Returns where the worked solutions of the notebook at `path` are, if it has any."""
    return path.parent / SOLUTIONS / path.name


def normalise(notebook):
    """Gives `notebook` the metadata of a stored notebook, one that trains also Colab's wish for a GPU.

    Cells keep their ids, tags and reasons, the set-up cell also what folds it away. Pictures keep 256 colours, which a
    figure does not show and which make its file three times smaller.
    """
    notebook.metadata = nbformat.from_dict(STORED_METADATA | (GPU_METADATA if trains(notebook) else {}))
    for cell in notebook.cells:
        for key in set(cell.metadata) - set(KEPT_CELL_METADATA):
            del cell.metadata[key]
        for output in cell.get("outputs", []):
            if picture := output.get("data", {}).get("image/png"):
                output.data["image/png"] = _reduce_colours(picture)


def _reduce_colours(png):
    """Returns a base64 PNG with a palette of at most 256 colours; one that has a palette as it is."""
    picture = Image.open(io.BytesIO(base64.b64decode(png)))
    if picture.mode == "P":
        return png
    reduced = io.BytesIO()
    picture.convert("RGB").quantize(256).save(reduced, "PNG", optimize=True)
    return base64.b64encode(reduced.getvalue()).decode()


def find_stored_problems(notebook):
    """Returns a line for each thing that must not be stored: absolute paths, errors, warnings, more than 1 MB."""
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
        for text in output_texts(outputs):
            if found := WARNING.search(text):
                where = text[found.start() :][:60]
                problems.append(f"cell {number}: found {where!r} on stdout; expected no warning; correct the code")
    size = len(nbformat.writes(notebook).encode())
    if size > LARGEST_STORED_NOTEBOOK:
        expected = f"at most {LARGEST_STORED_NOTEBOOK:,}"
        problems.append(f"the file: found {size:,} bytes; expected {expected}; draw fewer or smaller figures")
    return problems


def output_texts(outputs):
    """Returns the texts in a cell's `outputs`: streams, error messages, each textual form of a result; no pictures."""
    texts = []
    for output in outputs:
        texts += [output.get("text"), output.get("evalue"), *output.get("traceback", [])]
        texts += [str(value) for kind, value in output.get("data", {}).items() if not kind.startswith("image/")]
    return [text for text in texts if text]
