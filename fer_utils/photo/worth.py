"""What an answer is worth: how many answers as sure as it were right, on images that went the same way to the network.

A face that is cut out of a photo is not framed as FER2013's images are, and its answers are worth less than theirs. So
there are two counts: a run's own test answers for pictures that are judged whole, and for faces cut out of photos the
answers that `fer-course reproduce` recorded on validation faces that were found and cut out in the same way.
"""

import numpy as np

from fer_utils.data import FER2013_FINGERPRINT
from fer_utils.environment import DATA
from fer_utils.evaluation import accuracy_at
from fer_utils.training import load_facts

PHOTO_RECORD = DATA / "runs" / "photos.json"


def load_photo_record(run, path=None):
    """Reads the dict that `record_photos` wrote of cut-out faces and the network of `run`, or None if there is none.

    Its `confidence` and `correct` hold a number for each face. Raises `FactsError` if the file is damaged.
    """
    facts = load_facts(path or PHOTO_RECORD, "fer-course reproduce")
    expected = {"fingerprint": FER2013_FINGERPRINT, "experiment": run.experiment, "seed": run.seed}
    expected["trained_at"] = run.commit
    return facts if facts and all(facts.get(name) == value for name, value in expected.items()) else None


def measure_worth(confidence, run, record):
    """Returns (share right among answers as sure as `confidence`, words for these answers).

    They are those of `record` (`load_photo_record`); if that is None, the run's own test answers.
    """
    if record is None:
        return accuracy_at(confidence, run.test_probabilities, run.test_correct), _name_test_answers(run.dataset)
    share = accuracy_at(confidence, np.reshape(record["confidence"], (-1, 1)), np.array(record["correct"], bool))
    return share, "answers this sure on FER2013's validation faces, cut out in the same way"


def _name_test_answers(dataset):
    return "FER2013's test answers this sure" if dataset == "FER2013" else f"the test answers this sure on {dataset}"
