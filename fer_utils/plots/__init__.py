"""Every figure of the course: takes arrays or runs, returns matplotlib Axes, computes no result."""

from fer_utils.plots.bars import plot_costs, plot_shares, plot_speeds
from fer_utils.plots.classes import plot_class_counts, plot_confusion, plot_embedding
from fer_utils.plots.curves import (
    count_seeds,
    plot_cascade,
    plot_cost_of_width,
    plot_curves_over_seeds,
    plot_learning_curves,
    plot_live_and_recorded,
    plot_race,
    plot_reliability,
    plot_trade_off,
    plot_waits,
)
from fer_utils.plots.descriptions import describe_figure, describe_lines
from fer_utils.plots.images import plot_answers, plot_drops, plot_faces, plot_heat_maps, plot_maps
from fer_utils.plots.intervals import (
    plot_accuracy_over_seconds,
    plot_endings,
    plot_frontier,
    plot_gaps,
    plot_intervals,
    plot_seeds,
    plot_waterfall,
)
from fer_utils.plots.networks import draw_network, draw_residual_block
from fer_utils.plots.style import (
    GREY,
    MODEL_COLOURS,
    REPORT_COLOUR,
    SPLIT_COLOURS,
    TWO_SERIES_STYLES,
    set_style,
    titled,
)

__all__ = [
    "GREY",
    "MODEL_COLOURS",
    "REPORT_COLOUR",
    "SPLIT_COLOURS",
    "TWO_SERIES_STYLES",
    "count_seeds",
    "describe_figure",
    "describe_lines",
    "draw_network",
    "draw_residual_block",
    "plot_accuracy_over_seconds",
    "plot_answers",
    "plot_cascade",
    "plot_class_counts",
    "plot_confusion",
    "plot_cost_of_width",
    "plot_costs",
    "plot_curves_over_seeds",
    "plot_drops",
    "plot_embedding",
    "plot_faces",
    "plot_endings",
    "plot_frontier",
    "plot_gaps",
    "plot_heat_maps",
    "plot_intervals",
    "plot_learning_curves",
    "plot_live_and_recorded",
    "plot_maps",
    "plot_race",
    "plot_reliability",
    "plot_seeds",
    "plot_shares",
    "plot_speeds",
    "plot_trade_off",
    "plot_waits",
    "plot_waterfall",
    "set_style",
    "titled",
]
