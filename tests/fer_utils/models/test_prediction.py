"""What a network says of faces: by one view or several, at once or in batches."""

import numpy as np
import pytest

from fer_utils.device import keras
from fer_utils.models.of_report import lenet_like
from fer_utils.models.prediction import VIEW_SHIFT, VIEWS, predict, predict_views


@pytest.fixture(scope="module")
def views_network():
    return lenet_like(width=0.1)


@pytest.fixture(scope="module")
def faces_of_noise():
    return np.random.default_rng(0).integers(0, 256, (6, 48, 48, 1), dtype=np.uint8)


def test_one_view_is_the_image_itself(views_network, faces_of_noise):
    np.testing.assert_allclose(
        predict_views(views_network, faces_of_noise), predict(views_network, faces_of_noise), atol=1e-7
    )


def test_two_views_are_the_image_and_its_mirror_image(views_network, faces_of_noise):
    mirrored = faces_of_noise[:, :, ::-1]
    expected = (predict(views_network, faces_of_noise) + predict(views_network, mirrored)) / 2
    np.testing.assert_allclose(predict_views(views_network, faces_of_noise, 2), expected, atol=1e-6)


def test_ten_views_are_five_places_and_their_mirror_images(views_network, faces_of_noise):
    moved = [faces_of_noise]
    for rows in (-VIEW_SHIFT, VIEW_SHIFT):
        for columns in (-VIEW_SHIFT, VIEW_SHIFT):
            index = [np.clip(np.arange(48) + shift, 0, 47) for shift in (rows, columns)]
            moved.append(faces_of_noise[:, index[0]][:, :, index[1]])
    expected = np.mean([predict(views_network, v) for m in moved for v in (m, m[:, :, ::-1])], axis=0)
    found = predict_views(views_network, faces_of_noise, 10)
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert np.abs(found - predict_views(views_network, faces_of_noise, 2)).max() > 1e-5


@pytest.mark.parametrize("views", [0, 3, 5, 7, 11, "2", None])
def test_another_number_of_views_is_refused(views_network, faces_of_noise, views):
    with pytest.raises(ValueError, match=f"views is {views!r}; an image is judged by 1, 2 or 10 views"):
        predict_views(views_network, faces_of_noise, views)


@pytest.mark.parametrize("views", VIEWS)
def test_no_images_have_no_views(views_network, faces_of_noise, views):
    found = predict_views(views_network, faces_of_noise[:0], views)
    assert found.shape == (0, 7) and found.dtype == np.float32


# --- predicting in batches ---


def test_predicting_in_batches_is_predicting_at_once():
    network = lenet_like(width=0.1)
    images = np.random.default_rng(0).integers(0, 256, (7, 48, 48, 1), dtype=np.uint8)
    at_once = keras.ops.convert_to_numpy(network(images))
    np.testing.assert_allclose(predict(network, images, batch_size=3), at_once, atol=1e-6)
    both = keras.Model(network.input, {"first": network.get_layer("conv1").output, "last": network.output})
    found = predict(both, images, batch_size=3)
    assert found["first"].shape == (7, 48, 48, 3)
    np.testing.assert_allclose(found["last"], at_once, atol=1e-6)


def test_predicting_no_images_gives_no_rows():
    network = lenet_like(width=0.1)
    none = np.zeros((0, 48, 48, 1), np.uint8)
    found = predict(network, none)
    assert found.shape == (0, 7) and found.dtype == np.float32
    both = keras.Model(network.input, {"first": network.get_layer("conv1").output, "last": network.output})
    assert {name: part.shape for name, part in predict(both, none).items()} == {"first": (0, 48, 48, 3), "last": (0, 7)}
