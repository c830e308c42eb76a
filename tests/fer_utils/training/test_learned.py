"""What a network learns from: which images, and labels or what a teacher says."""

import dataclasses

import numpy as np
import pytest

from fer_utils import environment
from fer_utils.models.prediction import predict
from fer_utils.training import learned
from fer_utils.training.build import load_network
from fer_utils.training.experiments import find_experiment
from fer_utils.training.learned import draw_images, find_lesson, learned_split, lesson_of_labels
from fer_utils.training.loop import train
from fer_utils.training.runs import WEIGHTS, RunError
from fer_utils.training.store import store_folder
from small_training import make_faces, make_split, must_not_train

TAUGHT = dataclasses.replace(find_experiment("lenet_like"), name="taught", teacher="vgg_like")


def test_limited_training_images_are_drawn_by_the_seed():
    split = make_split(96, 1)
    split = dataclasses.replace(split, labels=np.arange(96))
    chosen = draw_images(split, 40, seed=0)
    assert len(set(chosen.labels)) == len(chosen.images) == 40
    np.testing.assert_array_equal(chosen.images, split.images[chosen.labels])
    np.testing.assert_array_equal(chosen.labels, draw_images(split, 40, seed=0).labels)
    assert set(chosen.labels) != set(draw_images(split, 40, seed=1).labels)
    assert draw_images(split, None, seed=0) is split
    assert draw_images(split, 96, seed=0) is split


def test_a_row_that_learns_from_both_splits_has_the_images_and_labels_of_both_and_no_others():
    faces = make_faces()
    assert learned_split(find_experiment("best_mixed"), faces) is faces.train
    both = learned_split(find_experiment("best_both"), faces)
    np.testing.assert_array_equal(both.images, [*faces.train.images, *faces.validation.images])
    np.testing.assert_array_equal(both.labels, [*faces.train.labels, *faces.validation.labels])


def test_a_label_wants_one_for_its_class_and_nought_for_the_others():
    split = make_split(20, 1)
    lesson = find_lesson(find_experiment("lenet_like"), split)
    np.testing.assert_array_equal(lesson.targets.argmax(axis=1), split.labels)
    assert lesson.images is split.images and (lesson.targets.sum(axis=1) == 1).all() and lesson.targets.max() == 1
    np.testing.assert_array_equal(lesson.targets, lesson_of_labels(split).targets)


def test_a_taught_network_learns_the_mean_of_what_its_teachers_say(small_network, store, tmp_path, monkeypatch):
    monkeypatch.setattr(environment, "CACHE", tmp_path / "cache")
    faces = make_faces()
    teachers = [load_network(train("vgg_like", faces, seed)) for seed in (0, 1, 2)]
    train("vgg_like", faces, 3)
    lesson = find_lesson(TAUGHT, faces.train, store_folder(faces, "quick"))
    expected = np.mean([predict(network, faces.train.images) for network in teachers], axis=0)
    np.testing.assert_allclose(lesson.targets, expected, atol=1e-6)
    assert lesson.images is faces.train.images
    monkeypatch.setattr(learned, "predict", must_not_train)
    again = find_lesson(TAUGHT, faces.train, store_folder(faces, "quick"))
    np.testing.assert_array_equal(again.targets, lesson.targets)
    with pytest.raises(AssertionError):  # other faces, other answers
        find_lesson(TAUGHT, faces.test, store_folder(faces, "quick"))


def test_a_teacher_that_is_not_there_is_named_with_the_command_that_trains_it(small_network, store):
    faces = make_faces()
    place = store_folder(faces, "quick")
    for seed in (0, 1):
        train("vgg_like", faces, seed)
    with pytest.raises(RunError, match="seed 2 is not in .*fer-course train vgg_like --seed 2"):
        find_lesson(TAUGHT, faces.train, place)
    (train("vgg_like", faces, 2).folder / WEIGHTS).unlink()
    with pytest.raises(RunError, match="vgg_like, seed 2: the run was kept without its weights"):
        find_lesson(TAUGHT, faces.train, place)
