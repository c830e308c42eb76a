"""Says what a network learns from: which images, and which probabilities are wanted of each."""

import contextlib
import dataclasses
from typing import NamedTuple

import numpy as np

from fer_utils import environment
from fer_utils.data import CLASS_NAMES
from fer_utils.models import predict
from fer_utils.training.build import find_weights, load_network
from fer_utils.training.facts import digest
from fer_utils.training.runs import DAMAGE, WEIGHTS, RunError, load_run
from fer_utils.training.store import run_folder

TEACHER_SEEDS = 0, 1, 2


class Lesson(NamedTuple):
    """Images uint8 (N, 48, 48, 1), and the class probabilities float32 (N, 7) that are wanted of each."""

    images: np.ndarray
    targets: np.ndarray


def learned_split(experiment, faces):
    """Returns the `Split` that an experiment learns from: training images, or these and the validation images."""
    if experiment.learns_from == "Training":
        return faces.train
    both = faces.train, faces.validation
    images, labels = (np.concatenate([getattr(split, name) for split in both]) for name in ("images", "labels"))
    return dataclasses.replace(faces.train, images=images, labels=labels)


def draw_images(split, n_images, seed):
    """Returns `n_images` of `split`, drawn at random by `seed`; all of them if None or fewer are there."""
    if n_images is None or n_images >= len(split.labels):
        return split
    chosen = np.sort(np.random.default_rng([seed, n_images]).permutation(len(split.labels))[:n_images])
    return dataclasses.replace(split, images=split.images[chosen], labels=split.labels[chosen])


def find_lesson(experiment, split, store=None):
    """Returns the `Lesson` of an experiment on the images of `split`.

    Of each image one is wanted for its label, nought for the other classes; or, where the experiment has a teacher, the
    mean of what that experiment's networks with the `TEACHER_SEEDS` in the folder `store` say of it (distillation,
    Hinton et al. 2015). `RunError` if one of these was not trained or has no weights.
    """
    if experiment.teacher is None:
        return lesson_of_labels(split)
    return Lesson(split.images, _ask_teachers(experiment, split.images, store))


def _ask_teachers(experiment, images, store):
    """Returns the mean of what the teachers say; it is kept in the cache, for asking them takes minutes."""
    teachers = [_find_teacher(experiment, seed, store) for seed in TEACHER_SEEDS]
    asked = digest("".join([digest(images.tobytes()), *(run.digests[WEIGHTS] for run in teachers)]).encode())
    file = environment.CACHE / f"answers-{asked[:16]}.npz"
    with contextlib.suppress(OSError, *DAMAGE):
        return environment.load_npz(file)["answers"]
    networks = [load_network(run) for run in environment.progress_bar(teachers, desc="loading the teachers")]
    size = 1024  # images between two looks at the bar
    parts = environment.progress_bar(range(0, len(images), size), desc=f"what {experiment.teacher} says")
    answers = [np.mean([predict(network, images[at : at + size]) for network in networks], axis=0) for at in parts]
    answers = np.concatenate(answers)
    with (
        contextlib.suppress(OSError),  # a cache that cannot be written only costs time
        environment.atomic_path(file) as temporary,
        open(temporary, "wb") as target,
    ):
        np.savez(target, answers=answers)
    return answers


def _find_teacher(experiment, seed, store):
    folder = run_folder(store, experiment.teacher, seed)
    if not folder.exists():
        raise RunError(
            f"{experiment.name} learns from {experiment.teacher}, seeds {TEACHER_SEEDS}, and seed {seed} is not in "
            f"{store}: train it with `fer-course train {experiment.teacher} --seed {seed}`"
        )
    run = load_run(folder)
    find_weights(run)  # says so if they are not there
    return run


def lesson_of_labels(split):
    """Returns the `Lesson` that is in the labels of `split`."""
    return Lesson(split.images, np.eye(len(CLASS_NAMES), dtype=np.float32)[split.labels])
