"""What a network says of faces: class probabilities, by one view of each face or by several."""

import numpy as np

from fer_utils import device
from fer_utils.data import IMAGE_SIZE
from fer_utils.device import keras

VIEWS = 1, 2, 10
VIEW_SHIFT = 2  # pixels


def predict(model, images, batch_size=None):
    """Returns what `model` says of uint8 images (N, 48, 48, 1): of the course's networks probabilities float32 (N, 7).

    A model with other outputs gives them in their own structure; without images the arrays have no rows.
    `batch_size` is by default what suits the device.
    Not `model.predict`: on TensorFlow its input pipeline adds a wait of its own to every call (notebook 08).
    """
    if not len(images):  # only an answer tells what answers look like: one to a black image, left out again
        answer = model.predict_on_batch(np.zeros((1, *images.shape[1:]), images.dtype))
        return keras.tree.map_structure(lambda part: np.asarray(part)[:0], answer)
    size = batch_size or device.prediction_batch()
    batches = [model.predict_on_batch(images[start : start + size]) for start in range(0, len(images), size)]
    return keras.tree.map_structure(lambda *parts: np.concatenate(parts), *batches)


def predict_views(model, images, views=1):
    """Returns class probabilities float32 (N, 7) of uint8 images (N, 48, 48, 1), each the mean over `views` of it.

    1: the image alone. 2: the image and its mirror image. 10: these two in five places each, as they are and moved by
    `VIEW_SHIFT` pixels towards each corner, the border repeated (the "ten crops" of Krizhevsky et al. 2012).
    `ValueError` for any other number.
    """
    if views not in VIEWS:
        raise ValueError(f"views is {views!r}; an image is judged by {VIEWS[0]}, {VIEWS[1]} or {VIEWS[2]} views")
    corners = [(dy, dx) for dy in (0, 2 * VIEW_SHIFT) for dx in (0, 2 * VIEW_SHIFT)]
    places = [(VIEW_SHIFT, VIEW_SHIFT), *(corners if views == 10 else [])]
    padded = np.pad(images, ((0, 0), (VIEW_SHIFT,) * 2, (VIEW_SHIFT,) * 2, (0, 0)), mode="edge")
    moved = [padded[:, y : y + IMAGE_SIZE, x : x + IMAGE_SIZE] for y, x in places]
    seen = moved if views == 1 else [*moved, *(image[:, :, ::-1] for image in moved)]
    return np.mean([predict(model, view) for view in seen], axis=0)
