"""What an answer is worth: from which answers it is counted."""

import pytest

from fer_utils.data.load import FER2013_FINGERPRINT
from fer_utils.photo.worth import load_photo_record, measure_worth
from fer_utils.training import FactsError, save_facts
from small_training import make_run

RECORD = {"fingerprint": FER2013_FINGERPRINT, "experiment": "lenet_like", "seed": 0, "trained_at": "0123456789ab"}
RECORD |= {"confidence": [0.9] * 400 + [0.4] * 400, "correct": [1] * 400 + [1, 0, 0, 0] * 100}


def write(path, **changes):
    save_facts(RECORD | changes, path)
    return path


def test_a_cut_out_face_is_worth_what_such_faces_were(tmp_path):
    record = load_photo_record(make_run(), write(tmp_path / "photos.json"))
    assert measure_worth(0.95, make_run(), record)[0] == 1
    share, words = measure_worth(0.3, make_run(), record)
    assert share == 0.25 and words == "answers this sure on FER2013's validation faces, cut out in the same way"


@pytest.mark.parametrize(
    ("dataset", "words"),
    [("FER2013", "FER2013's test answers this sure"), ("drawn faces", "the test answers this sure on drawn faces")],
)
def test_without_a_record_the_test_answers_count(dataset, words):
    assert measure_worth(0.9, make_run(dataset=dataset), None) == (0.5, words)


@pytest.mark.parametrize(
    "changes",
    [{"experiment": "best"}, {"seed": 1}, {"trained_at": "0"}, {"fingerprint": "0"}],
)
def test_a_record_of_another_training_is_none(tmp_path, changes):
    assert load_photo_record(make_run(), write(tmp_path / "photos.json", **changes)) is None


def test_a_missing_record_is_none_and_a_changed_one_is_named(tmp_path):
    assert load_photo_record(make_run(), tmp_path / "photos.json") is None
    text = write(tmp_path / "photos.json").read_text(encoding="utf-8")
    for content in (text[:200], text.replace("0.9", "0.8", 1)):
        (tmp_path / "photos.json").write_text(content, encoding="utf-8")
        with pytest.raises(FactsError, match="photos.json .* `fer-course reproduce` writes it anew"):
            load_photo_record(make_run(), tmp_path / "photos.json")
