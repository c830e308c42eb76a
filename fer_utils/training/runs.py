"""`Run`: what a training leaves behind, saved as a folder of plain numbers, and how to find it again.

A run's folder holds `run.json` (facts and history), `arrays.npz` (predictions on the test images) and, where the
network itself was kept, `float16.weights.h5` (half precision; `model.load_weights` reads it). `run.json` also holds the
digests of the facts and of the other files: a run in which anything was changed since it was saved is refused.
"""

import contextlib
import dataclasses
import errno
import io
import json
import tempfile
import zipfile
import zlib
from pathlib import Path

import h5py
import numpy as np

from fer_utils.environment import atomic_path, recover, recover_all
from fer_utils.training.facts import digest, digest_facts

FORMAT = 2
WEIGHTS = "float16.weights.h5"
ARRAYS = ("confusion", "validation_confusion", "test_probabilities", "test_correct", "late_correct")
# What runs of earlier versions say in other words: whether there was augmentation, not which; a setting's old name.
EARLIER_AUGMENTATIONS = {False: "none", True: "mild"}
EARLIER_SETTINGS = {"mean_decay": "ema_decay"}
# What json and numpy raise on damaged files, over and above OSError: a flipped bit reaches zlib and zipfile's innards.
DAMAGE = (ValueError, KeyError, TypeError, AttributeError, EOFError, RuntimeError, zlib.error, zipfile.BadZipFile)


class RunError(ValueError):
    """A run's folder that cannot be read: damaged, half written, or of another version of the course."""


@dataclasses.dataclass(frozen=True, eq=False)
class Run:
    """One finished training. Accuracies are fractions of 1; the test images were opened once, when it was over.

    `history` maps accuracy, loss, val_accuracy and val_loss to one number per epoch; `best_epoch` counts from 1 and is
    the epoch whose weights were kept, chosen on validation accuracy or, if the recipe says so, the last; `confusion`
    and `validation_confusion` are counts (7, 7), rows true, columns predicted; `test_probabilities` is float16 (N, 7),
    `test_correct` bool (N,), both with the kept weights; `late_correct` is bool (late, N), a row for each of the last
    epochs that the recipe has judged too (`Recipe.late`); `seconds` is training alone, computed in `precision`, a Keras
    dtype policy; `views` of each image were judged;
    it `learns_from` one split or two, and from the labels or from a `teacher` (`recipes.Experiment`); `machine` is of
    `origin.describe_machine`, empty where an earlier version did not record it.
    """

    experiment: str
    model: str
    augmentation: str
    conv_stride: int
    seed: int
    profile: str
    recipe: dict
    dataset: str
    fingerprint: str
    history: dict
    best_epoch: int
    test_accuracy: float
    confusion: np.ndarray
    validation_confusion: np.ndarray
    test_probabilities: np.ndarray
    test_correct: np.ndarray
    seconds: float
    device: str
    versions: dict
    commit: str
    precision: str = "float32"
    views: int = 1
    learns_from: str = "Training"
    teacher: str | None = None
    machine: dict = dataclasses.field(default_factory=dict)
    late_correct: np.ndarray = dataclasses.field(default_factory=lambda: np.zeros((0, 0), bool))
    folder: Path | None = None
    digests: dict = dataclasses.field(default_factory=dict)  # of the files in the folder

    @property
    def test_predictions(self):
        """The predicted class of each test image, int (N,)."""
        return self.test_probabilities.argmax(axis=1)

    @property
    def validation_accuracy(self):
        """Accuracy on the validation images with the kept weights."""
        return float(np.trace(self.validation_confusion) / self.validation_confusion.sum())


def save_run(run, folder, model=None):
    """Writes `run` and the weights of `model`, if given, to `folder`, all or nothing; returns it with its folder."""
    left_out = (*ARRAYS, "folder", "digests")
    facts = {f.name: getattr(run, f.name) for f in dataclasses.fields(run) if f.name not in left_out}
    with atomic_path(folder) as temporary:
        temporary.mkdir()
        np.savez_compressed(temporary / "arrays.npz", **{name: getattr(run, name) for name in ARRAYS})
        if model is not None:
            save_half_precision(model, temporary / WEIGHTS)
        write_facts({"format": FORMAT, **facts}, temporary)
    return load_run(folder)


def write_facts(facts, folder):
    """Writes `run.json` into `folder`, with the digests of `facts` and of the other files that lie there."""
    digests = {path.name: digest(path.read_bytes()) for path in sorted(folder.iterdir()) if path.name != "run.json"}
    whole = {**facts, "digests": {"facts": digest_facts(facts), **digests}}
    (folder / "run.json").write_text(json.dumps(whole, indent=1) + "\n", encoding="utf-8")


def read_checked(folder, name, digests):
    """Returns the bytes of the file `name` in a run's `folder`; `RunError` if they are not those that were saved."""
    path = folder / name
    with explain_damage(path):
        content = path.read_bytes()
    if digests.get(name) != digest(content):
        raise RunError(f"{_short_name(path)} is damaged, or is not the file that was saved with the run")
    return content


def load_run(folder):
    """Reads the `Run` in `folder`; `RunError` says which file is missing, damaged or changed."""
    folder = Path(folder)
    recover(folder)
    with explain_damage(folder / "run.json"):
        facts = json.loads((folder / "run.json").read_text(encoding="utf-8"))
        written_here, digests = facts["format"] == FORMAT, facts.pop("digests", {})
    if not written_here:
        raise RunError(f"{_short_name(folder / 'run.json')} was written by another version of the course")
    with explain_damage(folder / "run.json"):
        if digests.pop("facts", None) != digest_facts(facts):
            raise ValueError("its facts were changed since it was saved")
        del facts["format"]
        facts |= _in_todays_words(facts["augmentation"], facts["recipe"])
    content = io.BytesIO(read_checked(folder, "arrays.npz", digests))
    with explain_damage(folder / "arrays.npz"), np.load(content, allow_pickle=False) as stored:
        arrays = {name: stored[name] for name in ARRAYS if name in stored or name != "late_correct"}
        arrays.setdefault("late_correct", np.zeros((0, len(arrays["test_correct"])), bool))  # runs of earlier versions
    with explain_damage(folder / "run.json"):
        run = Run(**facts, **arrays, folder=folder, digests=digests)
        _check_agreement(run)
    return run


def _in_todays_words(augmentation, recipe):
    """Returns what a run records of its augmentation and recipe, in the words of this version."""
    if isinstance(recipe, dict):
        recipe = {EARLIER_SETTINGS.get(name, name): value for name, value in recipe.items()}
    return {"augmentation": EARLIER_AUGMENTATIONS.get(augmentation, augmentation), "recipe": recipe}


def _check_agreement(run):
    """Raises `ValueError` if facts and arrays of `run` are of different trainings, or one of them was changed."""
    n_correct, n_images = int(run.test_correct.sum()), len(run.test_correct)
    counted = (int(np.trace(run.confusion)), int(run.confusion.sum()), len(run.test_probabilities))
    if counted != (n_correct, n_images, n_images) or abs(run.test_accuracy - n_correct / n_images) > 1e-6:
        raise ValueError(f"{n_correct} of {n_images} test images are right, which other numbers of the run deny")


@contextlib.contextmanager
def explain_damage(path):
    """Turns what reading a missing or damaged file `path` raises into a `RunError` that names it."""
    try:
        yield
    except OSError as error:
        raise RunError(f"{_short_name(path)} cannot be read: {error.strerror or 'damaged'}") from error
    except DAMAGE as error:
        raise RunError(f"{_short_name(path)} is damaged ({type(error).__name__}: {error})") from error


def _short_name(path):
    """Returns experiment, seed and file: notebooks store these lines, so no absolute path."""
    return "/".join(path.parts[-3:])


def check_place(run):
    """Returns `run` if its folder has the name of its experiment and seed; else raises `RunError`."""
    if (run.experiment, f"seed-{run.seed}") != run.folder.parts[-2:]:
        raise RunError(f"{_short_name(run.folder / 'run.json')} is of {run.experiment}, seed {run.seed}: a copy?")
    return run


def list_runs(folder):
    """Reads all runs under `folder`: (runs by experiment and seed, a line for each that cannot be read)."""
    runs, problems = [], []
    for experiment in Path(folder).glob("*/"):
        recover_all(experiment)
    for path in sorted(Path(folder).glob("*/seed-*/")):
        try:
            runs.append(check_place(load_run(path)))
        except RunError as error:
            problems.append(str(error))
    return sorted(runs, key=lambda run: (run.experiment, run.seed)), problems


def save_half_precision(model, path):
    """Writes the weights of `model` to `path` (.weights.h5) as float16; `model.load_weights` reads them back.

    Raises `OSError` where the disk is full.
    """
    half = io.BytesIO()  # HDF5's own writing to a disk that is full can end the process
    with tempfile.TemporaryDirectory() as folder:
        full = Path(folder) / "full.weights.h5"
        try:
            model.save_weights(full)
        except RuntimeError as error:  # h5py's word for it
            raise OSError(errno.EIO, f"the weights could not be written ({error})", folder) from error
        with h5py.File(full) as source, h5py.File(half, "w") as target:
            source.visititems(lambda name, item: _copy_in_half(name, item, target))
    path.write_bytes(half.getvalue())


def _copy_in_half(name, item, target):
    """Copies one group or array of a file of weights to `target`; the optimiser's are left out."""
    if name.startswith("optimizer"):
        return
    if isinstance(item, h5py.Group):
        copy = target.require_group(name)
    else:
        values = item[()]
        is_float = np.issubdtype(values.dtype, np.floating)
        copy = target.create_dataset(name, data=values.astype(np.float16) if is_float else values)
    copy.attrs.update(item.attrs)
