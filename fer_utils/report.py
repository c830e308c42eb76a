"""The 2020 report's numbers, the recorded runs, and the tables that set them side by side."""

import itertools
import json
from typing import NamedTuple

import numpy as np
import pandas as pd

from fer_utils.augmentation import smooth
from fer_utils.data import FER2013_FINGERPRINT
from fer_utils.environment import DATA, PROJECT, atomic_path, progress_bar
from fer_utils.evaluation import average_over_seeds, compare_over_seeds, wilson_interval
from fer_utils.experiments import (
    ABLATION_ROWS,
    BEST_ROWS,
    EQUAL_ROWS,
    EXPERIMENTS,
    FAST_ROWS,
    ROWS,
    STRIDE_2_ROWS,
    Recipe,
    find_difference,
    find_recipe,
)
from fer_utils.fer2013 import COUNTS
from fer_utils.ferplus import crowd_accuracy, find_votes, read_votes
from fer_utils.models import PASSES, count_multiply_adds, predict_views
from fer_utils.runs import WEIGHTS, RunError, list_runs
from fer_utils.training import build_network, load_network

# Table 1: test accuracy in percent.
TABLE_1 = {"lenet_like": 51, "lenet_like_augmented": 53, "vgg_like": 56, "resnet_like": 58}
# §5.1: the baseline's training accuracy "arises to 80 percent very quickly".
BASELINE_TRAINING_ACCURACY = 80
# §5.2: depth gains 3 to 4 points of validation accuracy. §5.3: shortcuts gain "more than 2 percent".
GAIN_OF_DEPTH = (3, 4)
GAIN_OF_SHORTCUTS = 2


class Record(NamedTuple):
    """A published accuracy on FER2013: on which images, by which images the model was chosen, from which other data."""

    name: str
    accuracy: str
    split: str
    chosen_on: str
    extra_data: str
    training_cost: float | None = None  # multiply-adds


# Public as of 2026. "chosen on" is what decided which epoch or which model is reported.
RECORDS = (
    Record("people (Goodfellow et al. 2013)", "65 ± 5 %", "–", "–", "–"),
    Record("winner of the challenge (Tang 2013)", "71.2 %", "PrivateTest", "PublicTest", "none"),
    Record("8 networks together (Pramerdorfer and Kampel 2016)", "75.2 %", "PrivateTest", "not known", "none"),
    Record(
        "mini_XCEPTION, flipped view (oarriaga/face_classification)",
        "66.9 %", "PrivateTest", "both splits", "none", 9e13,
    ),
    Record(
        "VGG19, ten crops (WuJie1010/Facial-Expression-Recognition.Pytorch)",
        "73.1 %", "PrivateTest", "PrivateTest itself", "none", 1.45e16,
    ),
    Record("VGG, ten crops (usef-kh/fer)", "73.3 %", "PublicTest", "PrivateTest", "none", 9e16),
    Record("ResNet18, ten crops (LetheSec)", "73.7 %", "PrivateTest", "PrivateTest itself", "none"),
    Record("Residual Masking Network (Pham et al. 2021)", "74.1 %", "PrivateTest", "not known", "ImageNet", 9.4e16),
    Record("EmoNeXt (El Boudouri and Bohi 2023)", "76.1 %", "PrivateTest", "PublicTest", "ImageNet-22k"),
)  # fmt: skip

RECORDED = DATA / "runs"
TEST_SET = "test_set.json"
README = PROJECT / "README.md"
RECORDS_MARKS = "<!-- records: written by `fer-course results --readme` -->\n", "<!-- end of records -->\n"
README_MARKS = "<!-- results: written by `fer-course results --readme` -->\n", "<!-- end of results -->\n"


def describe_beside_report(run):
    """One honest line: a run's test accuracy with its 95 % interval beside the report's row (Table 1)."""
    n = len(run.test_correct)
    low, high = wilson_interval(run.test_correct.sum(), n)
    ours = f"{run.test_accuracy:.1%} ({low:.1%} to {high:.1%}, n = {n:,}, one seed, {run.dataset}, {run.profile})"
    return f"{EXPERIMENTS[run.experiment].title}: the report {TABLE_1[run.experiment]} %, here {ours}"


def describe_recorded(runs):
    """One line for the recorded runs of one experiment, by seed: what `describe_beside_report` says of a single run."""
    if not runs:
        return "no recorded run"
    accuracy = average_over_seeds(correct_answers(runs))
    interval = f"{100 * accuracy.low:.1f} to {100 * accuracy.high:.1f} %"
    seeds = f"{len(runs)} seed{'s' if len(runs) > 1 else ''}"
    facts = f"{interval}, n = {len(runs[0].test_correct):,}, {seeds}, {runs[0].dataset}, {runs[0].profile}"
    title = EXPERIMENTS[runs[0].experiment].title
    return f"{title}: the report {TABLE_1[runs[0].experiment]} %, recorded {describe_accuracy(accuracy)} ({facts})"


# --- the recorded runs ---


def load_recorded(*experiments, folder=None):
    """{experiment: [Run, ...] by seed}: the recorded full runs on FER2013, of all `experiments` or those named.

    What cannot be counted among them is left out, and a printed line says why: a damaged folder, or a run that is not
    of its experiment (`experiments.find_difference`). An experiment without a run has an empty list.
    """
    runs, problems = list_runs(folder or RECORDED)
    found = {name: [] for name in experiments or EXPERIMENTS}
    for run in runs:
        if difference := _find_difference(run):
            problems.append(f"{run.experiment}/seed-{run.seed}: {difference}")
        elif run.experiment in found:
            found[run.experiment].append(run)
    for problem in problems:
        print(f"left out: {problem}")
    return found


def _find_difference(run):
    """Why `run` is none of the recorded: not of the course's table, not in its full recipe, not on FER2013's images."""
    experiment = EXPERIMENTS.get(run.experiment)
    if experiment is None:
        return "the course has no experiment of this name"
    return find_difference(run, experiment, find_recipe(experiment, "full"), FER2013_FINGERPRINT)


def find_kept(recorded, *experiments):
    """The first run of `experiments` whose weights were kept; `RunError` if there is none."""
    for name in experiments:
        for run in recorded[name]:
            if (run.folder / WEIGHTS).exists():
                return run
    raise RunError(f"no readable run of {' or '.join(experiments)} has its weights; train one: `fer-course reproduce`")


def find_best(recorded):
    """Of all runs whose weights were kept, the one with the best validation accuracy; `RunError` without any."""
    kept = [run for runs in recorded.values() for run in runs if (run.folder / WEIGHTS).exists()]
    if not kept:
        raise RunError("no readable run has its weights; train one: `fer-course reproduce`")
    return max(kept, key=lambda run: run.validation_accuracy)


def correct_answers(runs):
    """Which test images each of `runs` gets right, bool (seeds, N)."""
    return np.array([run.test_correct for run in runs])


def tabulate_results(recorded):
    """Table 1 as a DataFrame of text, a row per experiment with runs: the report's column beside ours."""
    names = (*ROWS, *FAST_ROWS, *BEST_ROWS, *STRIDE_2_ROWS)
    rows = [_result_row(name, recorded[name]) for name in names if recorded.get(name)]
    return pd.DataFrame(rows).set_index("network") if rows else pd.DataFrame()


def _result_row(name, runs):
    accuracy = average_over_seeds(correct_answers(runs))
    minutes = np.mean([run.seconds for run in runs]) / 60
    devices = " or ".join(sorted({run.device for run in runs}))
    return {
        "network": EXPERIMENTS[name].title,
        "report": f"{TABLE_1[name]} %" if name in TABLE_1 else "",
        "test accuracy": describe_accuracy(accuracy),
        "95 % interval": f"{100 * accuracy.low:.1f} to {100 * accuracy.high:.1f} %",
        "seeds": str(len(runs)),
        "parameters": f"{_build(runs[0]).count_params():,}",
        "minutes a run": f"{minutes:.{0 if minutes >= 10 else 1}f}, {devices}",
        "command": f"fer-course reproduce --experiment {name}",
    }


def tabulate_shortcuts(recorded):
    """The "Table 2" that §5.3 cites: the network without and with shortcuts, as a DataFrame of text."""
    rows = {}
    for name in ("vgg_like", "resnet_like"):
        if runs := recorded.get(name):
            network = _build(runs[0])
            best = [max(run.history["val_accuracy"]) for run in runs]
            rows[EXPERIMENTS[name].title] = {
                "report, test": f"{TABLE_1[name]} %",
                "test accuracy": describe_accuracy(average_over_seeds(correct_answers(runs))),
                "validation accuracy": f"{100 * np.mean(best):.1f} %",
                "parameters": f"{network.count_params():,}",
                "multiply-adds": f"{count_multiply_adds(network) / 1e6:.0f} million",
                "mean training loss": f"{np.mean([run.history['loss'] for run in runs]):.3f}",
            }
    return pd.DataFrame(rows).T


# Notebook 09: what `best` is to reach on PrivateTest, by itself and with at most four others, each for at most a tenth
# of the multiply-adds that training the VGG19 among the records takes.
TARGETS = {"alone": 0.735, "together": 0.752}
VGG19 = next(record for record in RECORDS if record.name.startswith("VGG19"))
NO_RUN = "no recorded run yet"


def family_title(experiment):
    """What an experiment of `EQUAL_ROWS` is called among its like, such as `"VGG"`."""
    return EXPERIMENTS[experiment].title.removesuffix(" at equal cost")


def tabulate_equal_cost(recorded, seconds):
    """The seven families at one cost as a DataFrame of text, a row each, with runs or without.

    `seconds` maps experiments to seconds of training measured side by side (`benchmark.seconds_of_families`): those
    that runs keep are of days on which the machine did other work as well. Where it lacks a row, so does the table.
    """
    rows = {}
    for name in EQUAL_ROWS:
        experiment = EXPERIMENTS[name]
        network, runs = build_network(experiment, find_recipe(experiment, "full")), recorded.get(name)
        accuracy = average_over_seeds(correct_answers(runs)) if runs else None
        rows[family_title(name)] = {
            "test accuracy": describe_accuracy(accuracy) if runs else NO_RUN,
            "95 % interval": f"{100 * accuracy.low:.1f} to {100 * accuracy.high:.1f} %" if runs else "",
            "seeds": str(len(runs or [])),
            "parameters": f"{network.count_params():,}",
            "multiply-adds": f"{count_multiply_adds(network) / 1e6:.1f} million",
            "seconds of training": f"{seconds[name]:.0f}" if name in seconds else "",
        }
    return _as_table(rows, "family")


def tabulate_ablation(recorded):
    """What each part of `best` gives, in small, as a DataFrame of text: a row per experiment with runs.

    The last column is test accuracy less that with all parts, by `compare_with`.
    """
    differences = compare_with("small_best", ABLATION_ROWS, recorded)
    rows = {}
    for name in ABLATION_ROWS:
        if runs := recorded.get(name):
            validation = 100 * np.mean([run.validation_accuracy for run in runs])
            rows[EXPERIMENTS[name].title] = {
                "validation accuracy": f"{validation:.1f} %",
                "test accuracy": describe_accuracy(average_over_seeds(correct_answers(runs))),
                "less all parts": differences[name].in_points() if name in differences else "",
                "seeds": str(len(runs)),
            }
    return _as_table(rows, "trained with")


def compare_with(anchor, names, recorded):
    """{name: test accuracy of `name` less that of `anchor`, a `Difference` paired by image}, of those with runs."""
    if not recorded.get(anchor):
        return {}
    others = [name for name in names if name != anchor and recorded.get(name)]
    before = correct_answers(recorded[anchor])
    return {name: compare_over_seeds(before, correct_answers(recorded[name])) for name in others}


def _as_table(rows, label):
    table = pd.DataFrame(rows).T
    table.index.name = label
    return table


def tabulate_records(recorded, facts=None):
    """Published accuracies and ours, least first, as a DataFrame of text; ours say how many seeds they are of.

    `facts` are those of `load_test_set`, for several networks together. Networks and recipes of ours were chosen on
    PublicTest alone.
    """
    rows = [(float(record.accuracy.split()[0]), record) for record in RECORDS]
    for name in (*ROWS, FAST_ROWS[0], *BEST_ROWS):
        if runs := recorded.get(name):
            accuracy, views = average_over_seeds(correct_answers(runs)), EXPERIMENTS[name].views
            title = f"{EXPERIMENTS[name].title}{f', {views} views' if views > 1 else ''}"
            rows.append((100 * accuracy.mean, _our_record(title, describe_accuracy(accuracy), runs, 1)))
            together = (facts or {}).get("ensembles", {}).get(name)
            if together and name in BEST_ROWS:
                words = f"{100 * together['accuracy']:.1f} %"
                title = f"{together['seeds']} × {title} together"
                rows.append((100 * together["accuracy"], _our_record(title, words, runs, together["seeds"])))
    lines = [
        {
            "network": record.name,
            "accuracy": record.accuracy,
            "measured on": record.split,
            "chosen on": record.chosen_on,
            "extra data": record.extra_data,
            "multiply-adds of training": f"{record.training_cost:.3g}".replace("e+", "e")
            if record.training_cost
            else "",
        }
        for _, record in sorted(rows, key=lambda row: row[0])
    ]
    return pd.DataFrame(lines).set_index("network")


def _our_record(title, accuracy, runs, n_networks):
    cost = n_networks * multiply_adds_of_training(runs[0].experiment)
    return Record(f"**{title}**", accuracy, "PrivateTest", "PublicTest", "none", cost)


def multiply_adds_of_training(experiment):
    """Multiply-adds of a whole training of the named experiment in its full recipe on FER2013, forward and backward."""
    recipe = find_recipe(EXPERIMENTS[experiment], "full")
    n_images = recipe.train_images or sum(COUNTS["Training"])
    network = build_network(EXPERIMENTS[experiment], recipe)
    return PASSES * count_multiply_adds(network) * n_images * recipe.epochs


def _build(run):
    return build_network(EXPERIMENTS[run.experiment], Recipe(**run.recipe))


def describe_accuracy(accuracy):
    """An `Accuracy` as text: mean ± standard deviation over seeds, in percent."""
    spread = "one seed" if np.isnan(accuracy.deviation) else f"± {100 * accuracy.deviation:.1f}"
    return (
        f"{100 * accuracy.mean:.1f} % ({spread})" if spread == "one seed" else f"{100 * accuracy.mean:.1f} {spread} %"
    )


def as_markdown(table):
    """A DataFrame of text as a markdown table, its index first.

    >>> print(as_markdown(pd.DataFrame({"b": ["2"]}, index=pd.Index(["1"], name="a"))))
    | a | b |
    |---|---|
    | 1 | 2 |
    """
    table = table.reset_index()
    lines = [list(table.columns), ["---"] * len(table.columns), *table.to_numpy().tolist()]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines).replace("| --- ", "|---").replace("|--- |", "|---|")


def write_readme(insert, found, path=None):
    """Rewrites the README as `insert(text, found)`, all or nothing; `ValueError` if it lacks the marks."""
    path = path or README
    text = insert(path.read_text(encoding="utf-8"), found)
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def insert_results(text, recorded):
    """`text` with the results of `recorded`, and the published records beside them, each between its two marks."""
    table = tabulate_results(recorded).drop(columns="command", errors="ignore")
    text = insert_between(text, README_MARKS, as_markdown(table))
    return insert_between(text, RECORDS_MARKS, as_markdown(tabulate_records(recorded, load_test_set())))


def insert_between(text, marks, content):
    """`text` with `content` in place of what stands between the two `marks`, each a line that it holds once."""
    first, last = marks
    if text.count(first) != 1 or text.count(last) != 1:
        raise ValueError(f"the README must hold each of these lines once: {first.strip()} and {last.strip()}")
    before, rest = text.split(first)
    return f"{before}{first}\n{content}\n\n{last}{rest.split(last)[1]}"


# --- facts of the test set, recorded where FER2013 and FERPlus are at hand ---


def record_test_set(faces, folder=None):
    """Writes what the notebooks need to know of FER2013's test set and cannot see without it; numbers only.

    The rows of the test images that stand in training too, pixel for pixel; the accuracy of several networks together
    (`average_networks`); that of the best network by its number of views, on the validation images; and, where
    FERPlus's votes are found, the crowd's accuracy. Returns the facts.
    """
    path = (folder or RECORDED) / TEST_SET
    facts = load_test_set(folder) or {}
    facts |= {"fingerprint": faces.fingerprint, "also_in_training": find_copies(faces.test, faces.train)}
    recorded = load_recorded(folder=folder)
    facts["ensembles"] = average_networks(recorded, faces.test.labels)
    facts["views"] = compare_views(recorded, faces.validation, facts.get("views"))
    if votes := find_votes():
        facts["crowd_accuracy"] = crowd_accuracy(read_votes(votes)["PrivateTest"], faces.test.labels)
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(facts) + "\n", encoding="utf-8")
    return facts


def load_test_set(folder=None):
    """The facts that `record_test_set` wrote, or None if there are none of FER2013."""
    return read_facts((folder or RECORDED) / TEST_SET)


def read_facts(path):
    """The dict in the JSON file `path`, or None if there is none of FER2013; a damaged file is named."""
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        return facts if facts["fingerprint"] == FER2013_FINGERPRINT else None
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        print(f"left out: {path.name} is damaged ({type(error).__name__}: {error})")
        return None


def identify(run):
    """What facts recorded of a `Run` say of it, so that they are known to be of this very training."""
    names = ("experiment", "seed", "views", "test_accuracy")
    return {**{name: getattr(run, name) for name in names}, "trained_at": run.commit}


def average_networks(recorded, labels):
    """{name: {"seeds", "accuracy", "low", "high"}}: several networks together, by the mean of their probabilities.

    Under an experiment's name all its seeds, where there are two or more; under "equal_cost" one network per family of
    notebook 09. `labels` are those of the test images; low and high bound the 95 % interval (Wilson 1927).
    """
    groups = {name: runs for name, runs in recorded.items() if len(runs) > 1}
    families = [runs[0] for name in EQUAL_ROWS if (runs := recorded[name])]
    groups |= {"equal_cost": families} if len(families) > 1 else {}
    return {name: _judge_together(runs, labels) for name, runs in groups.items()}


def _judge_together(runs, labels):
    probabilities = np.mean([run.test_probabilities.astype(float) for run in runs], axis=0)
    n_correct = int(np.sum(probabilities.argmax(axis=1) == labels))
    low, high = wilson_interval(n_correct, len(labels))
    return {"seeds": len(runs), "accuracy": n_correct / len(labels), "low": float(low), "high": float(high)}


def compare_views(recorded, validation, known=None):
    """How well the best network with weights judges the validation images by 1, 2 and 10 views; None without one.

    {"validation": {views: accuracy}, "smoothed": {views: accuracy}} beside `identify`: of the images as they are, and
    of the images smoothed as in training (`augmentation.smooth`). `known` is an earlier answer, and the answer again if
    it is of the same run.
    """
    try:
        run = find_kept(recorded, *BEST_ROWS)
    except RunError:
        return None
    which = identify(run)
    if known and known == {**which, **{name: known.get(name) for name in ("validation", "smoothed")}}:
        return known
    network, found = load_network(run), {"validation": {}, "smoothed": {}}
    looks = {"validation": validation.images, "smoothed": smooth(validation.images)}
    for look, views in progress_bar([*itertools.product(looks, (1, 2, 10))], desc="views of each face"):
        predictions = predict_views(network, looks[look], views).argmax(axis=1)
        found[look][str(views)] = float(np.mean(predictions == validation.labels))
    return {**which, **found}


def find_copies(split, other):
    """Indices of the images in `split` that stand in `other` too, pixel for pixel, as a list of int."""
    known = {image.tobytes() for image in other.images}
    return [number for number, image in enumerate(split.images) if image.tobytes() in known]


# --- what else the runs tell ---


def compare_readings(recorded):
    """{reading: mean distance to Table 1 in points} of the two readings of "the stride is 2", over rows that have both.

    From seed 0 of each.
    """
    pairs = list(zip(ROWS, STRIDE_2_ROWS, strict=True))
    both = [(TABLE_1[one], recorded[one][0], recorded[two][0]) for one, two in pairs if recorded[one] and recorded[two]]
    readings = {"stride 2 of the poolings": 1, "stride 2 of the convolutions": 2}
    return {
        reading: float(np.mean([abs(100 * row[place].test_accuracy - row[0]) for row in both]))
        for reading, place in readings.items()
        if both
    }
