"""The faces: what FER2013 is, the readers of its layouts, the drawn faces, and the crowd's votes."""

from fer_utils.data.drawn_faces import ACTION_UNITS, LABEL_NOISE, UNITS, draw_face, shown_expressions
from fer_utils.data.fer2013 import CLASS_NAMES, COUNTS, IMAGE_SIZE, SPLIT_NAMES, FaceDataError
from fer_utils.data.files import find_fer2013
from fer_utils.data.formats import read_fer2013
from fer_utils.data.images import IMAGE_FORMATS, IMAGE_SUFFIXES, prepare_face
from fer_utils.data.kaggle import fetch_fer2013
from fer_utils.data.load import DRAWN_SEED, FER2013_FINGERPRINT, FaceDataset, Split, find_copies, load_faces
from fer_utils.data.naming import printable, without_controls
from fer_utils.data.votes import find_votes, read_votes

__all__ = [
    "ACTION_UNITS",
    "CLASS_NAMES",
    "COUNTS",
    "DRAWN_SEED",
    "FER2013_FINGERPRINT",
    "FaceDataError",
    "FaceDataset",
    "IMAGE_FORMATS",
    "IMAGE_SIZE",
    "IMAGE_SUFFIXES",
    "LABEL_NOISE",
    "SPLIT_NAMES",
    "Split",
    "UNITS",
    "draw_face",
    "fetch_fer2013",
    "find_copies",
    "find_fer2013",
    "find_votes",
    "load_faces",
    "prepare_face",
    "printable",
    "read_fer2013",
    "read_votes",
    "shown_expressions",
    "without_controls",
]
