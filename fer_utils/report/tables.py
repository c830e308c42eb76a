"""Makes the tables that set the recorded runs beside the report and beside each other."""

import functools
import html
import re

import numpy as np
import pandas as pd

from fer_utils.data import COUNTS
from fer_utils.evaluation import average_over_seeds, wilson_interval
from fer_utils.models import PASSES, count_multiply_adds
from fer_utils.report.published import RECORDS, TABLE_1, Record
from fer_utils.report.recorded import compare_with, correct_answers
from fer_utils.training import (
    ABLATION_ROWS,
    BEST_ROWS,
    EQUAL_ROWS,
    EXPERIMENTS,
    FAST_ROWS,
    REPORT_ROWS,
    ROWS,
    STRIDE_2_ROWS,
    STRONGEST,
    TAUGHT_ROWS,
    Experiment,
    Recipe,
    build_network,
    find_recipe,
)

NO_RUN = "no recorded run yet"
BYTES_OF_FLOAT = 4


def describe_beside_report(run):
    """Describes in one line a run's test accuracy with its 95 % interval beside the report's row (Table 1)."""
    n = len(run.test_correct)
    low, high = wilson_interval(run.test_correct.sum(), n)
    ours = f"{run.test_accuracy:.1%} ({low:.1%} to {high:.1%}, n = {n:,}, one seed, {run.dataset}, {run.profile})"
    return f"{EXPERIMENTS[run.experiment].title}: the report {TABLE_1[run.experiment]} %, here {ours}"


def describe_recorded(runs):
    """Describes the recorded runs of one experiment as `describe_beside_report` does a single run, in one line."""
    if not runs:
        return "no recorded run"
    accuracy = average_over_seeds(correct_answers(runs))
    interval = f"{100 * accuracy.low:.1f} to {100 * accuracy.high:.1f} %"
    seeds = f"{len(runs)} seed{'s' if len(runs) > 1 else ''}"
    facts = f"{interval}, n = {len(runs[0].test_correct):,}, {seeds}, {runs[0].dataset}, {runs[0].profile}"
    title = EXPERIMENTS[runs[0].experiment].title
    return f"{title}: the report {TABLE_1[runs[0].experiment]} %, recorded {describe_accuracy(accuracy)} ({facts})"


def tabulate_results(recorded):
    """Tabulates Table 1, a DataFrame of text, a row per experiment with runs: the report's column beside ours.

    Where a recipe chooses no epoch, ours are means over the last ones (`correct_answers`).
    """
    names = (*REPORT_ROWS, *ROWS, *FAST_ROWS, *TAUGHT_ROWS, *BEST_ROWS, *STRIDE_2_ROWS)
    rows = [_result_row(name, recorded[name]) for name in names if recorded.get(name)]
    return pd.DataFrame(rows).set_index("network") if rows else pd.DataFrame()


def _result_row(name, runs):
    accuracy = average_over_seeds(correct_answers(runs))
    minutes = np.mean([run.seconds for run in runs]) / 60
    devices = " or ".join(sorted({run.device for run in runs}))
    return {
        "network": EXPERIMENTS[name].title,
        "report": f"{TABLE_1[row]} %" if (row := name.removeprefix("report_")) in TABLE_1 else "",
        "test accuracy": describe_accuracy(accuracy),
        "95 % interval": f"{100 * accuracy.low:.1f} to {100 * accuracy.high:.1f} %",
        "seeds": str(len(runs)),
        "parameters": f"{_count_network(name, runs[0].recipe['width'])[0]:,}",
        "minutes a run": f"{minutes:.{0 if minutes >= 10 else 1}f}, {devices}",
        "command": command_of(name, runs),
    }


def command_of(experiment, runs):
    """Returns the command that repeats the recorded `runs` of an experiment, all seeds of them."""
    return f"fer-course reproduce --experiment {experiment} --seeds {len(runs)}"


def tabulate_shortcuts(recorded):
    """Tabulates the "Table 2" that §5.3 cites: the network without and with shortcuts, as a DataFrame of text."""
    rows = {}
    for name in ("vgg_like", "resnet_like"):
        if runs := recorded.get(name):
            parameters, multiply_adds = _count_network(name, runs[0].recipe["width"])
            best = [max(run.history["val_accuracy"]) for run in runs]
            rows[EXPERIMENTS[name].title] = {
                "report, test": f"{TABLE_1[name]} %",
                "test accuracy": describe_accuracy(average_over_seeds(correct_answers(runs))),
                "validation accuracy": f"{100 * np.mean(best):.1f} %",
                "parameters": f"{parameters:,}",
                "multiply-adds": f"{multiply_adds / 1e6:.0f} million",
                "mean training loss": f"{np.mean([run.history['loss'] for run in runs]):.3f}",
            }
    return pd.DataFrame(rows).T


def family_title(experiment):
    """Returns what an experiment of `EQUAL_ROWS` is called among its like, such as `"VGG"`."""
    return EXPERIMENTS[experiment].title.removesuffix(" at equal cost")


def tabulate_equal_cost(recorded, seconds):
    """Tabulates the seven families at one cost as a DataFrame of text, a row each, with runs or without.

    `seconds` maps experiments to seconds of training measured side by side (`speeds.seconds_of_families`): those that
    runs keep are of days on which the machine did other work as well. Where it lacks a row, so does the table.
    """
    rows = {}
    for name in EQUAL_ROWS:
        runs = recorded.get(name)
        parameters, multiply_adds = _count_network(name, find_recipe(EXPERIMENTS[name], "full").width)
        accuracy = average_over_seeds(correct_answers(runs)) if runs else None
        rows[family_title(name)] = {
            "test accuracy": describe_accuracy(accuracy) if runs else NO_RUN,
            "95 % interval": f"{100 * accuracy.low:.1f} to {100 * accuracy.high:.1f} %" if runs else "",
            "seeds": str(len(runs or [])),
            "parameters": f"{parameters:,}",
            "multiply-adds": f"{multiply_adds / 1e6:.1f} million",
            "seconds of training": f"{seconds[name]:.0f}" if name in seconds else "",
        }
    return _as_table(rows, "family")


def tabulate_ablation(recorded):
    """Tabulates what each part of `best` gives, in small, as a DataFrame of text: a row per experiment with runs.

    The last column is test accuracy minus that with all parts, by `compare_with`.
    """
    differences = compare_with("small_best", ABLATION_ROWS, recorded)
    rows = {}
    for name in ABLATION_ROWS:
        if runs := recorded.get(name):
            validation = 100 * np.mean([run.validation_accuracy for run in runs])
            rows[EXPERIMENTS[name].title] = {
                "validation accuracy": f"{validation:.1f} %",
                "test accuracy": describe_accuracy(average_over_seeds(correct_answers(runs))),
                "minus all parts": differences[name].in_points() if name in differences else "",
                "seeds": str(len(runs)),
            }
    return _as_table(rows, "trained with")


def _as_table(rows, label):
    table = pd.DataFrame(rows).T
    table.index.name = label
    return table


def tabulate_records(recorded, facts=None):
    """Tabulates published accuracies and ours, least first, a DataFrame of text; ours say how many seeds they are of.

    `facts` are those of `load_test_set`, for several networks together. Networks and recipes of ours were chosen on
    PublicTest alone.
    """
    rows = [(float(record.accuracy.split()[0]), record) for record in RECORDS]
    for name in (*ROWS, FAST_ROWS[0], *TAUGHT_ROWS, *BEST_ROWS):
        if runs := recorded.get(name):
            accuracy, title = average_over_seeds(correct_answers(runs)), _title_with_views(name)
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


def _title_with_views(name):
    views = EXPERIMENTS[name].views
    return f"{EXPERIMENTS[name].title}{f', {views} views' if views > 1 else ''}"


def _our_record(title, accuracy, runs, n_networks):
    cost = n_networks * multiply_adds_of_training(runs[0].experiment)
    more = _seen_besides(EXPERIMENTS[runs[0].experiment])
    chosen_on = "fixed beforehand" if more == "PublicTest" else "PublicTest"
    return Record(f"{title} (ours)", accuracy, "PrivateTest", chosen_on, more or "none", cost)


def _seen_besides(experiment):
    """Returns what an `Experiment` has learned from besides the training images and their labels; "" if nothing."""
    _, _, more = experiment.learns_from.partition(" + ")
    return more or (f"answers of {EXPERIMENTS[experiment.teacher].title}" if experiment.teacher else "")


def multiply_adds_of_training(experiment):
    """Returns the multiply-adds of an experiment's whole training on FER2013 by its full recipe, both passes."""
    found, recipe = EXPERIMENTS[experiment], find_recipe(experiment, "full")
    learned = sum(sum(COUNTS[name]) for name in found.learns_from.split(" + "))
    n_images = recipe.train_images or learned
    return PASSES * _count_network(experiment, recipe.width)[1] * n_images * recipe.epochs


def _count_network(experiment, width):
    """Returns the parameters and the multiply-adds of a face of an experiment's network, two ints."""
    return _count_model(EXPERIMENTS[experiment].model, EXPERIMENTS[experiment].conv_stride, width)


@functools.cache
def _count_model(model, conv_stride, width):
    recipe = Recipe(width=width, epochs=1, batch_size=1, learning_rate=0.0, train_images=None)
    network = build_network(Experiment("", "", model, "none", conv_stride), recipe, seed=None)
    return network.count_params(), count_multiply_adds(network)


def describe_accuracy(accuracy):
    """Returns an `Accuracy` as text: mean ± standard deviation over seeds, in percent."""
    spread = "one seed" if np.isnan(accuracy.deviation) else f"± {100 * accuracy.deviation:.1f}"
    return (
        f"{100 * accuracy.mean:.1f} % ({spread})" if spread == "one seed" else f"{100 * accuracy.mean:.1f} {spread} %"
    )


def as_markdown(table):
    """Returns a DataFrame of text as a markdown table, its index first.

    What would be more than text in a page, html and links, is shown as it is written.

    >>> print(as_markdown(pd.DataFrame({"b": ["2 < 3"]}, index=pd.Index(["1"], name="a"))))
    | a | b |
    |---|---|
    | 1 | 2 &lt; 3 |
    """
    table = table.reset_index()
    cells = [[_escape(cell) for cell in row] for row in (table.columns, *table.to_numpy().tolist())]
    lines = [cells[0], ["---"] * len(table.columns), *cells[1:]]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines).replace("| --- ", "|---").replace("|--- |", "|---|")


def _escape(text):
    return re.sub(r"([|\[])", r"\\\1", html.escape(text, quote=False)).replace("\n", " ")


def tabulate_costs(recorded):
    """Returns what each network of known cost cost to train and reached, a DataFrame, cheapest first.

    Columns: `network`, `ours`, `multiply_adds` of the training, `accuracy` on PrivateTest from 0 to 1 (ours: the mean
    over seeds), and `leads`: no network that cost less or as much is at least as accurate. A network that has seen
    other pictures before, or PublicTest, or was taught by others, does not lead: their cost is not counted. `recorded`
    is that of `load_recorded`.
    """
    rows = [
        (
            EXPERIMENTS[name].title,
            True,
            multiply_adds_of_training(name),
            correct_answers(runs).mean(),
            not _seen_besides(EXPERIMENTS[name]),
        )
        for name, runs in recorded.items()
        if runs
    ]
    rows += [
        (record.name, False, record.training_cost, float(record.accuracy.split()[0]) / 100, record.extra_data == "none")
        for record in RECORDS
        if record.training_cost and record.split == "PrivateTest"
    ]
    table = pd.DataFrame(rows, columns=["network", "ours", "multiply_adds", "accuracy", "leads"])
    table = table.sort_values(["multiply_adds", "accuracy"], ascending=[True, False], ignore_index=True)
    best_before = table["accuracy"].where(table["leads"]).cummax().shift(fill_value=0)
    table["leads"] &= table["accuracy"] > best_before.ffill()
    return table


def tabulate_answers(recorded, facts=None):
    """Returns what an answer about one face costs, of `fast` and of the strongest, a DataFrame, a row for each way.

    Columns: `experiment`, `networks` and `views` that are asked, `megabytes` of their weights in float32,
    `multiply_adds` of the answer, and `accuracy` on PrivateTest from 0 to 1 (of one network: the mean over seeds).
    `facts` are those of `load_test_set`, for several networks together.
    """
    rows = {}
    for name in (FAST_ROWS[0], STRONGEST):
        if not recorded.get(name):
            continue
        alone, views = correct_answers(recorded[name]).mean(), EXPERIMENTS[name].views
        parameters, of_face = _count_network(name, recorded[name][0].recipe["width"])
        title, ways = _title_with_views(name), [(1, alone)]
        if together := (facts or {}).get("ensembles", {}).get(name):
            ways.append((together["seeds"], together["accuracy"]))
        for n_networks, accuracy in ways:
            megabytes = n_networks * parameters * BYTES_OF_FLOAT / 1e6
            costs = name, n_networks, views, megabytes, n_networks * views * of_face, accuracy
            rows[f"{n_networks} × {title}" if n_networks > 1 else title] = costs
    columns = ["experiment", "networks", "views", "megabytes", "multiply_adds", "accuracy"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns)
