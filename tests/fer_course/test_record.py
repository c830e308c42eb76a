"""What is recorded of the test set and of the best network's mistakes, and the record of FER2013 against itself."""

import dataclasses

import numpy as np
import pytest

from fer_course import record
from fer_utils.data.load import FER2013_FINGERPRINT
from fer_utils.evaluation import calibration
from fer_utils.evaluation.crowd import compare_with_crowd, find_test_votes, label_ceiling
from fer_utils.models.of_report import vgg_like
from fer_utils.report.recorded import MISTAKES, TEST_SET, find_best, load_mistakes, load_recorded, load_test_set
from fer_utils.training.experiments import BEST_ROWS, EXPERIMENTS, RECIPES
from fer_utils.training.facts import save_facts
from fer_utils.training.runs import WEIGHTS
from small_records import make_votes, record_run
from small_training import make_faces, make_run, make_split

# --- mistakes ---


@pytest.fixture
def recorded_run(monkeypatch):
    """FER2013 that is noise, and a run on it whose network is built at once."""
    faces = make_faces(fingerprint=FER2013_FINGERPRINT, test=make_split(70, 3), validation=make_split(70, 2))
    run = make_run(experiment="vgg_like", views=2, recipe=dataclasses.asdict(RECIPES["full"]))
    answers = run.test_probabilities.argmax(axis=1)
    correct = answers == faces.test.labels
    run = dataclasses.replace(run, test_correct=correct, test_accuracy=float(correct.mean()))
    monkeypatch.setattr(record, "find_best", lambda recorded: run)
    monkeypatch.setattr(record, "load_recorded", lambda folder: {})
    monkeypatch.setattr(record, "load_network", lambda run: vgg_like(0.1))
    monkeypatch.setattr(record, "build_network", lambda *_, seed: vgg_like(0.1))
    monkeypatch.setattr(record, "find_test_votes", lambda faces: None)
    monkeypatch.setattr(record, "N_LOOKED_AT", 5)
    return faces, run


@pytest.mark.slow
def test_record_is_written_read_and_kept(recorded_run, tmp_path, monkeypatch):
    faces, run = recorded_run
    facts = record.record_mistakes(faces, tmp_path)
    assert facts == load_mistakes(tmp_path)
    assert (facts["experiment"], facts["seed"], facts["views"]) == ("vgg_like", 0, 2) and "crowd" not in facts
    assert np.shape(facts["looks"]["occlusion"]) == (12, 12) and facts["looks"]["n"] == 5
    assert sum(facts["calibration"]["before"]["counts"]) == sum(facts["class_counts"]) == 70
    assert facts["trade_off"]["accuracy"][0] == pytest.approx(run.test_accuracy, rel=1e-5)
    stamp = (tmp_path / MISTAKES).stat().st_mtime_ns
    assert record.record_mistakes(faces, tmp_path) == facts
    assert (tmp_path / MISTAKES).stat().st_mtime_ns == stamp, "the same network is not read twice"
    monkeypatch.setattr(record, "_look", lambda *_: facts["looks"])  # which votes do not change
    monkeypatch.setattr(record, "find_test_votes", lambda faces: make_votes(*[{3: 6, 4: 4}] * 70))
    again = record.record_mistakes(faces, tmp_path)
    assert again["crowd"]["ceiling"]["all_votes"] == pytest.approx(0.6) and again["crowd"]["n"] == 70


@pytest.mark.slow
def test_another_network_is_recorded_anew(recorded_run, tmp_path, monkeypatch):
    faces, run = recorded_run
    looks = record.record_mistakes(faces, tmp_path)["looks"]
    monkeypatch.setattr(record, "_look", lambda *_: looks)
    monkeypatch.setattr(record, "find_best", lambda recorded: dataclasses.replace(run, seed=1))
    assert record.record_mistakes(faces, tmp_path)["seed"] == 1


def test_copies_and_their_labels_are_counted(recorded_run):
    faces, run = recorded_run
    images, labels = faces.test.images.copy(), faces.test.labels.copy()
    images[[3, 5]] = faces.train.images[[0, 9]]
    labels[3], labels[5] = faces.train.labels[0], (faces.train.labels[9] + 1) % 7
    faces = dataclasses.replace(faces, test=dataclasses.replace(faces.test, images=images, labels=labels))
    found = record._judge_copies(run, faces)
    assert (found["n"], found["same_label"], found["n_others"]) == (2, 1, 68)
    assert found["correct"] == run.test_correct[[3, 5]].sum()
    assert found["correct"] + found["correct_others"] == run.test_correct.sum()


def test_only_fer2013_is_recorded_and_a_network_is_needed(tmp_path, capsys):
    with pytest.raises(ValueError, match="these faces are noise"):
        record.record_mistakes(make_faces(), tmp_path)
    assert record.record_mistakes(make_faces(fingerprint=FER2013_FINGERPRINT), tmp_path) is None
    assert "no mistakes are recorded" in capsys.readouterr().out and not list(tmp_path.iterdir())


def test_committed_record_is_of_the_best_run():
    facts, run = load_mistakes(), find_best(load_recorded())
    assert (facts["experiment"], facts["seed"]) == (run.experiment, run.seed), "`fer-course reproduce` writes it anew"


def test_committed_record_agrees_with_its_run_and_itself():
    facts, test_set = load_mistakes(), load_test_set()
    (run,) = [run for run in load_recorded()[facts["experiment"]] if run.seed == facts["seed"]]
    assert facts["test_accuracy"] == pytest.approx(run.test_accuracy, rel=1e-5)
    assert facts["confusion"] == run.confusion.tolist() and facts["views"] == run.views
    copies = facts["copies"]
    assert copies["n"] == len(test_set["also_in_training"])
    assert copies["correct"] == run.test_correct[test_set["also_in_training"]].sum()
    assert copies["correct"] + copies["correct_others"] == run.test_correct.sum()
    for state in facts["calibration"].values():
        assert calibration.calibration_error(as_reliability(state)) == pytest.approx(state["error"], abs=1e-5)
    assert facts["calibration"]["after"]["loss"] <= facts["calibration"]["before"]["loss"] + 0.01
    crowd = facts["crowd"]
    assert crowd["accuracy"] == pytest.approx(test_set["crowd_accuracy"], rel=1e-5)
    assert np.sum(crowd["confusion"]) == np.sum(crowd["confusion_labels"]) == crowd["n"]
    in_bins = [(found["count"], found["count"] * found["accuracy"]) for found in crowd["by_agreement"].values()]
    np.testing.assert_allclose(np.sum(in_bins, axis=0), (3589, run.test_correct.sum()), rtol=1e-5)
    assert crowd["ceiling"]["left_out"] < crowd["ceiling"]["all_votes"] < crowd["ceiling"]["seven_classes"]


def as_reliability(state):
    return calibration.Reliability(*(np.array(state[name], float) for name in calibration.Reliability._fields))


def test_committed_votes_are_those_of_the_real_file(real_fer2013, monkeypatch):
    if not (real_fer2013 / "fer2013new.csv").exists():
        pytest.skip("FERPlus's fer2013new.csv is not beside the real FER2013")
    monkeypatch.setenv("FER_DATA", str(real_fer2013 / "fer2013.npz"))
    with np.load(real_fer2013 / "fer2013.npz") as stored:
        labels = stored["emotion"][stored["usage"] == 2].astype(int)
    faces = make_faces(fingerprint=FER2013_FINGERPRINT)
    votes, facts = find_test_votes(faces), load_mistakes()
    (run,) = [run for run in load_recorded()[facts["experiment"]] if run.seed == facts["seed"]]
    found = compare_with_crowd(labels, run.test_predictions, votes)
    recorded = facts["crowd"]
    assert all(np.allclose(recorded[name], value, rtol=1e-5) for name, value in found.items())
    assert label_ceiling(votes)._asdict() == pytest.approx(recorded["ceiling"], rel=1e-5)


# --- facts of the test set ---


def test_facts_are_written_and_read_back(tmp_path, monkeypatch):
    monkeypatch.setattr(record, "find_votes", lambda: None)
    faces = make_faces(fingerprint=FER2013_FINGERPRINT)
    facts = record.record_test_set(faces, tmp_path)
    assert facts == {"fingerprint": FER2013_FINGERPRINT, "also_in_training": [], "ensembles": {}, "views": None}
    path = tmp_path / TEST_SET
    save_facts({**facts, "crowd_accuracy": 0.5}, path)
    record.record_test_set(faces, tmp_path)
    assert load_test_set(tmp_path)["crowd_accuracy"] == 0.5, "without votes the recorded number stays"


def test_recorded_facts_are_those_of_the_real_set(real_fer2013, tmp_path, monkeypatch):
    from fer_utils.data.load import load_faces

    monkeypatch.setenv("FER_DATA", str(real_fer2013 / "fer2013.npz"))
    facts = record.record_test_set(load_faces(), tmp_path)
    recorded = load_test_set()
    assert len(facts["also_in_training"]) == 288 and 0 < facts["crowd_accuracy"] < 1
    for key in ("fingerprint", "also_in_training", "crowd_accuracy"):
        assert recorded[key] == facts[key]
    assert recorded["ensembles"] == record.average_networks(load_recorded(), load_faces().test.labels)


def test_networks_together_say_the_mean_of_their_probabilities():
    labels = np.array([0, 1, 2, 3])
    sure, unsure = np.full((4, 7), 0.01), np.full((4, 7), 0.1)
    sure[range(4), [0, 1, 5, 5]] = 0.94
    unsure[range(4), [0, 1, 2, 3]] = 0.4
    runs = [
        make_run(probabilities.argmax(axis=1) == labels, test_probabilities=probabilities.astype(np.float16), seed=seed)
        for seed, probabilities in enumerate((sure, unsure, unsure))
    ]
    recorded = {name: [] for name in EXPERIMENTS} | {"vgg_like": runs, "lenet_like": runs[:1]}
    together = record.average_networks(recorded, labels)
    assert list(together) == ["vgg_like"]
    # (0.94 + 2 × 0.1) / 3 = 0.38 for the sure one's error, (0.01 + 2 × 0.4) / 3 = 0.27 for the right class
    assert (together["vgg_like"]["seeds"], together["vgg_like"]["accuracy"]) == (3, 0.5)
    recorded |= {"equal_vgg": runs[1:2], "equal_resnet": runs[2:]}
    assert record.average_networks(recorded, labels)["equal_cost"]["accuracy"] == 1


def test_of_the_best_recipes_five_answer_together_and_what_has_seen_publictest_is_left_out():
    labels = np.arange(7)

    def make_network(right_on_publictest, right, **facts):
        confusion = np.diag([right_on_publictest, *[1] * 6]) + np.eye(7, k=1, dtype=int)
        probabilities = np.eye(7)[labels if right else (labels + 1) % 7].astype(np.float16)
        return make_run(np.full(7, right), test_probabilities=probabilities, validation_confusion=confusion, **facts)

    recorded = {name: [] for name in EXPERIMENTS}
    # Three of the first five are right; the sixth, and the second seeds, worse on PublicTest, would outvote them.
    for name, right_on_publictest, right in zip(BEST_ROWS, (2, 9, 8, 7, 6, 5), (0, 1, 1, 1, 0, 0), strict=False):
        seeds = (right_on_publictest, bool(right)), (1, False)
        recorded[name] = [make_network(*facts, seed=seed) for seed, facts in enumerate(seeds)]
    recorded["best_both"] = [make_network(99, False, learns_from="Training + PublicTest")]
    together = record.average_networks(recorded, labels)["best_rows"]
    assert (together["seeds"], together["accuracy"]) == (record.MOST_TOGETHER, 1)


NO_RUNS = dict.fromkeys(BEST_ROWS, [])


def test_views_are_compared_on_the_validation_images_with_the_weights_that_were_kept(tmp_path, monkeypatch):
    assert record.compare_views(NO_RUNS, make_faces().validation) is None
    run = record_run(tmp_path, "best")
    (run.folder / WEIGHTS).write_bytes(b"")
    seen = []
    faces = make_faces().validation

    def predict_views(network, images, views):
        seen.append((network, np.array_equal(images, faces.images), views))
        return np.eye(7)[faces.labels if views == 10 else np.zeros(len(images), int)]

    monkeypatch.setattr(record, "load_network", lambda run: run.experiment)
    monkeypatch.setattr(record, "predict_views", predict_views)
    found = record.compare_views(NO_RUNS | {"best": [run]}, faces)
    assert seen == [("best", sharp, views) for sharp in (True, False) for views in (1, 2, 10)]
    assert (found["experiment"], found["seed"], found["validation"]["10"]) == ("best", 0, 1.0)
    assert found["validation"]["1"] == found["validation"]["2"] == found["smoothed"]["1"] < 1
    assert record.compare_views(NO_RUNS | {"best": [run]}, faces, found) is found
    assert len(seen) == 6, "the same run is not asked again"
    other = dataclasses.replace(run, commit="another")
    assert record.compare_views(NO_RUNS | {"best": [other]}, faces, found) is not found
    without = {name: fact for name, fact in found.items() if name != "smoothed"}
    assert record.compare_views(NO_RUNS | {"best": [run]}, faces, without) == found


def test_damaged_facts_are_named_and_written_anew(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(record, "find_votes", lambda: None)
    (tmp_path / TEST_SET).write_text("{", encoding="utf-8")
    facts = record.record_test_set(make_faces(fingerprint=FER2013_FINGERPRINT), tmp_path)
    assert "test_set.json is damaged" in capsys.readouterr().out
    assert load_test_set(tmp_path) == facts
