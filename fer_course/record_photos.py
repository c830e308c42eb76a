"""Records what answers on faces cut out of photos are worth, in numbers: FER2013's faces, given as photos."""

import numpy as np
from PIL import Image

from fer_utils.data import FER2013_FINGERPRINT
from fer_utils.environment import progress_bar
from fer_utils.models import predict_views
from fer_utils.photo import PHOTO_RECORD, SQUARES, cut_squares, find_faces, judge_squares, load_photo_record
from fer_utils.report import find_best, identify_run, load_recorded
from fer_utils.training import RunError, find_commit, find_known, list_versions, load_network, save_facts

N_CHOSEN_ON = (
    1800  # validation images on which the cut was chosen (fer_utils/photo/answers.py); the others are recorded
)
ENLARGED = 4  # times
SURROUNDINGS = 0.5  # of the frame's side, to each side


def record_photos(faces, path=None):
    """Writes confidence and correctness of each face found to `PHOTO_RECORD`; returns what it wrote, or None.

    The best network's validation images, from `N_CHOSEN_ON` on, are made photos (`make_photo`) and go the way of
    photos: `find_faces`, `cut_squares`, `judge_squares`. Some five minutes on two cores; a record of the same training
    and cut is kept. Without recorded weights nothing is written, and a printed line says so. Raises `ValueError` if
    `faces` are not FER2013.
    """
    if faces.fingerprint != FER2013_FINGERPRINT:
        raise ValueError(f"photos are recorded on FER2013's own pixels, and these faces are {faces.name}")
    try:
        run = find_best(load_recorded())
    except RunError as error:
        print(f"photos are not recorded: {error}")
        return None
    path, images = path or PHOTO_RECORD, faces.validation.images[N_CHOSEN_ON:]
    cut = {"squares": list(SQUARES), "n_tried": len(images)}
    known = find_known(load_photo_record, run, path)
    if known and all(known.get(name) == value for name, value in cut.items()):
        return known
    facts = {"fingerprint": faces.fingerprint, **identify_run(run), **cut}
    facts |= _judge_photos(images, faces.validation.labels[N_CHOSEN_ON:], run)
    facts |= {"commit": find_commit(), "versions": list_versions()}
    save_facts(facts, path)
    return load_photo_record(run, path)


def make_photo(face):
    """Returns a frame of FER2013 (48, 48, 1) as a photo uint8 (384, 384, 3): enlarged, its borders continued."""
    side = ENLARGED * len(face)
    enlarged = np.asarray(Image.fromarray(face[..., 0]).resize((side, side), Image.Resampling.BICUBIC))
    padded = np.pad(enlarged, round(SURROUNDINGS * side), mode="edge")
    return np.repeat(padded[..., np.newaxis], 3, axis=2)


def _judge_photos(images, labels, run):
    squares, found = [], []
    for place, image in enumerate(progress_bar(images, unit="photo", desc="faces in photos")):
        photo = make_photo(image)
        if boxes := find_faces(photo):
            squares.append(cut_squares(photo, max(boxes, key=lambda box: box.side)))
            found.append(place)
    network, labels = load_network(run), labels[found]
    probabilities = judge_squares(squares, network, run.views)
    correct = probabilities.argmax(axis=1) == labels
    frames = predict_views(network, images[found], run.views).argmax(axis=1) == labels
    return {
        "n_found": len(found),
        "accuracy": float(correct.mean()),
        "accuracy_of_frames": float(frames.mean()),  # of the same faces, given to the network as FER2013 frames them
        "confidence": [round(float(value), 4) for value in probabilities.max(axis=1)],
        "correct": [int(value) for value in correct],
    }
