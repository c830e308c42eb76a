"""Reading mistakes: small cases computed by hand, and the record of FER2013 against itself."""

import dataclasses
import json

import numpy as np
import pytest

from fer_course import record as recording
from fer_utils.data.drawn_faces import LABEL_NOISE, draw_faces, shown_expressions
from fer_utils.data.load import DRAWN_SEED, FER2013_FINGERPRINT
from fer_utils.device import keras
from fer_utils.evaluation import calibration, crowd, heat_maps, readings
from fer_utils.models.of_report import vgg_like
from fer_utils.models.prediction import predict
from fer_utils.report import recorded as records
from fer_utils.training.build import build_network
from fer_utils.training.experiments import EXPERIMENTS, RECIPES
from small_training import TINY, make_faces, make_run, make_split


def soften(scores):
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def make_votes(*rows):
    """Votes (N, 10) from {answer: votes}, an answer being a place in `ferplus.ANSWERS`."""
    votes = np.zeros((len(rows), 10), int)
    for row, counts in zip(votes, rows, strict=True):
        for answer, count in counts.items():
            row[answer] = count
    return votes


# --- the crowd ---


def test_accuracy_by_agreement_sorts_faces_into_bins():
    votes = make_votes({3: 10}, {3: 9, 4: 1}, {0: 5, 1: 5}, {0: 7, 1: 3}, {0: 4, 1: 3, 2: 3}, {4: 8, 6: 2})
    found = crowd.accuracy_by_agreement([True, False, True, True, False, False], votes)
    counts = {words: (each.count, each.accuracy) for words, each in found.items()}
    assert list(counts) == list(crowd.AGREEMENT)
    assert list(counts.values()) == [(1, 0.0), (1, 1.0), (2, 0.5), (1, 0.0), (1, 1.0)]
    assert all(each.low <= each.accuracy <= each.high for each in found.values())
    assert list(crowd.accuracy_by_agreement([True], make_votes({3: 10}))) == ["100 %"]


def test_ceiling_by_hand():
    ceiling = crowd.label_ceiling(make_votes({4: 6, 6: 3, 8: 1}))
    # Without one vote for Sad it is 5 against 3, without another it is still Sad: 6 of 10 votes are met.
    assert ceiling == pytest.approx((0.6, 6 / 9, 0.6))
    tie = crowd.label_ceiling(make_votes({0: 1, 1: 1}))
    assert tie == pytest.approx((0.5, 0.5, 0.0)), "the one vote left says the other answer each time"
    thirds = crowd.label_ceiling(make_votes({0: 2, 1: 1, 2: 1}))
    # A vote for 0 leaves a tie of three (1/3 each), a vote for 1 or 2 leaves 0 in front.
    assert thirds.left_out == pytest.approx(2 / 4 / 3)


def test_ceiling_of_faces_without_a_class():
    assert crowd.label_ceiling(make_votes({9: 10}, {3: 10})) == pytest.approx((0.5, 1.0, 1.0))


def test_agreed_votes_have_no_ceiling():
    assert crowd.label_ceiling(make_votes({3: 10}, {5: 8})) == (1, 1, 1)


def test_majority_of_ties_and_of_answers_without_a_class():
    votes = make_votes({3: 6, 4: 4}, {0: 5, 1: 5}, {7: 9, 0: 1}, {3: 4, 9: 4})
    assert crowd.find_majority(votes).tolist() == [3, -1, -1, -1]


def test_comparison_with_the_crowd_by_hand():
    votes = make_votes({0: 10}, {1: 10}, {2: 10}, {3: 10}, {0: 5, 1: 5})
    labels, answers = np.array([0, 0, 2, 2, 0]), np.array([0, 1, 3, 2, 0])
    found = crowd.compare_with_crowd(labels, answers, votes)
    assert (found["n"], found["network"], found["labels"], found["network_labels"]) == (4, 0.5, 0.5, 0.5)
    assert found["where_agreed"] == 0.5, "right on the first, wrong on the third"
    assert (found["mistakes_shared"], found["mistakes_of_labels"]) == (0.5, 0.5)
    assert np.argwhere(found["confusion"]).tolist() == [[0, 0], [1, 1], [2, 3], [3, 2]]
    assert np.argwhere(found["confusion_labels"]).tolist() == [[0, 0], [1, 0], [2, 2], [3, 2]]


def test_shown_expressions_are_those_of_the_drawn_faces():
    _, labels, _ = draw_faces((0, 0, 300), DRAWN_SEED)
    shown = shown_expressions(2, 300, DRAWN_SEED)
    assert abs(np.mean(shown != labels) - LABEL_NOISE) < 0.05
    assert np.array_equal(shown[:50], shown_expressions(2, 50, DRAWN_SEED))
    assert not np.array_equal(shown, shown_expressions(1, 300, DRAWN_SEED))


def test_second_opinions(monkeypatch):
    faces = make_faces()
    assert set(crowd.find_second_opinions(faces)) == {-1}
    drawn = dataclasses.replace(faces, name="drawn faces")
    assert crowd.find_second_opinions(drawn).tolist() == shown_expressions(2, 35, DRAWN_SEED).tolist()
    votes = make_votes(*[{3: 10}] * 35)
    monkeypatch.setattr(crowd, "find_votes", lambda: "votes.csv")
    monkeypatch.setattr(crowd, "read_votes", lambda path: {"PrivateTest": votes})
    assert crowd.find_test_votes(faces) is None, "the votes are on FER2013's faces alone"
    original = dataclasses.replace(faces, fingerprint=FER2013_FINGERPRINT)
    assert set(crowd.find_second_opinions(original)) == {3}


# --- calibration ---


def make_answers(confidence, n_right, n=20):
    """(probabilities, labels) of `n` answers of one confidence, `n_right` of them right."""
    probabilities = np.zeros((n, 7))
    probabilities[:, :2] = confidence, 1 - confidence
    return probabilities, np.where(np.arange(n) < n_right, 0, 1)


def test_a_calibrated_network_has_no_error():
    parts = [make_answers(0.55, 11), make_answers(0.75, 15), make_answers(0.95, 19)]
    probabilities, labels = (np.concatenate(each) for each in zip(*parts, strict=True))
    reliability = calibration.measure_reliability(probabilities, labels)
    assert reliability.counts.tolist() == [0, 0, 0, 0, 0, 20, 0, 20, 0, 20]
    assert calibration.calibration_error(reliability) == pytest.approx(0, abs=1e-12)
    assert np.isnan(reliability.accuracy[0])


def test_calibration_error_weighs_bins_by_their_answers():
    parts = [make_answers(0.95, 15, n=20), make_answers(0.65, 33, n=60)]  # 20 points too sure, 10 points too sure
    probabilities, labels = (np.concatenate(each) for each in zip(*parts, strict=True))
    error = calibration.calibration_error(calibration.measure_reliability(probabilities, labels))
    assert error == pytest.approx((20 * 0.2 + 60 * 0.1) / 80)


def test_confidence_1_belongs_to_the_last_bin():
    assert calibration.measure_reliability(np.eye(7), np.arange(7)).counts.tolist() == [0] * 9 + [7]


def test_chance_alone_makes_an_error_that_more_answers_shrink():
    few, many = (calibration.calibration_floor(make_answers(0.75, 0, n)[0]) for n in (20, 2000))
    assert 0.05 < few < 0.12 and many < few / 5


def test_temperature_of_scores_times_three_is_three():
    random = np.random.default_rng(0)
    scores = 1.5 * random.normal(size=(4000, 7))
    labels = (soften(scores).cumsum(axis=1) > random.random((4000, 1))).argmax(axis=1)
    too_sure = soften(3 * scores)
    temperature = calibration.fit_temperature(too_sure, labels)
    assert temperature == pytest.approx(3, rel=0.05)
    cooled = calibration.apply_temperature(too_sure, temperature)
    np.testing.assert_allclose(cooled.sum(axis=1), 1)
    assert calibration.measure_loss(cooled, labels) < calibration.measure_loss(too_sure, labels)
    assert np.array_equal(cooled.argmax(axis=1), too_sure.argmax(axis=1))


def test_temperature_1_changes_nothing_and_no_probability_is_lost():
    probabilities = soften(np.random.default_rng(0).normal(size=(50, 7)))
    np.testing.assert_allclose(calibration.apply_temperature(probabilities, 1), probabilities)
    assert np.isfinite(calibration.measure_loss(np.eye(7), np.roll(np.arange(7), 1)))


# --- rare classes ---


def test_strength_0_changes_nothing_and_1_divides_by_the_shares():
    probabilities = np.array([[0.6, 0.4], [0.9, 0.1]])
    np.testing.assert_allclose(calibration.shift_priors(probabilities, [0.8, 0.2], 0), probabilities)
    shifted = calibration.shift_priors(probabilities, [0.8, 0.2], 1)
    np.testing.assert_allclose(shifted, [[0.75 / 2.75, 2 / 2.75], [1.125 / 1.625, 0.5 / 1.625]])


def test_trade_off_by_hand():
    """Nine faces of class 0 at 80 % and one of class 1 that is called 0 at 60 %: a shift finds it, and loses none."""
    probabilities = np.zeros((10, 7))
    probabilities[:, :2] = [[0.8, 0.2]] * 8 + [[0.55, 0.45]] + [[0.6, 0.4]]
    labels = np.array([0] * 9 + [1])
    priors = np.array([0.6, 0.4, 1, 1, 1, 1, 1])
    curve = calibration.measure_trade_off(probabilities, labels, priors, (0, 1.1, 9))
    np.testing.assert_allclose(curve.accuracy, [0.9, 0.9, 0.1])
    np.testing.assert_allclose(curve.mean_recall, [0.5, (8 / 9 + 1) / 2, 0.5])


def test_shares_and_recalls():
    assert calibration.measure_shares(np.array([0, 0, 6])).tolist() == pytest.approx([2 / 3, 0, 0, 0, 0, 0, 1 / 3])
    recalls = calibration.measure_recalls([0, 0, 6], [0, 1, 6])
    assert (recalls[0], recalls[6]) == (0.5, 1) and np.isnan(recalls[1:6]).all()


# --- heat maps ---


def make_one_place_network(top, left, size=4):
    """Says class 0 the more surely, the brighter one square of the image is, and looks at nothing else."""
    mask = np.zeros((48, 48, 1), np.float32)
    mask[top : top + size, left : left + size] = 1 / size**2
    image = keras.Input((48, 48, 1), dtype="uint8")
    flat = keras.layers.Flatten()(keras.layers.Rescaling(1 / 255)(image))
    dense = keras.layers.Dense(7, activation="softmax")
    model = keras.Model(image, dense(flat))
    kernel = np.zeros((48 * 48, 7), np.float32)
    kernel[:, 0] = 8 * mask.ravel()
    dense.set_weights([kernel, np.zeros(7)])
    return model


def test_occlusion_finds_the_only_place_that_matters():
    model = make_one_place_network(top=8, left=32)  # the field in row 2, column 8
    images = np.full((3, 48, 48, 1), 50, np.uint8)
    images[:, 8:12, 32:36] = 250
    images[:, 40:] = 0
    kept = images.copy()
    drops = heat_maps.occlusion_maps(model, images, np.zeros(3, int), size=4)
    assert drops.shape == (3, 12, 12) and np.array_equal(images, kept)
    assert all(np.unravel_index(drop.argmax(), drop.shape) == (2, 8) for drop in drops)
    drops[:, 2, 8] = 0
    assert np.abs(drops).max() < 1e-6
    wider = heat_maps.occlusion_maps(model, images, np.zeros(3, int), size=12)
    assert np.argwhere(wider[0] > 1e-3).tolist() == [[row, column] for row in (1, 2, 3) for column in (7, 8, 9)]


def test_comparison_of_maps():
    maps = np.random.default_rng(0).random((4, 3, 3))
    others = np.stack([maps[0], -maps[1], np.zeros((3, 3)), np.exp(5 * maps[3])])
    np.testing.assert_allclose(heat_maps.compare_maps(maps, others), [1, -1, np.nan, 1])


@pytest.fixture(scope="module")
def network():
    keras.utils.set_random_seed(0)
    return vgg_like(0.1)


@pytest.fixture(scope="module")
def images():
    return make_split(12, 0).images


def test_layers_are_randomised_from_the_output_down(images):
    one, other = (build_network(EXPERIMENTS["vgg_like"], TINY, seed) for seed in (0, 1))
    before = predict(one, images)
    steps = heat_maps.randomise_layers(one, other)
    assert next(steps) == "expression"
    assert np.array_equal(one.get_layer("expression").kernel, other.get_layer("expression").kernel)
    assert not np.array_equal(one.get_layer("dense").kernel, other.get_layer("dense").kernel)
    assert np.abs(predict(one, images) - before).max() > 1e-3
    assert list(steps) == ["dense", *(f"conv{number}" for number in range(8, 0, -1))]
    np.testing.assert_allclose(predict(one, images), predict(other, images), atol=1e-6)


def test_heat_maps_of_a_randomised_network_differ(images):
    one, other = (build_network(EXPERIMENTS["vgg_like"], TINY, seed) for seed in (0, 1))
    found = heat_maps.check_heat_maps(one, other, images, "conv8_relu")
    assert list(found)[:2] == ["none", "expression"] and list(found)[-2:] == ["conv1", "another face"]
    assert found["none"] == pytest.approx(1) and found["conv1"] < 0.9


def test_layers_are_held_against_occlusion(network, images):
    classes = np.zeros(len(images), int)
    drops = heat_maps.occlusion_maps(network, images, classes)
    found = heat_maps.compare_with_occlusion(network, images, classes, drops)
    assert [look.places for look in found.values()] == [12, 6, 6] and list(found)[-1] == "conv8_relu"
    assert all(0 <= look.dark <= 1 for look in found.values())


# --- neighbours ---


def test_neighbours_by_hand():
    features = np.array([[0.0], [1.0], [2.1], [10.0], [11.0], [12.5]])
    labels = np.array([0, 0, 1, 1, 1, 1])
    assert readings.neighbour_agreement(features, labels, 1).tolist() == [1, 1, 0, 1, 1, 1]


def test_embedding_is_what_the_last_layer_reads(network, images):
    features = readings.embed(network, images)
    kernel, bias = network.layers[-1].get_weights()
    np.testing.assert_allclose(soften(features @ kernel + bias), predict(network, images), atol=1e-5)


# --- the record ---


@pytest.fixture
def recorded_run(monkeypatch):
    """FER2013 that is noise, and a run on it whose network is built at once."""
    faces = make_faces(fingerprint=FER2013_FINGERPRINT, test=make_split(70, 3), validation=make_split(70, 2))
    run = make_run(experiment="vgg_like", views=2, recipe=dataclasses.asdict(RECIPES["full"]))
    answers = run.test_probabilities.argmax(axis=1)
    correct = answers == faces.test.labels
    run = dataclasses.replace(run, test_correct=correct, test_accuracy=float(correct.mean()))
    monkeypatch.setattr(recording, "find_best", lambda recorded: run)
    monkeypatch.setattr(recording, "load_recorded", lambda folder: {})
    monkeypatch.setattr(recording, "load_network", lambda run: vgg_like(0.1))
    monkeypatch.setattr(recording, "build_network", lambda *_, seed: vgg_like(0.1))
    monkeypatch.setattr(recording, "find_test_votes", lambda faces: None)
    monkeypatch.setattr(recording, "N_LOOKED_AT", 5)
    return faces, run


@pytest.mark.slow
def test_record_is_written_read_and_kept(recorded_run, tmp_path, monkeypatch):
    faces, run = recorded_run
    facts = recording.record_mistakes(faces, tmp_path)
    assert facts == records.load_mistakes(tmp_path)
    assert (facts["experiment"], facts["seed"], facts["views"]) == ("vgg_like", 0, 2) and "crowd" not in facts
    assert np.shape(facts["looks"]["occlusion"]) == (12, 12) and facts["looks"]["n"] == 5
    assert sum(facts["calibration"]["before"]["counts"]) == sum(facts["class_counts"]) == 70
    assert facts["trade_off"]["accuracy"][0] == pytest.approx(run.test_accuracy, rel=1e-5)
    stamp = (tmp_path / records.MISTAKES).stat().st_mtime_ns
    assert recording.record_mistakes(faces, tmp_path) == facts
    assert (tmp_path / records.MISTAKES).stat().st_mtime_ns == stamp, "the same network is not read twice"
    monkeypatch.setattr(recording, "find_test_votes", lambda faces: make_votes(*[{3: 6, 4: 4}] * 70))
    again = recording.record_mistakes(faces, tmp_path)
    assert again["crowd"]["ceiling"]["all_votes"] == pytest.approx(0.6) and again["crowd"]["n"] == 70


@pytest.mark.slow
def test_another_network_is_recorded_anew(recorded_run, tmp_path, monkeypatch):
    faces, run = recorded_run
    recording.record_mistakes(faces, tmp_path)
    monkeypatch.setattr(recording, "find_best", lambda recorded: dataclasses.replace(run, seed=1))
    assert recording.record_mistakes(faces, tmp_path)["seed"] == 1


def test_copies_and_their_labels_are_counted(recorded_run):
    faces, run = recorded_run
    images, labels = faces.test.images.copy(), faces.test.labels.copy()
    images[[3, 5]] = faces.train.images[[0, 9]]
    labels[3], labels[5] = faces.train.labels[0], (faces.train.labels[9] + 1) % 7
    faces = dataclasses.replace(faces, test=dataclasses.replace(faces.test, images=images, labels=labels))
    found = recording._judge_copies(run, faces)
    assert (found["n"], found["same_label"], found["n_others"]) == (2, 1, 68)
    assert found["correct"] == run.test_correct[[3, 5]].sum()
    assert found["correct"] + found["correct_others"] == run.test_correct.sum()


def test_only_fer2013_is_recorded_and_a_network_is_needed(tmp_path, capsys):
    with pytest.raises(ValueError, match="these faces are noise"):
        recording.record_mistakes(make_faces(), tmp_path)
    assert recording.record_mistakes(make_faces(fingerprint=FER2013_FINGERPRINT), tmp_path) is None
    assert "no mistakes are recorded" in capsys.readouterr().out and not list(tmp_path.iterdir())


@pytest.mark.parametrize("content", ["", "[1]", "{}", '{"fingerprint": '])
def test_damaged_record_is_named(tmp_path, capsys, content):
    assert records.load_mistakes(tmp_path) is None and capsys.readouterr().out == ""
    (tmp_path / records.MISTAKES).write_text(content)
    assert records.load_mistakes(tmp_path) is None
    assert f"left out: {records.MISTAKES} is damaged" in capsys.readouterr().out


def test_record_of_other_faces_or_of_another_format_is_none(tmp_path):
    for facts in (
        {"fingerprint": "0", "format": records.MISTAKES_FORMAT},
        {"fingerprint": FER2013_FINGERPRINT, "format": 0},
    ):
        (tmp_path / records.MISTAKES).write_text(json.dumps(facts))
        assert records.load_mistakes(tmp_path) is None


def test_committed_record_is_of_the_best_run():
    facts, run = records.load_mistakes(), records.find_best(records.load_recorded())
    assert (facts["experiment"], facts["seed"]) == (run.experiment, run.seed), "`fer-course reproduce` writes it anew"


def test_committed_record_agrees_with_its_run_and_itself():
    facts, test_set = records.load_mistakes(), records.load_test_set()
    (run,) = [run for run in records.load_recorded()[facts["experiment"]] if run.seed == facts["seed"]]
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
    votes, facts = crowd.find_test_votes(faces), records.load_mistakes()
    (run,) = [run for run in records.load_recorded()[facts["experiment"]] if run.seed == facts["seed"]]
    found = crowd.compare_with_crowd(labels, run.test_predictions, votes)
    recorded = facts["crowd"]
    assert all(np.allclose(recorded[name], value, rtol=1e-5) for name, value in found.items())
    assert crowd.label_ceiling(votes)._asdict() == pytest.approx(recorded["ceiling"], rel=1e-5)
