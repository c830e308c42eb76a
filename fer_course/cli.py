"""The command `fer-course`: reads arguments, calls the rest, prints. Heavy imports wait inside the commands."""

import contextlib
import errno
import json
import os
import signal
import sys
import tempfile
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from fer_utils.environment import PROFILES, PROJECT

NOTEBOOKS = PROJECT / "notebooks"
BUILD = PROJECT / "build"
DISK_FULL = errno.ENOSPC, errno.EDQUOT
Profile = StrEnum("Profile", PROFILES)

app = typer.Typer(
    help="Runs the course, its trainings, and the check of the data.", no_args_is_help=True, add_completion=False
)
data_app = typer.Typer(help="Check a copy of FER2013, get one, or convert other faces.", no_args_is_help=True)
app.add_typer(data_app, name="data")

Data = Annotated[str | None, typer.Option(help="A copy of FER2013 (file or folder), or the word drawn.")]
ChosenProfile = Annotated[Profile | None, typer.Option(help="quick: minutes on two cores; full: the recorded recipe.")]
Only = Annotated[list[str] | None, typer.Option(help="A notebook's number or name, such as 03; may be repeated.")]


@app.command()
def run(data: Data = None, profile: ChosenProfile = None, only: Only = None):
    """Executes the notebooks in order and writes them as pages to build/html/index.html."""
    from fer_course.notebooks import run_notebooks
    from fer_course.stored import find_notebooks
    from fer_utils.data import load_faces

    _choose(data, profile)
    with _errors_as_messages():
        paths = find_notebooks(NOTEBOOKS, only or ())
        load_faces()
    with _stop_kindly("the pages that are finished are kept"):
        outcomes = run_notebooks(paths, BUILD, {"FER_PROGRESS": "0"}, typer.echo)
    _print_table(outcomes)
    typer.echo(f"pages: {BUILD / 'html' / 'index.html'}")
    _exit_with(outcomes)


@app.command()
def store(only: Only = None):
    """Rewrites notebooks and worked solutions with their outputs: drawn faces, quick profile, new trainings.

    All of them together are also timed, each with the trainings of those before it at hand: their heads and the
    instructor's page tell the minutes.
    """
    from fer_course.heads import insert_minutes
    from fer_course.notebooks import store_notebooks, write_times
    from fer_course.readme import INSTRUCTOR, write_readme
    from fer_course.stored import find_notebooks

    with _errors_as_messages():
        paths = find_notebooks(NOTEBOOKS, only or (), solutions=True)
    with tempfile.TemporaryDirectory() as runs:
        fixed = {"FER_DATA": "drawn", "FER_PROFILE": "quick", "FER_PROGRESS": "0", "FER_RUNS": runs}
        with _stop_kindly("the notebooks that are finished are stored, the others stay as they were"):
            outcomes = store_notebooks(paths, fixed, typer.echo)
    timed = not only and not any(outcome.failure for outcome in outcomes)
    if timed:
        from fer_utils import device  # only now: asking for a GPU takes its memory, which the notebooks need
    write_times(outcomes, NOTEBOOKS, device.name_device() if timed else None)
    if timed:
        write_readme(insert_minutes, find_notebooks(NOTEBOOKS), INSTRUCTOR)
    _print_table(outcomes)
    _exit_with(outcomes)


@app.command()
def lint(
    paths: Annotated[
        list[Path] | None, typer.Argument(metavar="[PATH]...", exists=True, help="Notebooks, or folders of them.")
    ] = None,
):
    """Looks for mistakes in the files of notebooks and worked solutions; nothing is run.

    Without a PATH it looks at all of them, each and together. The exit status is 1 if it finds anything.
    """
    from fer_course import lint as linter

    with _errors_as_messages():
        chosen = linter.list_files(paths or [NOTEBOOKS])
    problems = linter.lint(chosen) + ([] if paths else linter.find_course_problems(NOTEBOOKS))
    for problem in problems:
        typer.echo(problem)
    if problems:
        raise typer.Exit(1)
    typer.echo(f"{len(chosen)} notebooks: nothing found")


@app.command()
def badges(repository: Annotated[str, typer.Argument(metavar="OWNER/NAME", help="The repository on GitHub.")]):
    """Sets the public address: in pyproject.toml, the badges of README and notebooks, and the set-up cells."""
    from fer_course.heads import publish
    from fer_course.stored import find_notebooks

    with _errors_as_messages():
        changed = publish(repository, find_notebooks(NOTEBOOKS), PROJECT)
    for path in changed:
        typer.echo(f"changed: {path.relative_to(PROJECT)}")
    typer.echo(f"{len(changed)} files changed for {repository}")


@app.command()
def train(
    experiment: str,
    seed: int = 0,
    data: Data = None,
    profile: ChosenProfile = None,
    retrain: Annotated[bool, typer.Option("--retrain", help="Train again even if a finished run is stored.")] = False,
):
    """Trains one experiment, or shows its finished run."""
    from fer_utils.data import load_faces
    from fer_utils.training import find_experiment

    _choose(data, profile)
    with _errors_as_messages():
        find_experiment(experiment)
        faces = load_faces()
    from fer_utils import training

    with _errors_as_messages(), _stop_kindly():
        finished = training.train(experiment, faces, seed=seed, retrain=retrain)
    typer.echo(f"{finished.experiment}, seed {finished.seed}, {finished.profile} profile, {finished.dataset}")
    typer.echo(f"epochs: {len(finished.history['loss'])}, kept epoch {finished.best_epoch}")
    typer.echo(f"training: {finished.seconds / 60:.1f} min on {finished.device}")
    typer.echo(f"validation accuracy: {finished.validation_accuracy:.1%}")
    typer.echo(f"test accuracy: {finished.test_accuracy:.1%}")


@app.command()
def reproduce(
    seeds: Annotated[int, typer.Option(min=1, max=1000, help="How many seeds each row gets.")] = 3,
    experiment: Annotated[list[str] | None, typer.Option(help="Only this experiment; may be repeated.")] = None,
    scheduler: Annotated[str | None, typer.Option(help="Address of a Dask scheduler whose workers train.")] = None,
    data: Data = None,
    profile: ChosenProfile = Profile.full,
):
    """Trains what is missing of the recorded runs, three seeds each: the report's rows, and all the others.

    First the candidates for the report's own recipe, if no experiment is named.
    """
    from fer_utils.data import FER2013_FINGERPRINT

    _choose(data, profile)
    with _errors_as_messages():
        faces = _load_meant_faces()
    from fer_course import record
    from fer_course.record_layers import record_layers
    from fer_course.record_photos import record_photos
    from fer_utils import training
    from fer_utils.report import SCREENING

    full = profile == Profile.full
    with _errors_as_messages(), _stop_kindly():
        if full and not experiment:
            folder = training.store_folder(faces, "full") / SCREENING
            training.screen_candidates(training.list_candidate_trainings(), faces, folder, scheduler, typer.echo)
        runs = training.reproduce(faces, training.list_tasks(seeds, experiment or ()), scheduler, typer.echo)
    for finished in runs:
        line = f"{finished.experiment}, seed {finished.seed}: test accuracy {finished.test_accuracy:.1%}"
        typer.echo(f"{line}, {finished.seconds / 60:.1f} min on {finished.device}")
    if full and faces.fingerprint == FER2013_FINGERPRINT:
        typer.echo("what the notebooks know of the test set and of the best network is brought up to date")
        with _errors_as_messages(), _stop_kindly("all runs are kept; the same command goes on here"):
            record.record_test_set(faces)
            record_layers(faces)
            record.record_mistakes(faces)
            record_photos(faces)


def _load_meant_faces():
    """Returns the faces for a long training; `FaceDataError` if there are only the drawn ones and nobody named them."""
    from fer_utils.data import FaceDataError, load_faces

    faces = load_faces()
    if faces.name == "drawn faces" and os.environ.get("FER_DATA") != "drawn":
        raise FaceDataError("FER2013 is not in data/; name a copy with --data, or --data drawn for the drawn faces")
    return faces


@app.command()
def search(
    scheduler: Annotated[str | None, typer.Option(help="Address of a Dask scheduler whose workers train.")] = None,
    data: Data = None,
):
    """Trains what is missing of the search for the strongest network's recipe, in the full profile.

    Each change once, the better half twice; a day on two cores. Judged on PublicTest alone (notebook 10).
    """
    _choose(data, Profile.full)
    from fer_utils import training
    from fer_utils.report import load_search, tabulate_search

    with _errors_as_messages(), _stop_kindly():
        faces = _load_meant_faces()
        store = training.store_folder(faces, "full")
        training.search_recipes(faces, store / training.SEARCH_FOLDER, scheduler, typer.echo)
        typer.echo(tabulate_search(load_search(store)).to_string())


@app.command()
def rehearse(
    seeds: Annotated[int, typer.Option(min=2, max=1000, help="From how many seeds each network is trained.")] = 10,
):
    """Trains the lessons' networks on the drawn faces from several seeds: what a class will see, and how often.

    Some forty minutes on two cores for ten seeds; stopped and called again, it goes on. Writes data/rehearsal.json and
    the table of the instructor's page.
    """
    _choose("drawn", Profile.quick)
    from fer_course import rehearse as rehearsals
    from fer_course.readme import INSTRUCTOR, write_readme
    from fer_utils.data import load_faces
    from fer_utils.report import as_markdown

    with _errors_as_messages(), _stop_kindly():
        rehearsal = rehearsals.rehearse(load_faces(), seeds, typer.echo)
        write_readme(rehearsals.insert_rehearsal, rehearsal, INSTRUCTOR)
    typer.echo(as_markdown(rehearsals.tabulate_rehearsal(rehearsal)))


@app.command()
def benchmark(
    quick: Annotated[bool, typer.Option("--quick", help="A part of it, in two minutes.")] = False, data: Data = None
):
    """Measures the course's speed on this machine, beside plain Keras, other readers and the machine's ceiling.

    The whole, of half an hour, is stored in data/benchmark.json.
    """
    from fer_utils.data import load_faces

    _choose(data, None)
    with _errors_as_messages():
        faces = load_faces()
    from fer_course import benchmark as benchmarks
    from fer_utils.report import BENCHMARK, as_markdown, tabulate_benchmark
    from fer_utils.training import save_facts

    path = BUILD / "benchmark_quick.json" if quick else BENCHMARK
    with _errors_as_messages(), _stop_kindly("nothing is kept of a part of a benchmark"):
        measured = benchmarks.run_benchmark(faces, quick)
        typer.echo(as_markdown(tabulate_benchmark(measured)))
        save_facts(measured, path)
    typer.echo(f"stored in {path.relative_to(PROJECT)}; {measured['device']}, training in {measured['precision']}")


@app.command()
def results(
    readme: Annotated[bool, typer.Option("--readme", help="Write README.md and docs/results.md.")] = False,
):
    """Prints the table of the recorded runs, the report's numbers beside ours."""
    from fer_course import readme as readmes
    from fer_utils import report

    with _errors_as_messages():
        recorded = report.load_recorded()
        typer.echo(report.as_markdown(report.tabulate_results(recorded)) if any(recorded.values()) else "no runs yet")
        if readme:
            readmes.write_readme(readmes.insert_summary, recorded)
            readmes.write_readme(readmes.insert_results, recorded, readmes.RESULTS)


@app.command()
def site():
    """Builds the course as a static site in build/site/index.html, from the stored outputs (extra ``site``)."""
    from fer_course.site import build_site

    with _errors_as_messages():
        build_site(NOTEBOOKS, BUILD / "site")
    typer.echo(f"site: {BUILD / 'site' / 'index.html'}")


@app.command()
def predict(
    photos: Annotated[list[str], typer.Argument(metavar="PHOTO...", help="Photos, videos, or folders of them.")],
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON to standard output, for programs.")] = False,
    csv: Annotated[Path | None, typer.Option(metavar="FILE", help="Write a csv, a line for each face.")] = None,
    run: Annotated[
        str | None, typer.Option(metavar="EXPERIMENT/SEED", help="The network of this run; or a run's folder.")
    ] = None,
    whole: Annotated[bool, typer.Option("--whole", help="Judge each picture whole, as one face.")] = False,
):
    """Names the expression of each face in photos, with the best recorded network, and what such an answer is worth.

    A folder stands for all photos and videos in it and in its folders. Of a video a frame each half second is judged.
    The exit status is 1 if a file could not be read; the others are answered all the same.
    """
    from fer_course import predict as predicting
    from fer_utils import photo, training

    with _errors_as_messages(), contextlib.redirect_stdout(sys.stderr):  # standard output is for answers alone
        chosen = predicting.find_run(run)
        network = training.load_network(chosen)
        sources, others, pictures = predicting.list_sources(photos)
        pictures += predicting.judge_pictures(sources, network, chosen, whole)
    if run:
        typer.echo(predicting.describe_network(chosen), err=True)
    if others:
        typer.echo(predicting.describe_passed_over(others), err=True)
    if as_json:
        typer.echo(json.dumps(predicting.as_json(pictures, chosen), indent=1))
    for picture in pictures:
        if picture.error:
            typer.echo(f"error: {picture.error}", err=True)
        elif not as_json:
            typer.echo(f"{picture.title}: {photo.format_answers(picture.answers)}")
    with _errors_as_messages():  # last, so that no answer is lost with it
        if csv:
            predicting.write_csv(pictures, csv)
    raise typer.Exit(1 if any(picture.error for picture in pictures) else 0)


@app.command()
def export(
    experiment: str,
    path: Annotated[Path, typer.Argument(help="A file to write; its suffix is .keras, .tflite or .onnx.")],
):
    """Writes the recorded network of an experiment as a file that works without this package (docs/export.md)."""
    from fer_course import export as exporting
    from fer_utils.data import CLASS_NAMES

    with _errors_as_messages():
        run = exporting.export(experiment, path)
    typer.echo(f"{path}: {run.experiment}, seed {run.seed}, trained on {run.dataset}")
    typer.echo("in: uint8 (N, 48, 48, 1), grey levels from 0 to 255, not divided by 255")
    typer.echo(f"out: float32 (N, 7), the probabilities of {', '.join(CLASS_NAMES)}")


@data_app.command()
def check(path: Path):
    """Says whether PATH is FER2013; the exit status is 1 when it is not."""
    from fer_utils.data import read_fer2013

    with _errors_as_messages():
        found = read_fer2013(path)
    typer.echo(found.verdict)
    raise typer.Exit(0 if found.is_fer2013 else 1)


@data_app.command()
def convert(
    source: Path,
    target: Annotated[Path, typer.Argument(metavar="TARGET.npz")],
    resize: Annotated[bool, typer.Option("--resize", help="Take other sizes than 48×48, and colour.")] = False,
    classes: Annotated[
        list[str] | None, typer.Option("--class", metavar="NAME=EXPRESSION", help="What a class means; repeatable.")
    ] = None,
    drop: Annotated[list[str] | None, typer.Option(metavar="NAME", help="Leave a class out; repeatable.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the splits that are cut at random.")] = 0,
):
    """Turns a set of faces in almost any form into one that the course reads.

    It says what it read, changed, cut and left out. `--data TARGET.npz` then names it.
    """
    from fer_utils.data import FaceDataError
    from fer_utils.data.convert import convert as convert_set

    with _errors_as_messages():
        pairs = [pair.partition("=") for pair in classes or ()]
        if wrong := [name for name, sign, _ in pairs if not sign]:
            raise FaceDataError(f"--class {wrong[0]}: expected NAME=EXPRESSION, such as --class 1=surprise.")
        convert_set(source, target, resize, {name: word for name, _, word in pairs}, drop or (), seed, typer.echo)
    typer.echo(f"written: {target}")


@data_app.command()
def fetch():
    """Downloads FER2013 with kagglehub, an optional extra, or says how to get it by hand."""
    from fer_utils.data import fetch_fer2013

    with _errors_as_messages():
        typer.echo(f"FER2013 is in {fetch_fer2013()}")


def _choose(data, profile):
    """Hands the options on as environment variables; the kernels work in another folder, so paths become absolute."""
    if profile:
        os.environ["FER_PROFILE"] = profile.value
    if data:
        os.environ["FER_DATA"] = data
    for name in ("FER_DATA", "FER_RUNS"):
        if os.environ.get(name) not in (None, "", "drawn"):
            os.environ[name] = os.path.abspath(os.path.expanduser(os.environ[name]))


@contextlib.contextmanager
def _stop_kindly(words="all finished epochs are kept; the same command goes on there"):
    """Says what is kept when Ctrl-C or SIGTERM stops a command; exit status 1."""
    try:
        yield
    except KeyboardInterrupt:
        typer.echo(f"\nstopped; {words}", err=True)
        raise typer.Exit(1) from None


def main():
    """Runs the command; what a user, a disk or a cluster can do ends in one line, and SIGTERM as Ctrl-C does."""

    def stop(*_):
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, stop)
    try:
        app()
    except (ValueError, OSError) as error:  # what was imported outside of `_errors_as_messages`
        print(f"error: {_explain(error)}", file=sys.stderr)
        raise SystemExit(1) from None


@contextlib.contextmanager
def _errors_as_messages():
    """Ends the command with the message of an error and exit status 1, no traceback.

    That is a `ValueError` (FaceDataError is one), or what the system says of a file, an `OSError`.
    """
    try:
        yield
    except BrokenPipeError:  # who reads the output has gone: typer ends in silence
        raise
    except (ValueError, OSError) as error:
        typer.echo(f"error: {_explain(error)}", err=True)
        raise typer.Exit(1) from None


def _explain(error):
    """Returns the message of an error without control characters; that of an `OSError` names file and reason.

    Of a full disk it also says what to do.
    """
    from fer_utils.data import printable, without_controls

    if isinstance(error, OSError) and error.strerror and error.filename:
        advice = "; make room and give the same command again" if error.errno in DISK_FULL else ""
        return f"{printable(error.filename2 or error.filename)}: {error.strerror}{advice}"
    return without_controls(error)


def _print_table(outcomes):
    width = max(len(outcome.name) for outcome in outcomes)
    typer.echo(f"\n{'notebook':{width}}  minutes  cells  verdict")
    for outcome in outcomes:
        typer.echo(f"{outcome.name:{width}}  {outcome.minutes:7.1f}  {outcome.cells:5}  {outcome.verdict}")


def _exit_with(outcomes):
    raise typer.Exit(1 if any(outcome.failure for outcome in outcomes) else 0)
