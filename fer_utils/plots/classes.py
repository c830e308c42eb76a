"""Draws what is found of each class: counts, confusion, a map of the faces."""

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
from matplotlib.ticker import PercentFormatter

from fer_utils.data import CLASS_NAMES
from fer_utils.plots.descriptions import describe_figure
from fer_utils.plots.style import (
    REPORT_COLOUR,
    SPLIT_COLOURS,
    SPLIT_HATCHES,
    TWO_SERIES_STYLES,
    legend_beside,
    new_axes,
    titled,
)


def plot_class_counts(counts, dataset, ax=None):
    """Draws bars of the images per class and split, on a logarithmic scale; `counts` maps splits to seven counts."""
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


def plot_confusion(confusion, dataset, title="Confusion matrix", ax=None):
    """Draws the confusion matrix (7, 7): colour is the share of the true class (a row), text share and count."""
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


def plot_embedding(points, labels, predictions, dataset):
    """Draws a panel per class over the same map (N, 2); returns the array of Axes.

    The faces of the class are dark, dots where the answer is right and crosses where it is wrong; all others are pale.
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
