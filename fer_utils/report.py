"""The 2020 report's numbers, the recorded runs, and the tables that set them side by side."""

import json

import numpy as np
import pandas as pd

from fer_utils.data import FER2013_FINGERPRINT
from fer_utils.environment import DATA, PROJECT, atomic_path
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
    find_recipe,
    is_recipe,
)
from fer_utils.ferplus import crowd_accuracy, find_votes, read_votes
from fer_utils.models import count_multiply_adds
from fer_utils.runs import WEIGHTS, RunError, list_runs
from fer_utils.training import build_network

# Table 1: test accuracy in percent.
TABLE_1 = {"lenet_like": 51, "lenet_like_augmented": 53, "vgg_like": 56, "resnet_like": 58}
# §5.1: the baseline's training accuracy "arises to 80 percent very quickly".
BASELINE_TRAINING_ACCURACY = 80
# §5.2: depth gains 3 to 4 points of validation accuracy. §5.3: shortcuts gain "more than 2 percent".
GAIN_OF_DEPTH = (3, 4)
GAIN_OF_SHORTCUTS = 2

RECORDED = DATA / "runs"
TEST_SET = "test_set.json"
README = PROJECT / "README.md"
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

    What cannot be counted among them is named in a printed line and left out: damaged folders, other images, other
    recipes. An experiment without a run has an empty list.
    """
    runs, problems = list_runs(folder or RECORDED)
    found = {name: [] for name in experiments or EXPERIMENTS}
    for run in runs:
        if not _is_recorded(run):
            problems.append(f"{run.experiment}/seed-{run.seed} is of other images or of another recipe")
        elif run.experiment in found:
            found[run.experiment].append(run)
    for problem in problems:
        print(f"left out: {problem}")
    return found


def _is_recorded(run):
    """Whether `run` is on FER2013's own images, of an experiment of the course and of its full recipe."""
    experiment = EXPERIMENTS.get(run.experiment)
    if run.fingerprint != FER2013_FINGERPRINT or experiment is None:
        return False
    return is_recipe(run.recipe, find_recipe(experiment, "full"))


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


# Notebook 09: training the VGG19 of 73.1 % on PrivateTest costs 1.45e16 multiply-adds; what `best` is to reach with a
# tenth of that, on PrivateTest, by itself and as the mean of at most five.
VGG19_COST = 1.45e16
TARGETS = {"a single network": 0.735, "a mean of five": 0.752}
TARGET_COST = 0.1
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
    """`text` with the results table of `recorded` between its two marks."""
    table = tabulate_results(recorded).drop(columns="command", errors="ignore")
    return insert_between(text, README_MARKS, as_markdown(table))


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

    The rows of the test images that stand in training too, pixel for pixel, and, where FERPlus's votes are found, the
    crowd's accuracy. Returns the facts.
    """
    path = (folder or RECORDED) / TEST_SET
    facts = load_test_set(folder) or {}
    facts |= {"fingerprint": faces.fingerprint, "also_in_training": find_copies(faces.test, faces.train)}
    if votes := find_votes():
        facts["crowd_accuracy"] = crowd_accuracy(read_votes(votes)["PrivateTest"], faces.test.labels)
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(facts) + "\n", encoding="utf-8")
    return facts


def load_test_set(folder=None):
    """The facts that `record_test_set` wrote, or None if there are none of FER2013."""
    try:
        facts = json.loads(((folder or RECORDED) / TEST_SET).read_text(encoding="utf-8"))
        return facts if facts["fingerprint"] == FER2013_FINGERPRINT else None
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        print(f"left out: {TEST_SET} is damaged ({type(error).__name__}: {error})")
        return None


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
