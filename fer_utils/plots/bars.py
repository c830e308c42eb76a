"""Draws bars that compare speeds, shares and costs."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.ticker import MaxNLocator, StrMethodFormatter

from fer_utils.plots.descriptions import describe_figure
from fer_utils.plots.style import (
    GRID_COLOUR,
    PART_COLOURS,
    as_percent,
    legend_beside,
    new_axes,
)


def plot_speeds(speeds, title, ax=None):
    """Draws a bar per entry of `speeds` (words to images a second), with its speed and how many times the first."""
    ax = ax or new_axes(8, 0.9 + 0.55 * len(speeds))
    values = list(speeds.values())
    bars = ax.barh(list(speeds), values, color=PART_COLOURS["convolution"], height=0.6)
    labels = [f"{value:,.0f}  (× {value / values[0]:.2g})" for value in values]
    ax.bar_label(bars, labels, padding=4, fontsize="small")
    ax.invert_yaxis()
    ax.margins(x=0.22)
    ax.grid(axis="y", visible=False)
    ax.set(xlabel="images a second", title=title)
    facts = [f"{words} {label}" for words, label in zip(speeds, labels, strict=True)]
    return describe_figure(ax, "Bar chart of images a second", *facts)


def plot_shares(shares, title, ax=None):
    """Draws a bar of one second per entry of `shares` (words to share of the multiplying), dark up to its share."""
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
    """Draws multiply-adds as a share of one budget, within a band of `tolerance` round it, beside parameters; two Axes.

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
