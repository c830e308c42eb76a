"""Photos: reads them, finds the faces in them, lets a network name the expressions; the widget for a notebook."""

from fer_utils.photo.answers import WHAT_IT_IS_NOT, Box, crop_face, find_faces, format_answers, name_expressions
from fer_utils.photo.reading import PhotoError, read_photo, sample_photo
from fer_utils.photo.widget import PhotoWidget

__all__ = [
    "WHAT_IT_IS_NOT",
    "Box",
    "PhotoError",
    "PhotoWidget",
    "crop_face",
    "find_faces",
    "format_answers",
    "name_expressions",
    "read_photo",
    "sample_photo",
]
