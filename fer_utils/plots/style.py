"""Gives every figure one style: colours, markers, titles.

One colour and one marker per model in all notebooks. Colours come from seaborn's colour-blind palette, and none is the
only sign of anything. `dataset`, in every function that draws, is the `name` of a `FaceDataset` or the `dataset` of a
`Run`: every figure says which faces it shows.
"""

import matplotlib.pyplot as plt
import seaborn as sns

from fer_utils.plots.descriptions import describe_figure, show_alt_texts
from fer_utils.training import BEST_ROWS, EXPERIMENTS, FAST_ROWS, REPORT_ROWS, ROWS, STRIDE_2_ROWS

_PALETTE = sns.color_palette("colorblind").as_hex()
GRID_COLOUR = "0.7"
REPORT_COLOUR = "0.1"
PART_COLOURS = {"convolution": _PALETTE[9], "pooling": _PALETTE[8], "dense": _PALETTE[7], "shortcut": _PALETTE[3]}
# Experiments without a colour and a marker of their own share one.
MODEL_COLOURS, MODEL_MARKERS = (dict.fromkeys(EXPERIMENTS, shared) for shared in (PART_COLOURS["convolution"], "o"))
# Another recipe, or the other interpretation of "stride 2", is the same row of the report, in its colour and marker.
_TABLES = (ROWS, REPORT_ROWS, STRIDE_2_ROWS)
MODEL_COLOURS |= {name: _PALETTE[place] for rows in _TABLES for place, name in enumerate(rows)}
MODEL_COLOURS |= dict.fromkeys(FAST_ROWS, REPORT_COLOUR) | dict.fromkeys(BEST_ROWS, _PALETTE[4])
MODEL_MARKERS |= {name: marker for rows in _TABLES for name, marker in zip(rows, "os^D", strict=True)}
MODEL_MARKERS |= dict.fromkeys(FAST_ROWS, "*") | dict.fromkeys(BEST_ROWS, "P")
# Only colours that stay apart for colour-blind eyes stand together in a figure (measured in the tests).
SPLIT_COLOURS = dict(zip(("train", "validation", "test"), (_PALETTE[7], _PALETTE[5], _PALETTE[9]), strict=True))
SPLIT_HATCHES = {"train": "", "validation": "///", "test": "..."}
TWO_SERIES_STYLES = {"color": _PALETTE[5], "marker": "o"}, {"color": _PALETTE[9], "marker": "s"}
FRAME_COLOUR = _PALETTE[8]  # of a square round a face
# A face is shown by these, as arguments of `Axes.imshow`.
GREY = {"cmap": "gray", "vmin": 0, "vmax": 255, "interpolation": "nearest"}


def set_style():
    """Sets seaborn's white-grid theme and a resolution that reads well and keeps notebooks small; shows alt texts."""
    show_alt_texts()
    sns.set_theme(
        style="whitegrid", rc={"figure.dpi": 80, "axes.titlesize": "medium", "figure.constrained_layout.use": True}
    )


def model_style(experiment):
    """Returns colour and marker of an experiment, as arguments of `Axes.plot`: the same in every figure."""
    return {"color": MODEL_COLOURS[experiment], "marker": MODEL_MARKERS[experiment]}


def titled(title, dataset):
    """Returns `title` with the name of the faces behind it, loud where they are not FER2013.

    >>> titled("Mean face", "drawn faces")
    'Mean face [drawn faces, not FER2013]'
    """
    note = dataset if "FER2013" in dataset else f"{dataset}, not FER2013"
    return f"{title} [{note}]"


def say_empty(ax, kind):
    """Says on the Axes, and in its description, that there is nothing to draw."""
    ax.text(0.5, 0.5, "nothing recorded yet", ha="center", transform=ax.transAxes)
    ax.set(xticks=[], yticks=[])
    return describe_figure(ax, kind, "nothing recorded yet")


def as_percent(share, _=None):
    """Returns the text at a tick: no more decimals than it needs, and none left out."""
    return f"{100 * share:.3g}%"


def new_axes(width, height):
    """Returns the Axes of a new figure, in inches."""
    return plt.subplots(figsize=(width, height))[1]


def legend_beside(ax):
    """Puts a legend to the right of the axes, where it hides nothing."""
    ax.legend(fontsize="small", loc="center left", bbox_to_anchor=(1, 0.5))
