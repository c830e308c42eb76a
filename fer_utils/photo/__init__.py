"""Photos: reads them, finds the faces in them, lets a network name the expressions; the widget for a notebook."""

from fer_utils.photo.answers import (
    NO_FACE,
    SQUARES,
    WHAT_IT_IS_NOT,
    Box,
    crop_face,
    cut_squares,
    find_faces,
    format_answers,
    judge_squares,
    name_expressions,
)
from fer_utils.photo.files import list_files, read_pictures
from fer_utils.photo.reading import PhotoError, read_photo, sample_photo, show_path
from fer_utils.photo.widget import PhotoWidget
from fer_utils.photo.worth import PHOTO_RECORD, load_photo_record

__all__ = [
    "Box",
    "NO_FACE",
    "PHOTO_RECORD",
    "PhotoError",
    "PhotoWidget",
    "SQUARES",
    "WHAT_IT_IS_NOT",
    "crop_face",
    "cut_squares",
    "find_faces",
    "format_answers",
    "judge_squares",
    "list_files",
    "load_photo_record",
    "name_expressions",
    "read_photo",
    "read_pictures",
    "sample_photo",
    "show_path",
]
