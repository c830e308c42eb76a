"""Reading a network's mistakes: against the crowd, by confidence, by class, by place, by neighbours; and their record.

The functions take arrays and give numbers. `record_mistakes` uses all of them on FER2013 with the best recorded network
and keeps numbers only; whatever is fitted or chosen is so on PublicTest.
"""

import json
from typing import NamedTuple

import numpy as np
from scipy import optimize, stats
from sklearn.neighbors import NearestNeighbors

from fer_utils.activations import class_heat_maps, convolution_outputs
from fer_utils.data import DRAWN_SEED, FER2013_FINGERPRINT
from fer_utils.drawn_faces import shown_expressions
from fer_utils.environment import atomic_path
from fer_utils.evaluation import confusion_matrix, wilson_interval
from fer_utils.experiments import Recipe, find_experiment
from fer_utils.fer2013 import CLASS_NAMES, IMAGE_SIZE
from fer_utils.ferplus import crowd_accuracy, find_votes, read_votes
from fer_utils.models import keras, predict, predict_views
from fer_utils.report import RECORDED, find_best, find_copies, identify, load_recorded, read_facts
from fer_utils.runs import RunError
from fer_utils.training import build_network, commit, load_network, versions

FILE = "mistakes.json"
FORMAT = 1  # to be raised when the record holds other numbers for the same network
N_BINS = 10
STRENGTHS = tuple(np.round(np.arange(0, 1.55, 0.1), 1).tolist())
# From which share of the votes for the most frequent answer each bin of agreement starts.
AGREEMENT = {"below 50 %": 0.0, "50 to 69 %": 0.5, "70 to 89 %": 0.7, "90 to 99 %": 0.9, "100 %": 1.0}
N_LOOKED_AT = 100  # faces for heat maps and occlusion


# --- the crowd's votes ---


class AgreementBin(NamedTuple):
    """The answers on the faces that the crowd agrees on to a degree: how many, the share right, its 95 % interval."""

    count: int
    accuracy: float
    low: float
    high: float


class Ceiling(NamedTuple):
    """How often the best possible answer would meet one more vote of the same crowd (see `label_ceiling`)."""

    all_votes: float
    seven_classes: float
    left_out: float


def find_test_votes(faces):
    """The crowd's votes on the test faces, int (N, 10), or None where `faces` are not FER2013 or no votes are found."""
    path = find_votes() if faces.fingerprint == FER2013_FINGERPRINT else None
    return read_votes(path)["PrivateTest"] if path else None


def find_second_opinions(faces):
    """A second label for each test face, int (N,), -1 where there is none.

    Of drawn faces the expression that is really drawn, of FER2013 the crowd's answer (`find_majority`).
    """
    n_faces, votes = len(faces.test.labels), find_test_votes(faces)
    if faces.name == "drawn faces":
        return shown_expressions(2, n_faces, DRAWN_SEED).astype(int)
    return np.full(n_faces, -1) if votes is None else find_majority(votes)


def measure_agreement(votes):
    """Share of the votes for the most frequent answer, float (N,), of `votes` int (N, answers)."""
    return np.max(votes, axis=1) / np.sum(votes, axis=1)


def accuracy_by_agreement(correct, votes):
    """{bin of `AGREEMENT`: `AgreementBin`} of answers `correct` bool (N,) on faces with `votes` int (N, 10).

    Empty bins are left out. The intervals are Wilson's (1927).
    """
    starts = np.array(list(AGREEMENT.values()))
    places = np.searchsorted(starts, measure_agreement(votes) + 1e-9) - 1
    found = {}
    for place, words in enumerate(AGREEMENT):
        right = np.asarray(correct)[places == place]
        if right.size:
            found[words] = AgreementBin(right.size, float(right.mean()), *wilson_interval(right.sum(), right.size))
    return found


def label_ceiling(votes):
    """The `Ceiling` of the accuracy, were each label one more vote of the crowd; `votes` int (N, 10).

    On a face the best answer is the class with most votes, and it is right with that class's share: of all votes
    (`all_votes`; answers that FER2013 has no class for are then always missed), or of the votes for the seven classes
    (`seven_classes`; faces without such a vote are left out). Both know the very votes they are judged by, and with
    ten votes that flatters. `left_out` does not: each vote is judged by the majority of the others, one of k equally
    frequent answers counting 1/k.
    """
    votes = np.asarray(votes, float)
    of_classes = votes[:, : len(CLASS_NAMES)]
    most, total = of_classes.max(axis=1), of_classes.sum(axis=1)
    met = np.zeros(len(votes))
    for answer in range(votes.shape[1]):
        others = votes.copy()
        others[:, answer] -= 1
        best = others == others.max(axis=1, keepdims=True)
        met += votes[:, answer] * best[:, answer] / best.sum(axis=1)
    everything = votes.sum(axis=1)
    shares = most[total > 0] / total[total > 0]
    return Ceiling(float(np.mean(most / everything)), float(np.mean(shares)), float(np.mean(met / everything)))


def find_majority(votes):
    """The crowd's class on each face, int (N,): its one most frequent answer; -1 where that is a tie or no class."""
    first, ties = votes.argmax(axis=1), (votes == votes.max(axis=1, keepdims=True)).sum(axis=1)
    return np.where((ties == 1) & (first < len(CLASS_NAMES)), first, -1)


def compare_with_crowd(labels, predictions, votes):
    """What the crowd says of a network's answers, as a dict; faces without the crowd's one class are left out of it.

    `n` faces have such a class; `confusion` and `confusion_labels` (7, 7) have it as rows and the network's answers or
    the labels as columns; on these faces `network` and `labels` are the shares that agree with the crowd. The network's
    answers agree with the labels on the share `network_labels`, and where crowd and label agree on `where_agreed`;
    `mistakes_shared` is the share of its mistakes that are what the crowd says, `mistakes_of_labels` the share of them
    where label and crowd differ.
    """
    majority = find_majority(votes)
    known = majority >= 0
    crowd, labels, predictions = majority[known], np.asarray(labels)[known], np.asarray(predictions)[known]
    wrong = predictions != labels
    return {
        "n": int(known.sum()),
        "confusion": confusion_matrix(crowd, predictions),
        "confusion_labels": confusion_matrix(crowd, labels),
        "network": float(np.mean(predictions == crowd)),
        "labels": float(np.mean(labels == crowd)),
        "network_labels": float(np.mean(~wrong)),
        "where_agreed": float(np.mean(~wrong[labels == crowd])),
        "mistakes_shared": float(np.mean((predictions == crowd)[wrong])),
        "mistakes_of_labels": float(np.mean((labels != crowd)[wrong])),
    }


# --- does it know when it errs? ---


class Reliability(NamedTuple):
    """By bins of confidence: how many answers, their mean confidence, their share right (both NaN in an empty bin)."""

    counts: np.ndarray
    confidence: np.ndarray
    accuracy: np.ndarray


def measure_reliability(probabilities, labels, n_bins=N_BINS):
    """The `Reliability` of probabilities (N, classes): `n_bins` bins of equal width over the highest one."""
    probabilities = np.asarray(probabilities, float)
    return _sort_into_bins(probabilities.max(axis=1), probabilities.argmax(axis=1) == labels, n_bins)


def _sort_into_bins(confidence, correct, n_bins):
    bins = np.minimum((confidence * n_bins).astype(int), n_bins - 1)
    counts, sure, right = (np.bincount(bins, weights, n_bins) for weights in (None, confidence, correct))
    with np.errstate(invalid="ignore"):
        return Reliability(counts, sure / counts, right / counts)


def calibration_error(reliability):
    """The expected calibration error (Guo et al. 2017): the mean distance of confidence and accuracy over answers."""
    distances = np.nan_to_num(np.abs(reliability.confidence - reliability.accuracy))
    return float(np.sum(reliability.counts * distances) / np.sum(reliability.counts))


def calibration_floor(probabilities, n_draws=200, seed=0, n_bins=N_BINS):
    """The calibration error that as many answers show by chance when each is right exactly as often as it says."""
    confidence = np.asarray(probabilities, float).max(axis=1)
    draws = np.random.default_rng(seed).random((n_draws, len(confidence)))
    return float(np.mean([calibration_error(_sort_into_bins(confidence, draw < confidence, n_bins)) for draw in draws]))


def measure_loss(probabilities, labels):
    """The mean negative log-likelihood of `labels` int (N,); a probability of 0 counts as 1e-7."""
    chosen = np.asarray(probabilities, float)[np.arange(len(labels)), labels]
    return float(-np.log(np.maximum(chosen, 1e-7)).mean())


def apply_temperature(probabilities, temperature):
    """Probabilities (N, classes) as if the scores before the softmax had been divided by `temperature`."""
    scores = np.log(np.maximum(np.asarray(probabilities, float), 1e-7)) / temperature
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def fit_temperature(probabilities, labels):
    """The temperature (Guo et al. 2017), from 0.05 to 20, at which the negative log-likelihood is least."""
    found = optimize.minimize_scalar(
        lambda log: measure_loss(apply_temperature(probabilities, np.exp(log)), labels),
        bounds=np.log([0.05, 20]),
        method="bounded",
    )
    return float(np.exp(found.x))


# --- rare classes ---


class TradeOff(NamedTuple):
    """Accuracy and mean of the classes' recalls, a value per strength."""

    strengths: tuple
    accuracy: np.ndarray
    mean_recall: np.ndarray


def measure_shares(labels):
    """The share of each class among `labels`, float (7,)."""
    return np.bincount(labels, minlength=len(CLASS_NAMES)) / len(labels)


def shift_priors(probabilities, priors, strength):
    """Probabilities divided by `priors` to the power `strength`: logit adjustment (Menon et al. 2021).

    `priors` (classes,) are the classes' shares in training. Strength 0 changes nothing; at 1 the classes count as if
    they had been equally frequent.
    """
    shifted = np.asarray(probabilities, float) * np.asarray(priors, float) ** -strength
    return shifted / shifted.sum(axis=1, keepdims=True)


def measure_recalls(labels, predictions):
    """The share found of each class, float (7,); NaN for a class without faces."""
    counts = confusion_matrix(labels, predictions)
    with np.errstate(invalid="ignore"):
        return counts.diagonal() / counts.sum(axis=1)


def measure_trade_off(probabilities, labels, priors, strengths=STRENGTHS):
    """The `TradeOff` of `shift_priors` at each of `strengths`."""
    answers = [shift_priors(probabilities, priors, strength).argmax(axis=1) for strength in strengths]
    recalls = [np.nanmean(measure_recalls(labels, given)) for given in answers]
    return TradeOff(strengths, np.array([np.mean(given == labels) for given in answers]), np.array(recalls))


# --- where it looks ---


def occlusion_maps(model, images, classes, size=12, step=4):
    """What a grey square takes from the probability of `classes` int (N,): float (N, 48 / step, 48 / step).

    Zeiler and Fergus 2014. The square of `size` pixels lies round the middle of each field of `step` pixels, cut off
    at the border, and has the image's mean grey. `images` are uint8 (N, 48, 48, 1).
    """
    everyone = np.arange(len(images))
    before = predict(model, images)[everyone, classes]
    grey = images.mean(axis=(1, 2, 3), keepdims=True).astype(np.uint8)
    edges = [(max(0, middle - size // 2), middle + size // 2) for middle in range(step // 2, IMAGE_SIZE, step)]
    drops = np.zeros((len(images), len(edges), len(edges)), np.float32)
    for row, (top, bottom) in enumerate(edges):
        for column, (left, right) in enumerate(edges):
            covered = images.copy()
            covered[:, top:bottom, left:right] = grey
            drops[:, row, column] = before - predict(model, covered)[everyone, classes]
    return drops


def compare_maps(maps, others):
    """Rank correlation (Spearman 1904) of each map (N, height, width) with its fellow, (N,); NaN where one is flat."""
    ranks = [stats.rankdata(each.reshape(len(each), -1), axis=1) for each in (maps, others)]
    ranks = [rank - rank.mean(axis=1, keepdims=True) for rank in ranks]
    with np.errstate(invalid="ignore"):
        return (ranks[0] * ranks[1]).sum(axis=1) / np.sqrt((ranks[0] ** 2).sum(axis=1) * (ranks[1] ** 2).sum(axis=1))


def randomise_layers(network, fresh):
    """Gives `network` the weights of `fresh`, layer by layer from the output down, and yields each layer's name.

    The cascade of Adebayo et al. (2018). `fresh` is the same network untrained; a normalisation goes with its
    convolution. `network` itself changes.
    """
    for layer in reversed(network.layers):
        if layer.trainable_weights:
            layer.set_weights(fresh.get_layer(layer.name).get_weights())
            if hasattr(layer, "kernel"):
                yield layer.name


class LayerLook(NamedTuple):
    """A layer's heat maps: places along a side, share that is dark all over, rank correlation with occlusion."""

    places: int
    dark: float
    agreement: float


def compare_with_occlusion(model, images, classes, drops):
    """{layer: `LayerLook`} of the last three convolutions: Grad-CAM for `classes` against `drops` of `occlusion_maps`.

    The drops are averaged to the places of the heat maps.
    """
    found = {}
    for name in convolution_outputs(model)[-3:]:
        heat = class_heat_maps(model, images, classes, name)
        size = heat.shape[1]
        coarse = drops.reshape(len(drops), size, -1, size, drops.shape[2] // size).mean(axis=(2, 4))
        dark = float(np.mean(heat.max(axis=(1, 2)) == 0))
        found[name] = LayerLook(size, dark, _mean(compare_maps(heat, coarse)))
    return found


def check_heat_maps(network, fresh, images, layer_name):
    """{layers randomised: mean rank correlation of the heat maps with the original ones}, "none" first.

    Grad-CAM at `layer_name` for the classes first predicted, while `randomise_layers` works its way down; NaN where
    all maps are dark. Last, under "another face", the correlation of each face's original map with the next face's:
    what maps have in common that do not belong together. `network` itself changes.
    """
    classes = predict(network, images).argmax(axis=1)
    original = class_heat_maps(network, images, classes, layer_name)
    found = {"none": _mean(compare_maps(original, original))}
    for name in randomise_layers(network, fresh):
        found[name] = _mean(compare_maps(original, class_heat_maps(network, images, classes, layer_name)))
    return found | {"another face": _mean(compare_maps(original, np.roll(original, 1, axis=0)))}


def _mean(values):
    return float(np.nanmean(values)) if np.isfinite(values).any() else float("nan")


# --- what lies near what ---


def embed(model, images):
    """What the last layer of `model` reads of uint8 images (N, 48, 48, 1): float32 (N, features)."""
    return predict(keras.Model(model.input, model.layers[-1].input), images)


def neighbour_agreement(features, labels, n_neighbours=10):
    """Of the `n_neighbours` nearest of each of the features (N, F), the share with the same label, float (N,)."""
    nearest = NearestNeighbors(n_neighbors=n_neighbours).fit(features).kneighbors(return_distance=False)
    return np.mean(np.asarray(labels)[nearest] == np.asarray(labels)[:, np.newaxis], axis=1)


# --- the record on FER2013 ---


def record_mistakes(faces, folder=None):
    """Writes what this module finds of the best recorded network on FER2013 to `FILE`; returns it, as `load_mistakes`.

    Some minutes on two cores; a record of the same network is kept as it is, unless votes have come since. None, and a
    printed line, if no run has weights. Raises `ValueError` if `faces` are not FER2013.
    """
    if faces.fingerprint != FER2013_FINGERPRINT:
        raise ValueError(f"mistakes are recorded on FER2013's own pixels, and these faces are {faces.name}")
    try:
        run = find_best(load_recorded(folder=folder))
    except RunError as error:
        print(f"no mistakes are recorded: {error}")
        return None
    path, known, votes = (folder or RECORDED) / FILE, load_mistakes(folder), find_test_votes(faces)
    which = {**identify(run), "fingerprint": faces.fingerprint}
    same = known and all(known[name] == value for name, value in _plain(which).items())
    if same and ("crowd" in known or votes is None):
        return known
    print(f"reading the mistakes of {run.experiment}, seed {run.seed}: some minutes")
    network = load_network(run)
    facts = {"format": FORMAT, **which, "commit": commit(), "versions": versions()}
    facts |= _judge_answers(run, network, faces) | {"copies": _judge_copies(run, faces)}
    if votes is not None:
        facts["crowd"] = _ask_crowd(run, faces, votes)
    facts |= {"neighbours": _ask_neighbours(network, faces.validation), "looks": _look(run, network, faces.validation)}
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(_plain(facts), indent=1) + "\n", encoding="utf-8")
    return load_mistakes(folder)


def load_mistakes(folder=None):
    """The dict that `record_mistakes` wrote, or None if there is none of FER2013; a damaged one is named."""
    facts = read_facts((folder or RECORDED) / FILE)
    return facts if facts and facts.get("format") == FORMAT else None


def _judge_answers(run, network, faces):
    """Confusion, calibration and trade-off on PrivateTest, temperature and strength from PublicTest."""
    chosen_on, chosen_labels, labels = faces.validation.images, faces.validation.labels, faces.test.labels
    # In half precision, like those that the run keeps of the test faces.
    choose = predict_views(network, chosen_on, run.views).astype(np.float16)
    temperature = fit_temperature(choose, chosen_labels)
    priors = measure_shares(faces.train.labels)
    curve, on_validation = (
        measure_trade_off(probabilities, of, priors)
        for probabilities, of in ((run.test_probabilities, labels), (choose, chosen_labels))
    )
    strength = STRENGTHS[int(on_validation.mean_recall.argmax())]
    cooled = apply_temperature(run.test_probabilities, temperature)
    shifted = shift_priors(run.test_probabilities, priors, strength).argmax(axis=1)
    return {
        "confusion": run.confusion,
        "temperature": temperature,
        "calibration": {
            when: {
                **measure_reliability(probabilities, labels)._asdict(),
                "error": calibration_error(measure_reliability(probabilities, labels)),
                "floor": calibration_floor(probabilities),
                "loss": measure_loss(probabilities, labels),
            }
            for when, probabilities in (("before", run.test_probabilities), ("after", cooled))
        },
        "trade_off": {**curve._asdict(), "chosen": strength},
        "recalls": {
            "before": measure_recalls(labels, run.test_predictions),
            "after": measure_recalls(labels, shifted),
        },
        "class_counts": np.bincount(labels, minlength=len(CLASS_NAMES)),
    }


def _judge_copies(run, faces):
    """Accuracy on the test faces that stand in training too and on the others, and whether their labels agree."""
    copies = find_copies(faces.test, faces.train)
    is_copy = np.isin(np.arange(len(faces.test.labels)), copies)
    taught = {}
    for image, label in zip(faces.train.images, faces.train.labels, strict=True):
        taught.setdefault(image.tobytes(), set()).add(int(label))
    same = [int(faces.test.labels[place]) in taught[faces.test.images[place].tobytes()] for place in copies]
    return {
        "n": len(copies),
        "same_label": int(np.sum(same)),
        "correct": int(run.test_correct[is_copy].sum()),
        "correct_same_label": int(run.test_correct[copies][same].sum()),
        "n_others": int((~is_copy).sum()),
        "correct_others": int(run.test_correct[~is_copy].sum()),
    }


def _ask_crowd(run, faces, votes):
    return {
        **compare_with_crowd(faces.test.labels, run.test_predictions, votes),
        "accuracy": crowd_accuracy(votes, faces.test.labels),
        "by_agreement": {
            words: found._asdict() for words, found in accuracy_by_agreement(run.test_correct, votes).items()
        },
        "ceiling": label_ceiling(votes)._asdict(),
    }


def _ask_neighbours(network, split):
    pixels = split.images.reshape(len(split.images), -1).astype(np.float32)
    features = {"embedding": embed(network, split.images), "pixels": pixels}
    agreements = {name: neighbour_agreement(values, split.labels) for name, values in features.items()}
    chance = float(np.sum(measure_shares(split.labels) ** 2))
    found = {name: {"mean": values.mean(), "by_class": _by_class(values, split)} for name, values in agreements.items()}
    return {**found, "chance": chance, "shares": measure_shares(split.labels)}


def _by_class(values, split):
    return [values[split.labels == label].mean() for label in range(len(CLASS_NAMES))]


def _look(run, network, split):
    """Occlusion and the check of the heat maps; last of all, because the check leaves `network` untrained."""
    images = split.images[:N_LOOKED_AT]
    classes = predict(network, images).argmax(axis=1)
    drops = occlusion_maps(network, images, classes)
    layers = compare_with_occlusion(network, images, classes, drops)
    layer = max(layers, key=lambda name: layers[name].agreement)
    fresh = build_network(find_experiment(run.experiment), Recipe(**run.recipe), seed=run.seed + 1)
    return {
        "n": len(images),
        "occlusion": drops.mean(axis=0),
        "layers": {name: look._asdict() for name, look in layers.items()},
        "layer": layer,
        "randomised": check_heat_maps(network, fresh, images, layer),
    }


def _plain(value):
    """`value` as JSON can hold it: lists for arrays, six digits, None for NaN."""
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [_plain(part) for part in value]
    if isinstance(value, float | np.floating):
        return None if np.isnan(value) else float(f"{value:.6g}")
    return int(value) if isinstance(value, np.integer) else value
