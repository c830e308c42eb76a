"""Draws values with their 95 % intervals, and seeds one by one."""

import itertools

import numpy as np
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

from fer_utils.plots.descriptions import describe_figure
from fer_utils.plots.style import (
    GRID_COLOUR,
    MODEL_COLOURS,
    PART_COLOURS,
    REPORT_COLOUR,
    as_percent,
    legend_beside,
    model_style,
    new_axes,
    say_empty,
    titled,
)
from fer_utils.training import EXPERIMENTS


def plot_seeds(recorded, claimed, dataset, ax=None):
    """Draws a dot for each seed's test accuracy and a cross for the report's; `recorded` maps experiments to runs."""
    ax, facts = ax or new_axes(7.5, 1.2 + 0.5 * len(recorded)), []
    for place, (name, runs) in enumerate(recorded.items()):
        accuracies = [run.test_accuracy for run in runs]
        ax.plot(accuracies, [place] * len(runs), "o", color=MODEL_COLOURS[name], alpha=0.7)
        facts.append(f"{EXPERIMENTS[name].title} {', '.join(map(as_percent, accuracies)) or 'no seed'}")
        if name in claimed:
            ax.plot(claimed[name] / 100, place, "x", color=REPORT_COLOUR, markersize=8)
            facts[-1] += f", report {claimed[name]}%"
    ax.plot([], [], "x", color=REPORT_COLOUR, markersize=8, label="the report")
    ax.plot([], [], "o", color=GRID_COLOUR, label="one seed of ours")
    ax.set_yticks(range(len(recorded)), [EXPERIMENTS[name].title for name in recorded])
    ax.set_ylim(len(recorded) - 0.5, -0.5)
    ax.xaxis.set_major_formatter(as_percent)
    ax.set(xlabel="test accuracy", title=titled("Seeds alone", dataset))
    legend_beside(ax)
    return describe_figure(ax, "Dot chart of test accuracies", *facts)


def plot_gaps(gaps, ax=None):
    """Draws training minus validation accuracy with its 95 % interval; `gaps` is a list of (run, `Difference`)."""
    ax, facts = ax or new_axes(7, 1.2 + 0.6 * len(gaps)), []
    for place, (run, gap) in enumerate(gaps):
        reach = [[gap.value - gap.low], [gap.high - gap.value]]
        ax.barh(place, gap.value, xerr=reach, color=MODEL_COLOURS[run.experiment], capsize=4, height=0.6)
        facts.append(_with_interval(run.experiment, gap.value, gap.low, gap.high))
    ax.set_yticks(range(len(gaps)), [EXPERIMENTS[run.experiment].title for run, _ in gaps])
    ax.invert_yaxis()
    ax.xaxis.set_major_formatter(as_percent)
    title = titled("The gap at the last epoch", gaps[0][0].dataset)
    ax.set(xlabel="training accuracy minus validation accuracy", title=title)
    return describe_figure(ax, "Bar chart of training accuracy minus validation accuracy", *facts)


def plot_intervals(rows, title, label, form="{:.1%}", reference=None, experiments=None, ax=None):
    """Draws values with 95 % intervals in the order given; `rows` is a list of (words, value, low, high).

    `form` writes a value beside its dot, and a dashed line stands at `reference`. `experiments`, a name per row, give
    the dots the colours and markers of their models. Without rows the panel says so.
    """
    ax, kind = ax or new_axes(8, 1.2 + 0.4 * max(len(rows), 1)), "Dots with 95 % intervals"
    ax.set(xlabel=f"{label}, 95 % interval", title=title)
    if not rows:
        return say_empty(ax, kind)
    styles = (
        map(model_style, experiments)
        if experiments
        else itertools.repeat({"color": PART_COLOURS["convolution"], "marker": "o"})
    )
    for place, ((_, value, low, high), style) in enumerate(zip(rows, styles, strict=False)):
        reach = [[value - low], [high - value]]
        ax.errorbar(value, place, xerr=reach, **style, capsize=4)
        text = {"textcoords": "offset points", "ha": "center", "fontsize": 8}
        box = {"boxstyle": "square,pad=0.1", "facecolor": "white", "edgecolor": "none"}  # the line may run behind it
        ax.annotate(form.format(value), (value, place), (0, 6), **text, bbox=box)
    if reference is not None:
        ax.axvline(reference, color=REPORT_COLOUR, linestyle="--", linewidth=1.2, zorder=1)
    ax.set_yticks(range(len(rows)), [words for words, *_ in rows])
    ax.set_ylim(len(rows) - 0.5, -0.7)
    ax.xaxis.set_major_formatter(lambda value, _: form.format(value))
    ax.grid(axis="y", visible=False)
    facts = []
    for words, *values in rows:
        value, low, high = map(form.format, values)
        facts.append(f"{words} {value} ({low} to {high})")
    return describe_figure(ax, kind, *facts)


def plot_accuracy_over_seconds(points, title, ax=None):
    """Draws test accuracies with 95 % intervals over seconds of training, each point with its words beside it.

    `points` is a list of (words, seconds, accuracy, low, high). Without points the panel says so.
    """
    ax, kind = ax or new_axes(10, 4.4), "Points with 95 % intervals"
    ax.set(xlabel="seconds of training (logarithmic scale)", ylabel="test accuracy", title=title)
    if not points:
        return say_empty(ax, kind)
    points, facts = sorted(points, key=lambda point: point[1]), []
    for number, (words, seconds, accuracy, low, high) in enumerate(points):
        reach = [[accuracy - low], [high - accuracy]]
        ax.errorbar(seconds, accuracy, yerr=reach, fmt="o", color=PART_COLOURS["convolution"], capsize=4)
        # Above and below in turns: neighbours in seconds would write over each other.
        end, side, align = (high, 1, "bottom") if number % 2 == 0 else (low, -1, "top")
        place = {"xytext": (0, 4 * side), "textcoords": "offset points", "ha": "center", "va": align}
        ax.annotate(words, (seconds, end), **place, fontsize="small")
        facts.append(f"{words} {as_percent(accuracy)} in {seconds:,.0f} seconds")
    ax.set_xscale("log")
    ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    ax.xaxis.set_major_formatter(StrMethodFormatter("{x:,g}"))
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.yaxis.set_major_formatter(as_percent)
    ax.margins(x=0.12, y=0.15)
    return describe_figure(ax, kind, *facts)


def plot_frontier(costs, title, ax=None):
    """Draws accuracies over the cost of training, and the frontier: what is more accurate than all that cost no more.

    `costs` is the table of `report.tabulate_costs`. Named are the published ones, and on the frontier each that gains
    a point on the last that was named.
    """
    ax, kind, facts, named = ax or new_axes(10, 5), "Points, accuracy over the cost of training", [], 0.0
    ax.set(xlabel="multiply-adds of the whole training (logarithmic scale)", ylabel="test accuracy", title=title)
    if costs.empty:
        return say_empty(ax, kind)
    for ours, words, style in ((True, "ours", "o"), (False, "published", "x")):
        some = costs[costs["ours"] == ours]
        colour = PART_COLOURS["convolution"] if ours else REPORT_COLOUR
        ax.plot(some["multiply_adds"], some["accuracy"], style, color=colour, label=words)
    front = costs[costs["leads"]]
    ax.step(front["multiply_adds"], front["accuracy"], where="post", color=GRID_COLOUR, label="frontier", zorder=0)
    for row in costs[costs["leads"] | ~costs["ours"]].itertuples():
        if row.ours and row.accuracy < named + 0.01:
            continue
        named = max(named, row.accuracy)
        above = (-4, 5) if row.leads else (0, -14)  # the others below their points
        place = {"xytext": above, "textcoords": "offset points", "fontsize": "small"}
        name, side = row.network.partition(" (")[0], "right" if row.leads else "center"
        ax.annotate(name, (row.multiply_adds, row.accuracy), **place, ha=side)
        facts.append(f"{row.network} {as_percent(row.accuracy)} for {row.multiply_adds:.2g} multiply-adds")
    ax.set_xscale("log")
    ax.yaxis.set_major_formatter(as_percent)
    ax.margins(x=0.15, y=0.1)
    ax.legend(loc="lower right", fontsize="small")
    return describe_figure(ax, kind, *facts)


def _with_interval(experiment, value, low, high):
    return f"{EXPERIMENTS[experiment].title} {as_percent(value)} ({as_percent(low)} to {as_percent(high)})"


def plot_waterfall(stages, experiment, title, end=None, ax=None):
    """Draws accuracies of stages as steps: a bar from each stage's accuracy to the next, with the gain's 95 % interval.

    `stages` are those of `report.compare_stages`: (words, accuracy, `Difference` to the stage before or None, ...). The
    first accuracy stands as a bar of its own, and so does the last if `end` says what has been reached there.
    `experiment` gives the colour. Without stages the panel says so.
    """
    ax, kind = ax or new_axes(8, 3.6), "Waterfall chart of test accuracies"
    ax.set(xlabel="test accuracy", title=title)
    if not stages:
        return say_empty(ax, kind)
    colour, facts, before = MODEL_COLOURS[experiment], [], None
    beside = {"textcoords": "offset points", "va": "center", "fontsize": "small"}
    for place, (words, accuracy, gain, *_) in enumerate(stages):
        if gain is None:
            ax.barh(place, accuracy, color=GRID_COLOUR, height=0.6)
            note, tip = as_percent(accuracy), accuracy
            facts.append(f"{words} {as_percent(accuracy)}")
        else:
            ax.barh(place, gain.value, left=before, color=colour, height=0.6, hatch="" if gain.value >= 0 else "///")
            note, tip = f"{100 * gain.value:+.1f}", max(before, accuracy)
            facts.append(f"{words} {gain.in_points()} to {as_percent(accuracy)}")
            if np.isfinite(gain.high - gain.low):
                reach = [[gain.value - gain.low], [gain.high - gain.value]]
                ax.errorbar(accuracy, place, xerr=reach, color=REPORT_COLOUR, capsize=3, linewidth=1)
                tip = max(tip, before + gain.high)
        ax.annotate(note, (tip, place), (4, 0), **beside)
        before = accuracy
    labels = [words for words, *_ in stages]
    if end:
        ax.barh(len(stages), before, color=GRID_COLOUR, height=0.6)
        ax.annotate(as_percent(before), (before, len(stages)), (4, 0), **beside)
        labels.append(end)
    ax.set_yticks(range(len(labels)), labels)
    ax.set_ylim(len(labels) - 0.4, -0.6)
    ax.xaxis.set_major_formatter(as_percent)
    ax.grid(axis="y", visible=False)
    return describe_figure(ax, kind, *facts)


def plot_endings(endings, claimed, title, ax=None):
    """Draws each single training as a dot, a column of dots per seed, and among these the report's number as a cross.

    `endings` maps rows to accuracies in percent (seeds, epochs); `claimed` maps rows to the report's percent.
    """
    ax, facts = ax or new_axes(7, 4), []
    for place, (row, levels) in enumerate(endings.items()):
        half = len(levels) / 10
        places = list(place + np.linspace(-half, half, len(levels) + 1))
        of_report = places.pop((len(levels) + 1) // 2)  # a place of its own: the cross hides no dot
        for x, of_seed in zip(places, levels, strict=True):
            ax.plot([x] * len(of_seed), of_seed / 100, "o", color=MODEL_COLOURS[row], alpha=0.6, markersize=5)
        ax.plot(of_report, claimed[row] / 100, "x", color=REPORT_COLOUR, markersize=11, markeredgewidth=2)
        reached = f"{as_percent(levels.min() / 100)} to {as_percent(levels.max() / 100)}"
        seeds = "one seed" if len(levels) == 1 else f"{len(levels)} seeds"
        facts.append(f"{EXPERIMENTS[row].title} {reached}, {seeds}, report {claimed[row]}%")
    ax.plot([], [], "x", color=REPORT_COLOUR, markersize=9, markeredgewidth=2, label="the report")
    ax.plot([], [], "o", color=GRID_COLOUR, label="a training, by the\nepoch in which it ends")
    titles = [EXPERIMENTS[row].title.replace(" + ", "\n+ ") for row in endings]
    ax.set_xticks(range(len(endings)), titles)
    ax.yaxis.set_major_formatter(as_percent)
    ax.set(ylabel="accuracy", title=title)
    ax.grid(axis="x", visible=False)
    legend_beside(ax)
    return describe_figure(ax, "Dot chart of single trainings", *facts)
