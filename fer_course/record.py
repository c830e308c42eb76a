"""Records what notebooks need to know of FER2013 and cannot see without it.

These are facts of its test set, and what the best network's mistakes say. Numbers only; whatever is fitted or chosen
is so on PublicTest.
"""

import itertools

import numpy as np

from fer_utils.data import CLASS_NAMES, FER2013_FINGERPRINT, find_copies, find_votes, read_votes
from fer_utils.environment import progress_bar
from fer_utils.evaluation import (
    N_LOOKED_AT,
    STRENGTHS,
    accuracy_by_agreement,
    apply_temperature,
    calibration_error,
    calibration_floor,
    check_heat_maps,
    compare_with_crowd,
    compare_with_occlusion,
    crowd_accuracy,
    embed,
    explain_likeness,
    find_test_votes,
    fit_temperature,
    label_ceiling,
    measure_loss,
    measure_recalls,
    measure_reliability,
    measure_shares,
    measure_trade_off,
    neighbour_agreement,
    occlusion_maps,
    shift_priors,
    wilson_interval,
)
from fer_utils.models import VIEWS, predict, predict_views, smooth
from fer_utils.report import (
    MISTAKES,
    MISTAKES_FORMAT,
    RECORDED,
    TEST_SET,
    find_best,
    find_kept,
    identify_run,
    load_mistakes,
    load_recorded,
    load_test_set,
)
from fer_utils.training import (
    BEST_ROWS,
    EQUAL_ROWS,
    Recipe,
    RunError,
    build_network,
    find_commit,
    find_experiment,
    find_known,
    list_versions,
    load_network,
    save_facts,
)

MOST_TOGETHER = 5  # networks, as the target of notebook 10 has it


def record_mistakes(faces, folder=None):
    """Writes what the best recorded network's answers on FER2013 tell to `MISTAKES`; returns it, as `load_mistakes`.

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
    path, known, votes = (folder or RECORDED) / MISTAKES, find_known(load_mistakes, folder), find_test_votes(faces)
    which = {**identify_run(run), "fingerprint": faces.fingerprint}
    same = known and all(known[name] == value for name, value in _plain(which).items())
    if same and ("crowd" in known or votes is None):
        return known
    print(f"reading the mistakes of {run.experiment}, seed {run.seed}: some minutes")
    network = load_network(run)
    facts = {"format": MISTAKES_FORMAT, **which, "commit": find_commit(), "versions": list_versions()}
    facts |= _judge_answers(run, network, faces) | {"copies": _judge_copies(run, faces)}
    if votes is not None:
        facts["crowd"] = _ask_crowd(run, faces, votes)
    facts |= {"neighbours": _ask_neighbours(network, faces.validation), "looks": _look(run, network, faces.validation)}
    save_facts(_plain(facts), path)
    return load_mistakes(folder)


def _judge_answers(run, network, faces):
    """Returns confusion, calibration and trade-off on PrivateTest, temperature and strength from PublicTest."""
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
    """Returns the accuracy on test images that also occur in the training set, on the others, and how labels agree."""
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
    """Returns occlusion and the check of the heat maps; last of all, because the check leaves `network` untrained."""
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
        "likeness": explain_likeness(network, images, layer),
        "randomised": check_heat_maps(network, fresh, images, layer),
    }


def _plain(value):
    """Returns `value` as JSON can hold it: lists for arrays, six digits, None for NaN."""
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [_plain(part) for part in value]
    if isinstance(value, float | np.floating):
        return None if np.isnan(value) else float(f"{value:.6g}")
    return int(value) if isinstance(value, np.integer) else value


def record_test_set(faces, folder=None):
    """Writes what the notebooks need to know of FER2013's test set and cannot see without it; numbers only.

    These are: the test images that also occur in the training set, pixel for pixel, by their rows; the accuracy of
    several networks together (`average_networks`); that of the best network by its number of views, on the validation
    images; and, where FERPlus's votes are found, the crowd's accuracy. Returns the facts.
    """
    path = (folder or RECORDED) / TEST_SET
    facts = find_known(load_test_set, folder) or {}
    facts |= {"fingerprint": faces.fingerprint, "also_in_training": find_copies(faces.test, faces.train)}
    recorded = load_recorded(folder=folder)
    facts["ensembles"] = average_networks(recorded, faces.test.labels)
    facts["views"] = compare_views(recorded, faces.validation, facts.get("views"))
    if votes := find_votes():
        facts["crowd_accuracy"] = crowd_accuracy(read_votes(votes)["PrivateTest"], faces.test.labels)
    save_facts(facts, path)
    return facts


def average_networks(recorded, labels):
    """Judges networks together, by their mean probabilities: {name: {"seeds", "accuracy", "low", "high"}}.

    Under an experiment's name all its seeds, where there are two or more; under "equal_cost" one network per family of
    notebook 09; under "best_rows" the best on PublicTest of each recipe of `BEST_ROWS` that has not seen it, the first
    five of these. `labels` are those of the test images; low and high bound the 95 % interval (Wilson 1927).
    """
    groups = {name: runs for name, runs in recorded.items() if len(runs) > 1}
    families = [runs[0] for name in EQUAL_ROWS if (runs := recorded[name])]
    of_recipes = [runs for name in BEST_ROWS if (runs := recorded[name]) and runs[0].learns_from == "Training"]
    best = sorted((max(runs, key=_on_publictest) for runs in of_recipes), key=_on_publictest, reverse=True)
    pairs = ("equal_cost", families), ("best_rows", best[:MOST_TOGETHER])
    groups |= {name: few for name, few in pairs if len(few) > 1}
    return {name: _judge_together(runs, labels) for name, runs in groups.items()}


def _on_publictest(run):
    return run.validation_accuracy


def _judge_together(runs, labels):
    probabilities = np.mean([run.test_probabilities.astype(float) for run in runs], axis=0)
    n_correct = int(np.sum(probabilities.argmax(axis=1) == labels))
    low, high = wilson_interval(n_correct, len(labels))
    return {"seeds": len(runs), "accuracy": n_correct / len(labels), "low": float(low), "high": float(high)}


def compare_views(recorded, validation, known=None):
    """Measures how well the best network with weights judges the validation images by each of `VIEWS`; None without.

    {"validation": {views: accuracy}, "smoothed": {views: accuracy}} beside `identify_run`: of the images as they are,
    and smoothed as in training (`models.smooth`). `known` is an earlier answer, and the answer again if it is of the
    same run.
    """
    try:
        run = find_kept(recorded, *BEST_ROWS)
    except RunError:
        return None
    which = identify_run(run)
    if known and known == {**which, **{name: known.get(name) for name in ("validation", "smoothed")}}:
        return known
    network, found = load_network(run), {"validation": {}, "smoothed": {}}
    looks = {"validation": validation.images, "smoothed": smooth(validation.images)}
    for look, views in progress_bar([*itertools.product(looks, VIEWS)], desc="views of each face"):
        predictions = predict_views(network, looks[look], views).argmax(axis=1)
        found[look][str(views)] = float(np.mean(predictions == validation.labels))
    return {**which, **found}
