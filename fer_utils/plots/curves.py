"""Draws lines over epochs, seconds, layers and strengths; solid lines are validation, dashed training."""

from collections import Counter

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter, StrMethodFormatter

from fer_utils.plots.descriptions import describe_figure, describe_lines
from fer_utils.plots.style import (
    REPORT_COLOUR,
    TWO_SERIES_STYLES,
    as_percent,
    legend_beside,
    model_style,
    new_axes,
    titled,
)
from fer_utils.training import EXPERIMENTS


def plot_learning_curves(runs, measure="accuracy", axes=None):
    """Draws training (dashed) and validation (solid) curves of the runs, one panel each; returns the array of Axes.

    All are on one scale; a ring marks the epoch whose weights were kept. `measure` is "accuracy" or "loss".
    """
    if axes is None:
        _, axes = plt.subplots(1, len(runs), figsize=(5 * len(runs), 3.6), sharey=True, squeeze=False)
    axes = np.ravel(axes)
    for ax, run in zip(axes, runs, strict=True):
        style, name = model_style(run.experiment), EXPERIMENTS[run.experiment].title
        epochs = np.arange(1, len(run.history[measure]) + 1)
        ax.plot(epochs, run.history[measure], "--", **style, label="training")
        ax.plot(epochs, run.history[f"val_{measure}"], **style, label="validation")
        kept = run.best_epoch
        ring = {"markersize": 12, "markerfacecolor": "none", "color": style["color"], "label": "kept epoch"}
        ax.plot(kept, run.history[f"val_{measure}"][kept - 1], "o", **ring)
        _finish_curves(ax, measure, titled(name, run.dataset))
    return axes


def plot_curves_over_seeds(runs, measure="accuracy", ax=None):
    """Draws mean curves over the seeds of each experiment among `runs`, training dashed and validation solid.

    The band goes from the lowest to the highest seed. Without runs the panel says so.
    """
    own_axes = ax is None
    ax = ax or new_axes(9 if len({run.experiment for run in runs}) > 1 else 6, 3.8)
    if not runs:
        ax.text(0.5, 0.5, "no recorded run", ha="center", transform=ax.transAxes)
        return describe_figure(ax, "Line chart", "no recorded run")
    experiments = list(dict.fromkeys(run.experiment for run in runs))
    for name in experiments:
        style, title = model_style(name), EXPERIMENTS[name].title
        for key, dashes, split in ((measure, "--", "training"), (f"val_{measure}", "-", "validation")):
            curves = np.array([run.history[key] for run in runs if run.experiment == name])
            epochs = np.arange(1, curves.shape[1] + 1)
            label = split if len(experiments) == 1 else f"{title}, {split}"
            ax.plot(epochs, curves.mean(axis=0), dashes, **style, label=label)
            band = {"color": style["color"], "alpha": 0.2, "linewidth": 0}
            ax.fill_between(epochs, curves.min(axis=0), curves.max(axis=0), **band)
    title = EXPERIMENTS[experiments[0]].title if len(experiments) == 1 else measure.capitalize()
    _finish_curves(ax, measure, f"{titled(title, runs[0].dataset)}, {runs[0].profile} profile, {count_seeds(runs)}")
    if own_axes and len(experiments) > 1:
        legend_beside(ax)
    return ax


def count_seeds(runs):
    """Returns in words how many seeds each experiment among `runs` has: "one seed", "3 seeds", "1 to 3 seeds"."""
    numbers = Counter(run.experiment for run in runs).values()
    if max(numbers) == 1:
        return "one seed"
    return f"{' to '.join(map(str, sorted({min(numbers), max(numbers)})))} seeds"


def plot_live_and_recorded(live, recorded):
    """Draws the runs just trained beside the `recorded` ones, a panel each, on one scale; returns the array of Axes."""
    _, axes = plt.subplots(1, 2, figsize=(12, 3.9), sharey=True)
    for ax, runs in zip(axes, (live, recorded), strict=True):
        plot_curves_over_seeds(runs, ax=ax)
    return axes


def plot_race(curves, dataset, marks=(), ax=None):
    """Draws validation accuracy over seconds of training, on a logarithmic scale of time, a marker per epoch.

    `curves` maps an experiment's name to (seconds, accuracies); a dotted line stands at each of `marks`.
    """
    ax = ax or new_axes(9, 4)
    for name, (seconds, accuracies) in curves.items():
        ax.plot(seconds, accuracies, **model_style(name), label=EXPERIMENTS[name].title)
    for mark in marks:
        ax.axhline(mark, color=REPORT_COLOUR, linestyle=":", linewidth=1, zorder=0)
    ax.set_xscale("log")
    ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    ax.xaxis.set_major_formatter(StrMethodFormatter("{x:,g}"))
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.yaxis.set_major_formatter(as_percent)
    ax.set(xlabel="seconds of training (logarithmic scale)", ylabel="validation accuracy")
    ax.set_title(titled("Accuracy over seconds", dataset))
    legend_beside(ax)
    return describe_lines(ax)


def plot_waits(n_images, seconds, ax=None):
    """Draws seconds of one epoch over its number of images; `seconds` maps each way of training to its seconds."""
    ax = ax or new_axes(8, 3.8)
    for style, (way, values) in zip(TWO_SERIES_STYLES, seconds.items(), strict=True):
        ax.plot(n_images, values, **style, label=way)
    ax.set(xlabel="images in the epoch", ylabel="seconds", ylim=(0, None), title="One epoch of a small network")
    ax.legend(fontsize="small")
    return describe_lines(ax)


def plot_cost_of_width(widths, shares, ax=None):
    """Draws a network's cost over its width multiplier, `shares` of its cost at width 1, beside the width's square."""
    ax = ax or new_axes(7, 3.8)
    counted, square = TWO_SERIES_STYLES
    ax.plot(widths, shares, **counted, label="multiply-adds, counted")
    ax.plot(widths, np.square(widths), linestyle=":", **square, label="the width squared")
    ax.yaxis.set_major_formatter(as_percent)
    ax.set(xlabel="width multiplier", ylabel="share of the cost at width 1", title="What a width multiplier saves")
    ax.legend(fontsize="small")
    return describe_lines(ax)


def _finish_curves(ax, measure, title):
    ax.set(xlabel="epoch", ylabel="cross-entropy loss" if measure == "loss" else measure, title=title)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    if measure == "accuracy":
        ax.yaxis.set_major_formatter(as_percent)
    ax.legend(fontsize="small")
    describe_lines(ax)


def plot_reliability(reliabilities, dataset, ax=None):
    """Draws the share right over confidence, a point per bin, larger for more answers.

    `reliabilities` maps words to (counts, confidence, accuracy), a value per bin each, NaN in an empty one. On the
    dotted line an answer is worth what it says.
    """
    ax = ax or new_axes(5.4, 4.4)
    ax.plot([0, 1], [0, 1], ":", color=REPORT_COLOUR, linewidth=1)
    for style, (words, bins) in zip(TWO_SERIES_STYLES, reliabilities.items(), strict=False):
        counts, confidence, accuracy = np.array(bins, float)[:, np.array(bins[0]) > 0]
        ax.plot(confidence, accuracy, **style, markersize=3, label=words)
        ax.scatter(confidence, accuracy, 1200 * counts / counts.sum(), **style, alpha=0.3, linewidth=0)
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_formatter(as_percent)
    ax.set(xlabel="confidence: the highest probability", ylabel="share right", xlim=(0, 1.03), ylim=(0, 1.03))
    ax.set_title(titled("Confidence and accuracy", dataset))
    ax.legend(fontsize="small", loc="upper left")
    return describe_lines(ax)


def plot_trade_off(strengths, accuracy, mean_recall, chosen, dataset, ax=None):
    """Draws accuracy and mean recall over the strength of the shift; a dotted line at the `chosen` strength."""
    ax = ax or new_axes(6, 3.8)
    measures = {"accuracy": accuracy, "mean of the classes' recalls": mean_recall}
    for style, (words, values) in zip(TWO_SERIES_STYLES, measures.items(), strict=True):
        ax.plot(strengths, values, **style, markersize=4, label=words)
    ax.axvline(chosen, color=REPORT_COLOUR, linestyle=":", linewidth=1)
    ax.yaxis.set_major_formatter(as_percent)
    ax.set(xlabel="strength of the shift", ylabel="share of test faces", title=titled("Shifted priors", dataset))
    ax.legend(fontsize="small")
    describe_lines(ax)
    kind, facts = ax.described
    return describe_figure(ax, kind, facts, f"chosen strength {chosen:g}")


def plot_cascade(correlations, dataset, ax=None):
    """Draws rank correlation with the original heat maps while layers are randomised from the output down.

    `correlations` maps layers to numbers, "none" first and "another face", a dotted line, last.
    """
    ax = ax or new_axes(8, 3.8)
    steps = {words: value for words, value in correlations.items() if words != "another face"}
    values = np.array(list(steps.values()), float)
    ax.plot(list(steps), values, **TWO_SERIES_STYLES[0], label="same face, layers randomised")
    other = float(correlations["another face"])
    ax.axhline(other, color=REPORT_COLOUR, linestyle=":", label="another face, nothing randomised")
    plt.setp(ax.get_xticklabels(), rotation=45, ha="right", rotation_mode="anchor")
    ax.set(xlabel="randomised so far, from the output down", ylabel="rank correlation of the maps")
    ax.set_title(titled("Heat maps of a network that forgets", dataset))
    ax.legend(fontsize="small")
    return describe_lines(ax)
