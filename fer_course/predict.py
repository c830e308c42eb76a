"""What `fer-course predict` does: photos, folders and videos in; answers as text, JSON or csv out."""

import csv
import os
from pathlib import Path
from typing import NamedTuple

from fer_utils import photo
from fer_utils.data import CLASS_NAMES
from fer_utils.environment import DATA, atomic_path, expand_home, progress_bar
from fer_utils.report import find_best, load_recorded
from fer_utils.training import RunError, find_experiment, load_run

FACTS = ("photo", "second", "face", "left", "top", "side", "class", "probability")
COLUMNS = (*FACTS, *CLASS_NAMES, "share_right", "note")


class Picture(NamedTuple):
    """A photo, or a frame of a video, and what was found in it."""

    path: str
    second: float | None  # of the frame, from the video's start
    answers: list  # of `Answer`
    error: str | None  # why the file could not be read

    @property
    def title(self):
        """The name for a reader, without control characters."""
        name = photo.show_path(self.path)
        return name if self.second is None else f"{name} at {self.second:.1f} s"


def find_run(named):
    """Returns the `Run` that `named` means: EXPERIMENT/SEED, the path of its folder, or None for the best recorded one.

    EXPERIMENT/SEED is looked for among one's own trainings first, then among the recorded ones. Raises `ValueError` if
    there is none, or more than one.
    """
    if named is None:
        return find_best(load_recorded())
    folder = expand_home(named)
    if (folder / "run.json").exists():
        return load_run(folder)
    experiment, _, seed = named.partition("/")
    seed = seed.removeprefix("seed-")
    if not seed.isdigit():
        raise RunError(
            f"--run {named}: found no run there; expected EXPERIMENT/SEED, such as best/0, or a run's folder."
        )
    place = Path(find_experiment(experiment).name, f"seed-{seed}")
    stores = sorted(expand_home(os.environ.get("FER_RUNS") or DATA / "my_runs").glob("*/"))
    found = [store / place for store in stores if (store / place / "run.json").exists()]
    if len(found) > 1:
        paths = ", ".join(str(path) for path in found)
        raise RunError(f"--run {named}: found {len(found)} trainings; expected one. Name its folder: {paths}.")
    folder = found[0] if found else DATA / "runs" / place
    if not folder.exists():
        advice = f"Train it: `fer-course train {experiment} --seed {seed}`"
        raise RunError(f"--run {named}: found no training of it; expected one. {advice}, or name its folder.")
    return load_run(folder)


def list_sources(named):
    """Returns (paths of photos and videos, files that are neither, pictures that could not be read) of what is named.

    A folder stands for all photos and videos in it and in its folders, in the order of their names.
    """
    sources, others, failed = [], [], []
    for name in named:
        if not expand_home(name).is_dir():
            sources.append(name)
            continue
        try:
            found, rest = photo.list_files(expand_home(name))
            if not found:
                problem = "found a folder without photos; expected some. Check the path."
                raise photo.PhotoError(f"{photo.show_path(name)}: {problem}")
        except photo.PhotoError as error:
            failed.append(Picture(name, None, [], str(error)))
        else:
            sources += map(str, found)
            others += rest
    return sources, others, failed


def judge_pictures(sources, network, run, whole=False):
    """Returns a `Picture` for each photo and each frame that is judged; what cannot be read stops nothing."""
    pictures = []
    bar = progress_bar(sources, unit="file", desc="photos")
    for path in bar:
        try:
            for second, picture in photo.read_pictures(path):
                bar.set_postfix_str("" if second is None else f"second {second:.0f}")
                pictures.append(Picture(path, second, photo.name_expressions(picture, network, run, whole), None))
        except photo.PhotoError as error:
            pictures.append(Picture(path, None, [], str(error)))
    return pictures


def describe_network(run):
    """Returns a line on the network that answers, and where its shares of right answers come from."""
    line = f"network: {run.experiment}, seed {run.seed}, trained on {run.dataset}"
    if photo.load_photo_record(run):
        return line
    return f"{line}; how many such answers were right was counted on its test images, not on faces cut out of photos"


def describe_passed_over(others):
    """Returns a line on the files of folders that are no photos: how many, and the first of their names."""
    names = ", ".join(photo.show_path(path.name) for path in others[:3])
    files = "1 file that is" if len(others) == 1 else f"{len(others)} files that are"
    return f"passed over {files} no photo or video: {names}{', ...' if len(others) > 3 else ''}"


def as_json(pictures, run):
    """Returns what was found, for JSON."""
    photos = [
        {
            "photo": picture.path,
            "second": picture.second,
            "error": picture.error,
            "faces": [_answer_as_json(answer) for answer in picture.answers],
        }
        for picture in pictures
    ]
    return {"network": run.experiment, "trained_on": run.dataset, "note": photo.WHAT_IT_IS_NOT, "photos": photos}


def _answer_as_json(answer):
    probabilities = [round(float(probability), 4) for probability in answer.probabilities]
    return {
        "box": answer.box._asdict(),
        "class": answer.name,
        "probability": max(probabilities),
        "probabilities": dict(zip(CLASS_NAMES, probabilities, strict=True)),
        "share_right": round(answer.share_right, 4),
        "uncertain": answer.uncertain,
        "certainty": answer.certainty,
        "note": answer.note,
    }


def write_csv(pictures, path):
    """Writes a csv with a line for each face, and one for each picture without a face or that could not be read."""
    path = expand_home(path)
    try:
        with atomic_path(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as stream:
            lines = csv.DictWriter(stream, COLUMNS)
            lines.writeheader()
            for picture in pictures:
                lines.writerows(_list_lines(picture))
    except OSError as error:
        raise ValueError(
            f"{photo.show_path(path)}: the csv could not be written ({error.strerror or error})"
        ) from error


def _list_lines(picture):
    common = {"photo": photo.show_path(picture.path), "second": picture.second}
    for number, answer in enumerate(picture.answers, start=1):
        facts = _answer_as_json(answer)
        note = f"{'UNCERTAIN ' if answer.uncertain else ''}{answer.note}".strip()
        yield {
            **common,
            "face": number,
            **facts["box"],
            **facts["probabilities"],
            **{name: facts[name] for name in ("class", "probability", "share_right")},
            "note": note,
        }
    if not picture.answers:
        yield {**common, "note": picture.error or photo.NO_FACE}
