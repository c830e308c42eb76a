"""Bars, dots with their intervals, and tables in colour."""

import itertools

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter, PercentFormatter, StrMethodFormatter

from fer_utils.data import CLASS_NAMES
from fer_utils.plots.descriptions import describe_figure
from fer_utils.plots.images import brightest_place
from fer_utils.plots.style import (
    GRID_COLOUR,
    MODEL_COLOURS,
    PART_COLOURS,
    REPORT_COLOUR,
    SPLIT_COLOURS,
    SPLIT_HATCHES,
    TWO_SERIES_STYLES,
    as_percent,
    legend_beside,
    model_style,
    new_axes,
    say_empty,
    titled,
)
from fer_utils.training import EXPERIMENTS


def plot_class_counts(counts, dataset, ax=None):
    """Bars of the images per class and split, on a logarithmic scale; `counts` maps a split's name to seven counts."""
    ax = ax or new_axes(9, 3.6)
    width = 0.8 / len(counts)
    for number, (split, values) in enumerate(counts.items()):
        places = np.arange(len(CLASS_NAMES)) + (number - (len(counts) - 1) / 2) * width
        bars = ax.bar(places, values, width, label=split, color=SPLIT_COLOURS[split], hatch=SPLIT_HATCHES[split])
        ax.bar_label(bars, fontsize=7, rotation=90, padding=2)
    ax.set_yscale("log")
    ax.margins(y=0.2)
    ax.set_xticks(range(len(CLASS_NAMES)), CLASS_NAMES)
    ax.set(ylabel="images (logarithmic scale)", title=titled("Images per class and split", dataset))
    ax.grid(axis="x", visible=False)
    legend_beside(ax)
    facts = []
    for split, values in counts.items():
        most, least = np.argmax(values), np.argmin(values)
        ends = f"most {CLASS_NAMES[most]}, {values[most]:,}, least {CLASS_NAMES[least]}, {values[least]:,}"
        facts.append(f"{split}: {ends}")
    return describe_figure(ax, "Bar chart", *facts)


def plot_seeds(recorded, claimed, dataset, ax=None):
    """A dot for each seed's test accuracy and a cross for the report's; `recorded` maps experiments to runs."""
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


def plot_confusion(confusion, dataset, title="Confusion matrix", ax=None):
    """The confusion matrix (7, 7): colour is the share of the true class (a row), text the share and the count."""
    ax = ax or new_axes(7, 5.6)
    shares = confusion / np.maximum(confusion.sum(axis=1, keepdims=True), 1)
    text = np.array(
        [
            [f"{share:.0%}\n{count}" for share, count in zip(*row, strict=True)]
            for row in zip(shares, confusion, strict=True)
        ]
    )
    bar = {"label": "share of the true class", "format": PercentFormatter(1, decimals=0)}
    sns.heatmap(
        shares, vmin=0, vmax=1, cmap="Blues", annot=text, fmt="", annot_kws={"size": 8}, linewidths=0.5, square=True,
        xticklabels=CLASS_NAMES, yticklabels=CLASS_NAMES, cbar_kws=bar, ax=ax,
    )  # fmt: skip
    ax.set(xlabel="predicted", ylabel="true", title=titled(title, dataset))
    ax.tick_params(axis="x", rotation=30)
    ax.tick_params(axis="y", rotation=0)
    found, mistakes = shares.diagonal(), confusion - np.diag(confusion.diagonal())
    best, worst = (f"{CLASS_NAMES[label]} {found[label]:.0%}" for label in (found.argmax(), found.argmin()))
    facts = [f"share that is found: highest {best}, lowest {worst}"]
    if mistakes.any():
        true, said = np.unravel_index(mistakes.argmax(), mistakes.shape)
        facts.append(f"most common mistake: {CLASS_NAMES[true]} taken for {CLASS_NAMES[said]}, {mistakes.max()} times")
    return describe_figure(ax, "Table of true and predicted classes", *facts)


def plot_gaps(gaps, ax=None):
    """Training accuracy less validation accuracy with its 95 % interval; `gaps` is a list of (run, `Difference`)."""
    ax, facts = ax or new_axes(7, 1.2 + 0.6 * len(gaps)), []
    for place, (run, gap) in enumerate(gaps):
        reach = [[gap.value - gap.low], [gap.high - gap.value]]
        ax.barh(place, gap.value, xerr=reach, color=MODEL_COLOURS[run.experiment], capsize=4, height=0.6)
        facts.append(_with_interval(run.experiment, gap.value, gap.low, gap.high))
    ax.set_yticks(range(len(gaps)), [EXPERIMENTS[run.experiment].title for run, _ in gaps])
    ax.invert_yaxis()
    ax.xaxis.set_major_formatter(as_percent)
    title = titled("The gap at the last epoch", gaps[0][0].dataset)
    ax.set(xlabel="training accuracy less validation accuracy", title=title)
    return describe_figure(ax, "Bar chart of training accuracy less validation accuracy", *facts)


def plot_speeds(speeds, title, unit="images a second", ax=None):
    """A bar per entry of `speeds` (words to speed), each with its speed and how many times the first one it is."""
    ax = ax or new_axes(8, 0.9 + 0.55 * len(speeds))
    values = list(speeds.values())
    bars = ax.barh(list(speeds), values, color=PART_COLOURS["convolution"], height=0.6)
    labels = [f"{value:,.0f}  (× {value / values[0]:.2g})" for value in values]
    ax.bar_label(bars, labels, padding=4, fontsize="small")
    ax.invert_yaxis()
    ax.margins(x=0.22)
    ax.grid(axis="y", visible=False)
    ax.set(xlabel=unit, title=title)
    facts = [f"{words} {label}" for words, label in zip(speeds, labels, strict=True)]
    return describe_figure(ax, f"Bar chart of {unit}", *facts)


def plot_shares(shares, title, ax=None):
    """A bar of one second per entry of `shares` (words to share of the multiplying), dark up to its share."""
    ax = ax or new_axes(9, 0.9 + 0.5 * len(shares))
    parts, colour = np.array(list(shares.values())), PART_COLOURS["convolution"]
    bars = ax.barh(list(shares), parts, color=colour, height=0.6, label="multiplying")
    labels = [as_percent(round(part, 2)) for part in parts]
    ax.bar_label(bars, labels, label_type="center", fontsize="small")
    ax.barh(list(shares), 1 - parts, left=parts, color=colour, alpha=0.25, height=0.6, label="all else")
    ax.invert_yaxis()
    ax.grid(axis="y", visible=False)
    ax.set(xlabel="seconds", xlim=(0, 1), title=title)
    legend_beside(ax)
    facts = [f"{words} {label}" for words, label in zip(shares, labels, strict=True)]
    return describe_figure(ax, "Bar chart of the share spent multiplying", *facts)


def plot_costs(costs, parameters, tolerance):
    """Multiply-adds as a share of one budget, within a band of `tolerance` round it, beside parameters; two Axes.

    `costs` and `parameters` map the same words to a share and to a number.
    """
    _, axes = plt.subplots(1, 2, figsize=(10, 1.1 + 0.4 * len(costs)), sharey=True)
    colour, shares = PART_COLOURS["convolution"], list(costs.values())
    axes[0].axvspan(1 - tolerance, 1 + tolerance, color=GRID_COLOUR, alpha=0.5)
    axes[0].set_title(f"Work; the band is {tolerance:.0%} round the budget")
    axes[1].set_title("Memory")
    panels = (shares, "multiply-adds, share of the budget", "{:.2f}"), (parameters.values(), "parameters", "{:,.0f}")
    for ax, (values, label, form) in zip(axes, panels, strict=True):
        bars = ax.barh(list(costs), list(values), color=colour, height=0.6)
        ax.bar_label(bars, [form.format(value) for value in values], padding=4, fontsize="small")
        ax.margins(x=0.2)
        ax.grid(axis="y", visible=False)
        ax.set_xlabel(label)
    axes[0].invert_yaxis()
    axes[1].xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    axes[1].xaxis.set_major_locator(MaxNLocator(4))
    facts = [f"{words} {share:.2f}, {parameters[words]:,} parameters" for words, share in costs.items()]
    describe_figure(
        axes[0], f"Bar charts of multiply-adds over the budget, {min(shares):.2f} to {max(shares):.2f}", *facts
    )
    return axes


def plot_intervals(rows, title, label, form="{:.1%}", reference=None, experiments=None, ax=None):
    """Values with 95 % intervals in the order given; `rows` is a list of (words, value, low, high).

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
    """Test accuracies with 95 % intervals over seconds of training, each point with its words beside it.

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


def _with_interval(experiment, value, low, high):
    return f"{EXPERIMENTS[experiment].title} {as_percent(value)} ({as_percent(low)} to {as_percent(high)})"


def plot_drops(drops, dataset, ax=None):
    """Where a grey square costs most: drops (rows, columns) of probability as points of percent, dark for much."""
    ax = ax or new_axes(6, 4.8)
    points = 100 * np.asarray(drops)
    bar = {"label": "drop of the answer's probability (points)"}
    sns.heatmap(points, vmin=0, cmap="Blues", square=True, cbar_kws=bar, ax=ax)
    ax.set(xlabel="place, left to right", ylabel="place, top to bottom", title=titled("What is covered", dataset))
    place = brightest_place(points)
    return describe_figure(
        ax, "Table of drops by place", f"most {points.max():.0f} points at {place}, mean {points.mean():.1f}"
    )


def plot_embedding(points, labels, predictions, dataset):
    """A panel per class over the same map (N, 2): its faces dark, dots where the answer is right and crosses where it
    is wrong, all other faces pale. Returns the array of Axes.
    """
    figure, axes = plt.subplots(2, 4, figsize=(9, 4.7), sharex=True, sharey=True)
    facts = []
    for label, (ax, name) in enumerate(zip(axes.flat, CLASS_NAMES, strict=False)):
        right, wrong = ((labels == label) & (same == (predictions == labels)) for same in (True, False))
        ax.scatter(*points.T, s=3, color="0.85", lw=0)
        ax.scatter(*points[right].T, s=9, color=TWO_SERIES_STYLES[0]["color"], lw=0)
        ax.scatter(*points[wrong].T, s=14, color=REPORT_COLOUR, marker="x", lw=0.8)
        ax.set_title(f"{name}, {right.sum() + wrong.sum()} faces")
        ax.grid(visible=False)
        facts.append(f"{name}: {right.sum()} right, {wrong.sum()} wrong")
    legend = axes[1, 3]
    legend.axis("off")
    for words, style in (
        ("right", {"color": TWO_SERIES_STYLES[0]["color"], "marker": "o"}),
        ("wrong", {"marker": "x"}),
    ):
        legend.scatter([], [], label=words, **{"color": REPORT_COLOUR, **style})
    legend.scatter([], [], color="0.85", label="another class")
    legend.legend(loc="center")
    figure.supxlabel("first direction", fontsize="small")
    figure.supylabel("second direction", fontsize="small")
    figure.suptitle(titled("The last layer's view, in two directions", dataset))
    describe_figure(figure, "Scatter plots, a panel per class", *facts)
    return axes
