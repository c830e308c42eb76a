"""Downloads a copy of FER2013 from Kaggle."""

import shutil

from fer_utils import environment
from fer_utils.data.fer2013 import FaceDataError
from fer_utils.data.files import locate_fer2013

COMPETITION = "https://www.kaggle.com/c/challenges-in-representation-learning-facial-expression-recognition-challenge"


def fetch_fer2013():
    """Downloads FER2013 as class folders with kagglehub; returns the folder, in ``data/``, where `load_faces` finds it.

    Raises `FaceDataError`, which says how to get the data by hand, without kagglehub or when the download fails.
    """
    by_hand = (
        f"By hand: open {COMPETITION}, accept its rules, download the data and put icml_face_data.csv, fer2013.tar.gz "
        "or the whole archive into data/, as it is. Then `fer-course data check data` says whether it is right."
    )
    try:
        import kagglehub
    except ImportError as e:
        advice = "Install the optional extra `fetch` of this package, or get the data yourself."
        raise FaceDataError(f"kagglehub is not installed. {advice} {by_hand}") from e
    try:
        downloaded = kagglehub.dataset_download("msambare/fer2013")
        locate_fer2013(downloaded)
        target = environment.DATA / "msambare-fer2013"
        with environment.atomic_path(target) as temporary:
            shutil.copytree(downloaded, temporary)
    except Exception as e:  # kagglehub raises its own errors, those of its libraries and of the network
        raise FaceDataError(f"kagglehub could not download FER2013 ({type(e).__name__}: {e}). {by_hand}") from e
    return target
