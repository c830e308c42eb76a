"""Writes the head of a notebook: badges, reading and running time, the set-up cell.

Everything that needs the repository's public address gets it from one line of pyproject.toml, which `publish` sets.
The minutes of each device stand in the head itself, so that a measurement on one machine keeps those of the others.
"""

import math
import re
import tomllib

import nbformat

from fer_course.readme import insert_between
from fer_utils.environment import PROJECT, atomic_path

REPOSITORY = re.compile(r"[A-Za-z\d](?:[A-Za-z\d-]{0,38})/(?!\.)[\w.-]{1,100}(?<!\.git)", re.ASCII)
GITHUB = "https://github.com/"
BADGES_MARKS = "<!-- badges: written by `fer-course badges OWNER/NAME` -->\n", "<!-- end of badges -->\n"
COLAB_BADGE = "[![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)]"
BINDER_BADGE = "[![Open in Binder](https://mybinder.org/badge_logo.svg)]"
MINUTES_MARKS = "<!-- minutes: written by `fer-course store` -->\n", "<!-- end of minutes -->\n"
TIME = "**Time.** "
MINUTES = re.compile(r"([\d.]+) minutes? on ([^;.]+)")
DEVICES = "CPU", "GPU"
# Slow reading for prose with numbers in it; a line of code is taken to cost as much as ten words.
WORDS_A_MINUTE, LINES_A_MINUTE = 200, 20
TRAINING_CALL = re.compile(r"^[^#\n]*(?<![.\w])train(_\w+)?\(", re.MULTILINE)
# What the set-up cell asks for; by these words it is found.
IN_COLAB = '"google.colab" in sys.modules'
# Colab makes a form of it. JupyterLab hides its source; the site and the pages leave it out.
SETUP_METADATA = {"cellView": "form", "jupyter": {"source_hidden": True}, "tags": ["remove-cell"]}
SETUP = f"""\
# @title Set-up. In Colab: choose, press the arrow, then go on below. {{{{display-mode: "form"}}}}
{{imports}}

FACES = "drawn faces"  # @param ["drawn faces", "FER2013 from Kaggle", "my own copy"]
PROFILE = "quick"  # @param ["quick", "full"]
# Outside Colab the two have no meaning: there FER_DATA and FER_PROFILE choose.
if {IN_COLAB}:
    if "fer_utils" not in sys.modules:
{{get_course}}
        sys.path += [str(package.parent) for package in Path.cwd().glob("*/fer_utils")]
    from fer_utils.colab import set_up

    set_up(FACES, PROFILE)

import fer_utils.device  # noqa: E402, F401"""
CLONE_IMPORTS = "import subprocess\nimport sys\nfrom pathlib import Path"
CLONE = """\
        address = "{address}"
        if not any(Path().glob("*/fer_utils")):
            subprocess.run(["git", "clone", "--quiet", "--depth", "1", address], check=True)"""
UNPACK_IMPORTS = "import sys\nfrom pathlib import Path\nfrom shutil import unpack_archive"
UNPACK = """\
        for archive in [] if any(Path().glob("*/fer_utils")) else Path().glob("*.zip"):
            unpack_archive(archive)
        if not any(Path().glob("*/fer_utils")):
            raise FileNotFoundError("Upload the course as a zip file (Files, left); run again.")"""


def publish(repository, paths, project=PROJECT):
    """Sets the public address to the GitHub `repository` "OWNER/NAME": in pyproject, README, the notebooks at `paths`.

    The solutions, which have no head, get it in their set-up cells.
    Returns the paths of the files that changed. Nothing is written if anything is wrong: `ValueError` for another form
    of `repository`, a notebook without a set-up cell, a README without its marks.
    """
    if not REPOSITORY.fullmatch(repository):
        raise ValueError(f"{repository!r} is no GitHub repository; expected OWNER/NAME, such as octocat/fer-course")
    pyproject, readme = project / "pyproject.toml", project / "README.md"
    texts = {
        pyproject: set_repository(pyproject.read_text(encoding="utf-8"), repository),
        readme: insert_badges(readme.read_text(encoding="utf-8"), repository, paths),
    }
    for path in paths:
        notebook = nbformat.read(path, as_version=4)
        if find_setup(notebook) is None:
            raise ValueError(f"{path.name} has no set-up cell: its first code cell must ask for {IN_COLAB}")
        write_head(notebook, path.stem, repository)
        texts[path] = nbformat.writes(notebook) + "\n"
    for path in sorted((project / "notebooks" / "solutions").glob("*.ipynb")):
        notebook = nbformat.read(path, as_version=4)
        write_setup(notebook, repository)
        texts[path] = nbformat.writes(notebook) + "\n"
    changed = [path for path, text in texts.items() if path.read_text(encoding="utf-8") != text]
    for path in changed:
        with atomic_path(path) as temporary:
            temporary.write_text(texts[path], encoding="utf-8")
    return changed


def find_repository(project=PROJECT):
    """Returns the "OWNER/NAME" that pyproject names, or an empty text while the address is not known."""
    settings = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return settings.get("urls", {}).get("Repository", "").removeprefix(GITHUB)


def set_repository(text, repository):
    """Returns the `text` of pyproject.toml with this repository's address under [project.urls]; all else as it was."""
    line = f'Repository = "{GITHUB}{repository}"'
    if re.search(r"^Repository *=", text, re.MULTILINE):
        return re.sub(r"^Repository *=.*$", line, text, count=1, flags=re.MULTILINE)
    if "[project.urls]\n" in text:
        return text.replace("[project.urls]\n", f"[project.urls]\n{line}\n", 1)
    return text.replace("[project.scripts]\n", f"[project.urls]\n{line}\n\n[project.scripts]\n", 1)


def insert_badges(text, repository, paths):
    """Returns the README's `text` with badges for the first of the notebooks at `paths` and Colab links to all."""
    links = " · ".join(f"[{path.stem[:2]}]({colab_link(repository, path.stem)})" for path in paths)
    return insert_between(text, BADGES_MARKS, f"{badges(repository, paths[0].stem)}\n\nIn Colab: {links}")


def colab_link(repository, name):
    """Returns the address at which Colab opens the notebook `name` (without its suffix)."""
    return f"https://colab.research.google.com/github/{repository}/blob/main/notebooks/{name}.ipynb"


def binder_link(repository, name):
    """The address at which Binder builds the course's environment and opens the notebook `name` in JupyterLab."""
    return f"https://mybinder.org/v2/gh/{repository}/HEAD?urlpath=lab%2Ftree%2Fnotebooks%2F{name}.ipynb"


def badges(repository, name):
    """Returns one line of markdown with the Colab and the Binder badge of the notebook `name`."""
    return f"{COLAB_BADGE}({colab_link(repository, name)}) {BINDER_BADGE}({binder_link(repository, name)})"


def setup_source(repository):
    """The source of the set-up cell, the same in every notebook: it clones the repository, or finds an upload."""
    if repository:
        return SETUP.format(imports=CLONE_IMPORTS, get_course=CLONE.format(address=GITHUB + repository))
    return SETUP.format(imports=UNPACK_IMPORTS, get_course=UNPACK)


def find_setup(notebook):
    """Returns the set-up cell of `notebook`, its first code cell, or None where that is another."""
    first = next((cell for cell in notebook.cells if cell.cell_type == "code"), None)
    return first if first is not None and IN_COLAB in first.source else None


def trains(notebook):
    """Returns whether a code cell of `notebook` calls `train`."""
    return any(cell.cell_type == "code" and TRAINING_CALL.search(cell.source) for cell in notebook.cells)


def write_head(notebook, name, repository, measured=None):
    """Writes the badges and times into the title cell of the notebook `name`, and the source of its set-up cell.

    `measured` ({device: minutes of running}) is added to what the head already holds. Outputs, counts and all other
    text stay as they are.
    """
    title = notebook.cells[0]
    line = time_line(notebook, read_minutes(title.source) | (measured or {}))
    first, *rest = strip_head(title.source).split("\n\n")
    title.source = "\n\n".join([first, *([badges(repository, name)] if repository else []), line, *rest])
    write_setup(notebook, repository)


def write_setup(notebook, repository):
    """Writes source and metadata of the set-up cell of `notebook`, where there is one; it has no output."""
    if (setup := find_setup(notebook)) is not None:
        setup.source, setup.metadata = setup_source(repository), nbformat.from_dict(SETUP_METADATA)


def strip_head(source):
    """Returns the `source` of a title cell without the paragraphs that `write_head` adds."""
    return "\n\n".join(part for part in source.split("\n\n") if not part.startswith((COLAB_BADGE, TIME)))


def link_badges(source):
    """Markdown `source` with words instead of pictures from elsewhere: no page needs the network for its badges."""
    return re.sub(r"!\[([^]]*)\]\(\w+://[^)]*\)", r"\1", source)


def time_line(notebook, minutes):
    """Returns the paragraph that says how long `notebook` takes to read and, by `minutes` ({device: minutes}), to run.

    >>> notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("word " * 401)])
    >>> print(time_line(notebook, {"CPU, 2 cores": 0.7}))  # doctest: +NORMALIZE_WHITESPACE
    **Time.** Reading: 3 minutes. Running (quick profile, after the earlier notebooks): 1 minute on CPU, 2 cores;
    GPU not measured. No network is trained here: no GPU is needed.
    """
    known = [f"{_round_minutes(minutes[device])} on {device}" for device in sorted(minutes)]
    known += [f"{kind} not measured" for kind in DEVICES if not any(name.startswith(kind) for name in minutes)]
    use = "A GPU pays in the full profile." if trains(notebook) else "No network is trained here: no GPU is needed."
    reading = f"{TIME}Reading: {_round_minutes(reading_minutes(notebook))}."
    return f"{reading} Running (quick profile, after the earlier notebooks): {'; '.join(known)}. {use}"


def read_minutes(source):
    """Returns {device: minutes} from the time line in the `source` of a title cell."""
    line = next((part for part in source.split("\n\n") if part.startswith(TIME)), "")
    return {device: float(minutes) for minutes, device in MINUTES.findall(line)}


def insert_minutes(text, paths):
    """Returns a page's `text` with a table of what the heads of the notebooks at `paths` say of their minutes."""
    # Only here: they take seconds to load, and nothing else in this module needs them.
    import pandas as pd

    from fer_utils.report import as_markdown

    found = {path.stem: read_minutes(nbformat.read(path, as_version=4).cells[0].source) for path in paths}
    table = pd.DataFrame(found).T.map("{:g}".format, na_action="ignore").fillna("–").sort_index(axis=1)
    table.columns = [f"minutes on {device}" for device in table.columns]
    return insert_between(text, MINUTES_MARKS, as_markdown(table.rename_axis("quick profile, in order")))


def reading_minutes(notebook):
    """Whole minutes for the words of all prose and the lines of all code; what commands write is not counted."""
    words = lines = 0
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            words += sum(any(map(str.isalnum, word)) for word in strip_head(cell.source).split())
        elif cell.cell_type == "code" and cell is not find_setup(notebook):
            lines += sum(bool(line.strip()) for line in cell.source.splitlines())
    return math.ceil(words / WORDS_A_MINUTE + lines / LINES_A_MINUTE)


def _round_minutes(minutes):
    """Returns the minutes rounded up to halves, so that a new measurement on the same machine seldom changes the text.

    >>> [_round_minutes(minutes) for minutes in (0.1, 0.6, 1.2, 14)]
    ['0.5 minutes', '1 minute', '1.5 minutes', '14 minutes']
    """
    halves = max(math.ceil(2 * minutes) / 2, 0.5)
    return f"{halves:g} {'minute' if halves == 1 else 'minutes'}"
