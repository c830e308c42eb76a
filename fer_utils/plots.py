"""Every figure of the course: takes arrays or runs, returns matplotlib Axes (or an array of them), computes no result.

One colour and one marker per model in all notebooks; solid lines are validation, dashed training. Colours come from
seaborn's colour-blind palette, and none is the only sign of anything. Every figure says which faces it shows, `dataset`
is the `name` of a `FaceDataset` or the `dataset` of a `Run`; and each has words for readers who do not see it.
"""

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch, Rectangle
from matplotlib.path import Path
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter, PercentFormatter, StrMethodFormatter

from fer_utils.alt_text import describe, describe_lines, show_alt_texts
from fer_utils.experiments import BEST_ROWS, EXPERIMENTS, FAST_ROWS, ROWS, STRIDE_2_ROWS
from fer_utils.fer2013 import CLASS_NAMES

_PALETTE = sns.color_palette("colorblind").as_hex()
GRID_COLOUR = "0.7"
REPORT_COLOUR = "0.1"
# The other reading of "stride 2" is the same row of the report, in the same colour and with the same marker.
MODEL_COLOURS = {name: _PALETTE[place] for rows in (ROWS, STRIDE_2_ROWS) for place, name in enumerate(rows)}
MODEL_COLOURS |= dict.fromkeys(FAST_ROWS, REPORT_COLOUR) | dict.fromkeys(BEST_ROWS, _PALETTE[4])
MODEL_MARKERS = {name: marker for rows in (ROWS, STRIDE_2_ROWS) for name, marker in zip(rows, "os^D", strict=True)}
MODEL_MARKERS |= dict.fromkeys(FAST_ROWS, "*") | dict.fromkeys(BEST_ROWS, "P")
# Only colours that stay apart for colour-blind eyes stand together in a figure (measured in the tests).
SPLIT_COLOURS = dict(zip(("train", "validation", "test"), (_PALETTE[7], _PALETTE[5], _PALETTE[9]), strict=True))
SPLIT_HATCHES = {"train": "", "validation": "///", "test": "..."}
PART_COLOURS = {"convolution": _PALETTE[9], "pooling": _PALETTE[8], "dense": _PALETTE[7], "shortcut": _PALETTE[3]}
WAY_STYLES = {"color": _PALETTE[5], "marker": "o"}, {"color": _PALETTE[9], "marker": "s"}
GREY = {"cmap": "gray", "vmin": 0, "vmax": 255, "interpolation": "nearest"}


def set_style():
    """Sets seaborn's white-grid theme and a resolution that reads well and keeps notebooks small; shows alt texts."""
    show_alt_texts()
    sns.set_theme(
        style="whitegrid", rc={"figure.dpi": 80, "axes.titlesize": "medium", "figure.constrained_layout.use": True}
    )


def model_style(experiment):
    """Colour and marker of an experiment, as arguments of `Axes.plot`: the same in every figure."""
    return {"color": MODEL_COLOURS[experiment], "marker": MODEL_MARKERS[experiment]}


def titled(title, dataset):
    """`title` with the name of the faces behind it, loud where they are not FER2013.

    >>> titled("Mean face", "drawn faces")
    'Mean face [drawn faces, not FER2013]'
    """
    note = dataset if "FER2013" in dataset else f"{dataset}, not FER2013"
    return f"{title} [{note}]"


def plot_faces(images, captions, dataset, title, columns=7):
    """A grid of faces (N, 48, 48) or (N, 48, 48, 1), grey levels 0 to 255, each under its caption."""
    rows = -(-len(images) // columns)
    figure, axes = plt.subplots(rows, columns, figsize=(1.5 * columns, 1.75 * rows + 0.4), squeeze=False)
    for ax in axes.flat:
        ax.axis("off")
    for ax, image, caption in zip(axes.flat, images, captions, strict=False):
        ax.imshow(np.squeeze(image), **GREY)
        ax.set_title(caption, fontsize="small")
    figure.suptitle(titled(title, dataset))
    words = captions if len(set(captions)) > 1 else captions[:1]
    describe(figure, "Pictures", f"{len(images)} faces", ", ".join(words))
    return axes


def plot_class_counts(counts, dataset, ax=None):
    """Bars of the images per class and split, on a logarithmic scale; `counts` maps a split's name to seven counts."""
    ax = ax or _new_axes(9, 3.6)
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
    _legend_beside(ax)
    facts = []
    for split, values in counts.items():
        most, least = np.argmax(values), np.argmin(values)
        ends = f"most {CLASS_NAMES[most]}, {values[most]:,}, least {CLASS_NAMES[least]}, {values[least]:,}"
        facts.append(f"{split}: {ends}")
    return describe(ax, "Bar chart", *facts)


def plot_learning_curves(runs, measure="accuracy", axes=None):
    """Training (dashed) and validation (solid) curves of the runs, one panel each, all on one scale; a ring marks
    the epoch whose weights were kept. `measure` is "accuracy" or "loss". Returns the array of Axes.
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


def compare_learning_curves(runs, measure="accuracy", ax=None):
    """All runs in one panel: training dashed, validation solid, one colour and marker per model."""
    ax = ax or _new_axes(9, 4)
    for run in runs:
        style, name = model_style(run.experiment), EXPERIMENTS[run.experiment].title
        epochs = np.arange(1, len(run.history[measure]) + 1)
        ax.plot(epochs, run.history[measure], "--", **style, label=f"{name}, training")
        ax.plot(epochs, run.history[f"val_{measure}"], **style, label=f"{name}, validation")
    _finish_curves(ax, measure, titled(measure.capitalize(), runs[0].dataset))
    _legend_beside(ax)
    return ax


def plot_curves_over_seeds(runs, measure="accuracy", ax=None):
    """Mean curves over the seeds of each experiment among `runs`, training dashed and validation solid; the band goes
    from the lowest to the highest seed. Without runs the panel says so.
    """
    ax = ax or _new_axes(6, 3.8)
    if not runs:
        ax.text(0.5, 0.5, "no recorded run", ha="center", transform=ax.transAxes)
        return describe(ax, "Line chart", "no recorded run")
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
    n_seeds = len({run.seed for run in runs})
    seeds = f"{n_seeds} seeds" if n_seeds > 1 else "one seed"
    title = EXPERIMENTS[experiments[0]].title if len(experiments) == 1 else measure.capitalize()
    _finish_curves(ax, measure, f"{titled(title, runs[0].dataset)}, {runs[0].profile} profile, {seeds}")
    return ax


def plot_live_and_recorded(live, recorded, measure="accuracy"):
    """The runs just trained beside the `recorded` ones, a panel each, on one scale; returns the array of Axes."""
    _, axes = plt.subplots(1, 2, figsize=(12, 3.9), sharey=True)
    for ax, runs in zip(axes, (live, recorded), strict=True):
        plot_curves_over_seeds(runs, measure, ax)
    return axes


def plot_seeds(recorded, claimed, dataset, ax=None):
    """A dot for each seed's test accuracy and a cross for the report's; `recorded` maps experiments to runs."""
    ax, facts = ax or _new_axes(7.5, 1.2 + 0.5 * len(recorded)), []
    for place, (name, runs) in enumerate(recorded.items()):
        accuracies = [run.test_accuracy for run in runs]
        ax.plot(accuracies, [place] * len(runs), "o", color=MODEL_COLOURS[name], alpha=0.7)
        facts.append(f"{EXPERIMENTS[name].title} {', '.join(map(_percent, accuracies)) or 'no seed'}")
        if name in claimed:
            ax.plot(claimed[name] / 100, place, "x", color=REPORT_COLOUR, markersize=8)
            facts[-1] += f", report {claimed[name]}%"
    ax.plot([], [], "x", color=REPORT_COLOUR, markersize=8, label="the report")
    ax.plot([], [], "o", color=GRID_COLOUR, label="one seed of ours")
    ax.set_yticks(range(len(recorded)), [EXPERIMENTS[name].title for name in recorded])
    ax.set_ylim(len(recorded) - 0.5, -0.5)
    ax.xaxis.set_major_formatter(_percent)
    ax.set(xlabel="test accuracy", title=titled("Seeds alone", dataset))
    _legend_beside(ax)
    return describe(ax, "Dot chart of test accuracies", *facts)


def plot_confusion(confusion, dataset, title="Confusion matrix", ax=None):
    """The confusion matrix (7, 7): colour is the share of the true class (a row), text the share and the count."""
    ax = ax or _new_axes(7, 5.6)
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
    return describe(ax, "Table of true and predicted classes", *facts)


def plot_gaps(gaps, ax=None):
    """Training accuracy less validation accuracy with its 95 % interval; `gaps` is a list of (run, `Difference`)."""
    ax, facts = ax or _new_axes(7, 1.2 + 0.6 * len(gaps)), []
    for place, (run, gap) in enumerate(gaps):
        reach = [[gap.value - gap.low], [gap.high - gap.value]]
        ax.barh(place, gap.value, xerr=reach, color=MODEL_COLOURS[run.experiment], capsize=4, height=0.6)
        facts.append(_with_interval(run.experiment, gap.value, gap.low, gap.high))
    ax.set_yticks(range(len(gaps)), [EXPERIMENTS[run.experiment].title for run, _ in gaps])
    ax.invert_yaxis()
    ax.xaxis.set_major_formatter(_percent)
    title = titled("The gap at the last epoch", gaps[0][0].dataset)
    ax.set(xlabel="training accuracy less validation accuracy", title=title)
    return describe(ax, "Bar chart of training accuracy less validation accuracy", *facts)


def plot_accuracies(rows, dataset, ax=None):
    """Test accuracies with 95 % intervals; `rows` is a list of (experiment name, accuracy, low, high)."""
    ax, facts = ax or _new_axes(7, 1.2 + 0.6 * len(rows)), []
    for place, (name, accuracy, low, high) in enumerate(rows):
        reach = [[accuracy - low], [high - accuracy]]
        ax.errorbar(accuracy, place, xerr=reach, **model_style(name), capsize=4)
        facts.append(_with_interval(name, accuracy, low, high))
    ax.set_yticks(range(len(rows)), [EXPERIMENTS[row[0]].title for row in rows])
    ax.set_ylim(len(rows) - 0.5, -0.5)
    ax.xaxis.set_major_formatter(_percent)
    ax.set(xlabel="test accuracy, 95 % interval", title=titled("Test accuracy", dataset))
    return describe(ax, "Dots with 95 % intervals", *facts)


def plot_race(curves, dataset, marks=(), ax=None):
    """Validation accuracy over seconds of training, on a logarithmic scale of time, a marker per epoch.

    `curves` maps an experiment's name to (seconds, accuracies); a dotted line stands at each of `marks`.
    """
    ax = ax or _new_axes(9, 4)
    for name, (seconds, accuracies) in curves.items():
        ax.plot(seconds, accuracies, **model_style(name), label=EXPERIMENTS[name].title)
    for mark in marks:
        ax.axhline(mark, color=REPORT_COLOUR, linestyle=":", linewidth=1, zorder=0)
    ax.set_xscale("log")
    ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    ax.xaxis.set_major_formatter(StrMethodFormatter("{x:,g}"))
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.yaxis.set_major_formatter(_percent)
    ax.set(xlabel="seconds of training (logarithmic scale)", ylabel="validation accuracy")
    ax.set_title(titled("Accuracy over seconds", dataset))
    _legend_beside(ax)
    return describe_lines(ax)


def plot_speeds(speeds, title, unit="images a second", ax=None):
    """A bar per entry of `speeds` (words to speed), each with its speed and how many times the first one it is."""
    ax = ax or _new_axes(8, 0.9 + 0.55 * len(speeds))
    values = list(speeds.values())
    bars = ax.barh(list(speeds), values, color=PART_COLOURS["convolution"], height=0.6)
    labels = [f"{value:,.0f}  (× {value / values[0]:.2g})" for value in values]
    ax.bar_label(bars, labels, padding=4, fontsize="small")
    ax.invert_yaxis()
    ax.margins(x=0.22)
    ax.grid(axis="y", visible=False)
    ax.set(xlabel=unit, title=title)
    facts = [f"{words} {label}" for words, label in zip(speeds, labels, strict=True)]
    return describe(ax, f"Bar chart of {unit}", *facts)


def plot_shares(shares, title, ax=None):
    """A bar of one second per entry of `shares` (words to share of the multiplying), dark up to its share."""
    ax = ax or _new_axes(9, 0.9 + 0.5 * len(shares))
    parts, colour = np.array(list(shares.values())), PART_COLOURS["convolution"]
    bars = ax.barh(list(shares), parts, color=colour, height=0.6, label="multiplying")
    labels = [_percent(round(part, 2)) for part in parts]
    ax.bar_label(bars, labels, label_type="center", fontsize="small")
    ax.barh(list(shares), 1 - parts, left=parts, color=colour, alpha=0.25, height=0.6, label="all else")
    ax.invert_yaxis()
    ax.grid(axis="y", visible=False)
    ax.set(xlabel="seconds", xlim=(0, 1), title=title)
    _legend_beside(ax)
    facts = [f"{words} {label}" for words, label in zip(shares, labels, strict=True)]
    return describe(ax, "Bar chart of the share spent multiplying", *facts)


def plot_waits(n_images, seconds, ax=None):
    """Seconds of one epoch over its number of images; `seconds` maps each way of training to its seconds."""
    ax = ax or _new_axes(8, 3.8)
    for style, (way, values) in zip(WAY_STYLES, seconds.items(), strict=True):
        ax.plot(n_images, values, **style, label=way)
    ax.set(xlabel="images in the epoch", ylabel="seconds", ylim=(0, None), title="One epoch of a small network")
    ax.legend(fontsize="small")
    return describe_lines(ax)


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
    describe(axes[0], f"Bar charts of multiply-adds over the budget, {min(shares):.2f} to {max(shares):.2f}", *facts)
    return axes


def plot_cost_of_width(widths, shares, ax=None):
    """The cost of a network over its width multiplier, `shares` of its cost at width 1, beside the width's square."""
    ax = ax or _new_axes(7, 3.8)
    counted, square = WAY_STYLES
    ax.plot(widths, shares, **counted, label="multiply-adds, counted")
    ax.plot(widths, np.square(widths), linestyle=":", **square, label="the width squared")
    ax.yaxis.set_major_formatter(_percent)
    ax.set(xlabel="width multiplier", ylabel="share of the cost at width 1", title="What a width multiplier saves")
    ax.legend(fontsize="small")
    return describe_lines(ax)


def plot_intervals(rows, title, label, form="{:.1%}", reference=None, ax=None):
    """Values with 95 % intervals in the order given; `rows` is a list of (words, value, low, high).

    `form` writes a value beside its dot, and a dashed line stands at `reference`. Without rows the panel says so.
    """
    ax, kind = ax or _new_axes(8, 1.2 + 0.4 * max(len(rows), 1)), "Dots with 95 % intervals"
    ax.set(xlabel=f"{label}, 95 % interval", title=title)
    if not rows:
        return _say_empty(ax, kind)
    for place, (_, value, low, high) in enumerate(rows):
        reach = [[value - low], [high - value]]
        ax.errorbar(value, place, xerr=reach, fmt="o", color=PART_COLOURS["convolution"], capsize=4)
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
    return describe(ax, kind, *facts)


def plot_accuracy_over_seconds(points, title, ax=None):
    """Test accuracies with 95 % intervals over seconds of training, each point with its words beside it.

    `points` is a list of (words, seconds, accuracy, low, high). Without points the panel says so.
    """
    ax, kind = ax or _new_axes(10, 4.4), "Points with 95 % intervals"
    ax.set(xlabel="seconds of training (logarithmic scale)", ylabel="test accuracy", title=title)
    if not points:
        return _say_empty(ax, kind)
    points, facts = sorted(points, key=lambda point: point[1]), []
    for number, (words, seconds, accuracy, low, high) in enumerate(points):
        reach = [[accuracy - low], [high - accuracy]]
        ax.errorbar(seconds, accuracy, yerr=reach, fmt="o", color=PART_COLOURS["convolution"], capsize=4)
        # Above and below in turns: neighbours in seconds would write over each other.
        end, side, align = (high, 1, "bottom") if number % 2 == 0 else (low, -1, "top")
        place = {"xytext": (0, 4 * side), "textcoords": "offset points", "ha": "center", "va": align}
        ax.annotate(words, (seconds, end), **place, fontsize="small")
        facts.append(f"{words} {_percent(accuracy)} in {seconds:,.0f} seconds")
    ax.set_xscale("log")
    ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    ax.xaxis.set_major_formatter(StrMethodFormatter("{x:,g}"))
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.yaxis.set_major_formatter(_percent)
    ax.margins(x=0.12, y=0.15)
    return describe(ax, kind, *facts)


def _say_empty(ax, kind):
    ax.text(0.5, 0.5, "nothing recorded yet", ha="center", transform=ax.transAxes)
    ax.set(xticks=[], yticks=[])
    return describe(ax, kind, "nothing recorded yet")


def plot_per_layer(values, dataset, title, ylabel, ax=None):
    """Lines over layers, on a logarithmic scale; `values` maps an experiment's name to {layer name: value}."""
    ax = ax or _new_axes(8, 3.8)
    for name, by_layer in values.items():
        ax.plot(list(by_layer), list(by_layer.values()), **model_style(name), label=EXPERIMENTS[name].title)
    ax.set_yscale("log")
    ax.set(xlabel="layer, from input to output", ylabel=ylabel, title=titled(title, dataset))
    ax.tick_params(axis="x", rotation=30)
    _legend_beside(ax)
    return describe_lines(ax)


def plot_maps(maps, dataset, title, columns=16):
    """All maps (height, width, maps) of one layer for one face, each on its own scale from dark (0) to bright."""
    rows = -(-maps.shape[-1] // columns)
    figure, axes = plt.subplots(rows, columns, figsize=(0.62 * columns, 0.66 * rows + 0.5), squeeze=False)
    for ax in axes.flat:
        ax.axis("off")
    for ax, values in zip(axes.flat, np.moveaxis(maps, -1, 0), strict=False):
        ax.imshow(values, cmap="viridis", interpolation="nearest", vmin=0, vmax=max(values.max(), 1e-6))
    figure.suptitle(titled(title, dataset), fontsize="medium")
    height, width, count = maps.shape
    blank = np.sum(maps.max(axis=(0, 1)) <= 0)
    describe(figure, "Pictures", f"{count} maps of {height}×{width} places, {blank} of them dark all over")
    return axes


def plot_heat_maps(images, heat_maps, captions, dataset, title):
    """Faces above, the same faces under their heat maps (N, h, w) below; bright where the class is decided."""
    figure, axes = plt.subplots(2, len(images), figsize=(1.5 * len(images), 3.7), squeeze=False)
    for column, (image, heat, caption) in enumerate(zip(images, heat_maps, captions, strict=True)):
        for ax in axes[:, column]:
            ax.imshow(np.squeeze(image), **GREY, extent=(0, 48, 48, 0))
            ax.axis("off")
        axes[1, column].imshow(
            heat, cmap="inferno", alpha=0.55, vmin=0, vmax=1, extent=(0, 48, 48, 0), interpolation="bilinear"
        )
        axes[0, column].set_title(caption, fontsize="small")
    figure.suptitle(titled(title, dataset))
    facts = [f"{caption}: {_brightest_place(heat)}" for caption, heat in zip(captions, heat_maps, strict=True)]
    describe(figure, "Faces under heat maps, with the place that is brightest", *facts)
    return axes


def draw_network(model, ax=None):
    """The architecture of `model` as a row of boxes, one per weighted layer (Figures 8, 9 and 10).

    A box is as tall as its layer's maps, its text gives their size and number; triangles are poolings, arcs shortcuts.
    For networks whose layers are named as in `models`.
    """
    drawn = [(layer, _part(layer)) for layer in model.layers if _part(layer)]
    ax = ax or _new_axes(2 + 0.65 * len(drawn), 2.9)
    pooling = {
        "color": PART_COLOURS["pooling"],
        "marker": ">",
        "markersize": 8,
        "markeredgecolor": REPORT_COLOUR,
        "ls": "",
    }
    x, boxes, layers = 0.0, {}, []
    for layer, part in drawn:
        if part == "pooling":
            ax.plot(x + 0.04, 0, **pooling)
            layers.append(part)
            x += 0.34
        else:
            boxes[layer.name] = _draw_box(layer, part, x, ax)
            layers.append(f"{layer.name} {'×'.join(map(str, layer.output.shape[1:]))}")
            x += 0.84
    ax.axhline(0, color=GRID_COLOUR, lw=1, zorder=0)
    ax.plot([], [], "s", color=PART_COLOURS["convolution"], label="convolution")
    ax.plot([], [], **pooling, label="pooling")
    ax.plot([], [], "s", color=PART_COLOURS["dense"], label="dense")
    n_shortcuts = _draw_shortcuts(model, boxes, ax)
    ax.set(xlim=(-0.3, x), ylim=(-1.6, 1.7))
    ax.set_title(f"{model.name}: {len(boxes)} weighted layers, {model.count_params():,} parameters")
    ax.legend(ncols=4, fontsize="small", loc="upper center", bbox_to_anchor=(0.5, 0))
    ax.axis("off")
    arcs = f"{n_shortcuts} shortcuts round two convolutions each" if n_shortcuts else ""
    return describe(ax, "Network diagram", ", ".join(layers), arcs)


def draw_residual_block(projection, ax=None):
    """A residual block as a flow from left to right (Figure 2): two convolutions below, the shortcut above.

    With `projection` the shortcut is a 1x1 convolution, else the input itself.
    """
    ax = ax or _new_axes(9, 2.2)
    steps = ["3×3 convolution", "normalisation", "ReLU", "3×3 convolution", "normalisation", "+", "ReLU"]
    for place, step in enumerate(steps):
        colour = PART_COLOURS["convolution"] if "convolution" in step else "white"
        _draw_step(ax, place, 0, step.replace(" ", "\n"), colour)
    arrow = {"arrowstyle": "-|>", "color": GRID_COLOUR}
    for place in range(len(steps) + 1):
        ax.annotate("", (place - 0.4, 0), (place - 0.6 - 0.3 * (place == 0), 0), arrowprops=arrow)
    corners = [(-0.75, 0), (-0.75, 1), (5, 1), (5, 0.32)]
    style = {"arrowstyle": "-|>", "mutation_scale": 10, "color": PART_COLOURS["shortcut"], "lw": 1.5}
    ax.add_patch(FancyArrowPatch(path=Path(corners), **style))
    shortcut = "1×1 convolution,\nnormalisation" if projection else "x itself"
    _draw_step(ax, 2.1, 1, shortcut, PART_COLOURS["convolution"] if projection else "white")
    ax.text(-1, 0, "x", ha="center", va="center", style="italic")
    ax.set(xlim=(-1.2, 6.8), ylim=(-0.6, 1.5))
    ax.set_title("with projection: f(x) + projection of x" if projection else "identity: f(x) + x")
    ax.axis("off")
    facts = f"x goes through {', '.join(steps)}", f"the shortcut from x to + is {shortcut}"
    return describe(ax, "Flow diagram of a residual block", *facts)


def _draw_step(ax, x, y, text, colour):
    box = {"boxstyle": "round,pad=0.35", "facecolor": colour, "edgecolor": GRID_COLOUR}
    ax.text(x, y, text, ha="center", va="center", fontsize=8, bbox=box)


def _draw_box(layer, part, x, ax):
    """A box with its text, its left side at `x`; returns the patch."""
    shape = layer.output.shape[1:]
    height = 0.5 + 1.7 * shape[0] / 48 if part == "convolution" else 0.7
    text = f"{shape[0]}×{shape[1]}\n×{shape[2]}" if part == "convolution" else f"{shape[0]}"
    style = {"boxstyle": "round,pad=0.02", "color": PART_COLOURS[part]}
    box = ax.add_patch(FancyBboxPatch((x, -height / 2), 0.62, height, **style))
    ax.text(x + 0.31, 0, text, ha="center", va="center", fontsize=7)
    ax.text(x + 0.31, -1.28, layer.name, ha="center", va="top", fontsize=7)
    return box


def _part(layer):
    kind = type(layer).__name__
    if kind == "Conv2D" and not layer.name.startswith("shortcut"):
        return "convolution"
    return {"MaxPooling2D": "pooling", "Dense": "dense"}.get(kind)


def _draw_shortcuts(model, boxes, ax):
    """An arc round the two convolutions before each addition; returns how many."""
    style = {"color": PART_COLOURS["shortcut"], "lw": 1.5}
    convolutions, blocks = [], []
    for layer in model.layers:
        if _part(layer) == "convolution":
            convolutions.append(boxes[layer.name])
        elif type(layer).__name__ == "Add":
            blocks.append(convolutions[-2:])
    for first, second in blocks:
        start, end = first.get_x() - 0.1, second.get_x() + second.get_width() + 0.1
        top = first.get_y() + first.get_height()
        corners = [(start, 0), (start, top), (start, top + 0.6), (end, top + 0.6), (end, top), (end, 0)]
        codes = [Path.MOVETO, Path.LINETO, Path.CURVE4, Path.CURVE4, Path.CURVE4, Path.LINETO]
        ax.add_patch(FancyArrowPatch(path=Path(corners, codes), arrowstyle="-|>", mutation_scale=10, **style))
    if blocks:
        ax.plot([], [], label="shortcut", **style)
    return len(blocks)


def _with_interval(experiment, value, low, high):
    return f"{EXPERIMENTS[experiment].title} {_percent(value)} ({_percent(low)} to {_percent(high)})"


def _brightest_place(heat):
    """Where in thirds of its height and width a heat map (h, w) is brightest, in words."""
    if heat.max() <= 0:
        return "nowhere"
    (row, column), (height, width) = np.unravel_index(heat.argmax(), heat.shape), heat.shape
    return f"{('top', 'middle', 'bottom')[3 * row // height]} {('left', 'centre', 'right')[3 * column // width]}"


def _percent(share, _=None):
    """The text at a tick: no more decimals than it needs, and none left out."""
    return f"{100 * share:.3g}%"


def _new_axes(width, height):
    return plt.subplots(figsize=(width, height))[1]


def _legend_beside(ax):
    """A legend to the right of the axes, where it hides nothing."""
    ax.legend(fontsize="small", loc="center left", bbox_to_anchor=(1, 0.5))


def _finish_curves(ax, measure, title):
    ax.set(xlabel="epoch", ylabel="cross-entropy loss" if measure == "loss" else measure, title=title)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    if measure == "accuracy":
        ax.yaxis.set_major_formatter(_percent)
    ax.legend(fontsize="small")
    describe_lines(ax)


# --- mistakes ---


def plot_agreement(by_agreement, dataset, ax=None):
    """Accuracy over how far the crowd agrees, with 95 % intervals; maps words to (count, accuracy, low, high)."""
    ax, facts = ax or _new_axes(8, 3.8), []
    for place, (words, (count, accuracy, low, high)) in enumerate(by_agreement.items()):
        ax.errorbar(place, accuracy, [[accuracy - low], [high - accuracy]], **WAY_STYLES[0], capsize=4)
        facts.append(f"{words}: {accuracy:.1%} of {count:,} ({low:.1%} to {high:.1%})")
    labels = [f"{words}\n{found[0]:,} faces" for words, found in by_agreement.items()]
    ax.set_xticks(range(len(labels)), labels)
    ax.yaxis.set_major_formatter(_percent)
    ax.set(xlabel="share of the votes for the most frequent answer", ylabel="accuracy, 95 % interval", ylim=(0, 1))
    ax.set_title(titled("Accuracy by the crowd's agreement", dataset))
    return describe(ax, "Dots with 95 % intervals", *facts)


def plot_reliability(reliabilities, dataset, ax=None):
    """Share right over confidence, a point per bin, larger for more answers; maps words to (counts, confidence,
    accuracy), a value per bin each, NaN in an empty one. On the dotted line an answer is worth what it says.
    """
    ax = ax or _new_axes(5.4, 4.4)
    ax.plot([0, 1], [0, 1], ":", color=REPORT_COLOUR, linewidth=1)
    for style, (words, bins) in zip(WAY_STYLES, reliabilities.items(), strict=False):
        counts, confidence, accuracy = np.array(bins, float)[:, np.array(bins[0]) > 0]
        ax.plot(confidence, accuracy, **style, markersize=3, label=words)
        ax.scatter(confidence, accuracy, 1200 * counts / counts.sum(), **style, alpha=0.3, linewidth=0)
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_formatter(_percent)
    ax.set(xlabel="confidence: the highest probability", ylabel="share right", xlim=(0, 1.03), ylim=(0, 1.03))
    ax.set_title(titled("Confidence and accuracy", dataset))
    ax.legend(fontsize="small", loc="upper left")
    return describe_lines(ax)


def plot_trade_off(strengths, accuracy, mean_recall, chosen, dataset, ax=None):
    """Accuracy and mean recall over the strength of the shift; a dotted line at the strength that was `chosen`."""
    ax = ax or _new_axes(6, 3.8)
    measures = {"accuracy": accuracy, "mean of the classes' recalls": mean_recall}
    for style, (words, values) in zip(WAY_STYLES, measures.items(), strict=True):
        ax.plot(strengths, values, **style, markersize=4, label=words)
    ax.axvline(chosen, color=REPORT_COLOUR, linestyle=":", linewidth=1)
    ax.yaxis.set_major_formatter(_percent)
    ax.set(xlabel="strength of the shift", ylabel="share of test faces", title=titled("Shifted priors", dataset))
    ax.legend(fontsize="small")
    describe_lines(ax)
    kind, facts = ax.described
    return describe(ax, kind, facts, f"chosen strength {chosen:g}")


def plot_drops(drops, dataset, ax=None):
    """Where a grey square costs most: drops (rows, columns) of probability as points of percent, dark for much."""
    ax = ax or _new_axes(6, 4.8)
    points = 100 * np.asarray(drops)
    bar = {"label": "drop of the answer's probability (points)"}
    sns.heatmap(points, vmin=0, cmap="Blues", square=True, cbar_kws=bar, ax=ax)
    ax.set(xlabel="place, left to right", ylabel="place, top to bottom", title=titled("What is covered", dataset))
    place = _brightest_place(points)
    return describe(
        ax, "Table of drops by place", f"most {points.max():.0f} points at {place}, mean {points.mean():.1f}"
    )


def plot_cascade(correlations, dataset, ax=None):
    """Rank correlation with the original heat maps while layers are randomised from the output down.

    `correlations` maps layers to numbers, "none" first and "another face", a dotted line, last.
    """
    ax = ax or _new_axes(8, 3.8)
    steps = {words: value for words, value in correlations.items() if words != "another face"}
    values = np.array(list(steps.values()), float)
    ax.plot(list(steps), values, **WAY_STYLES[0], label="same face, layers randomised")
    other = float(correlations["another face"])
    ax.axhline(other, color=REPORT_COLOUR, linestyle=":", label="another face, nothing randomised")
    plt.setp(ax.get_xticklabels(), rotation=45, ha="right", rotation_mode="anchor")
    ax.set(xlabel="randomised so far, from the output down", ylabel="rank correlation of the maps")
    ax.set_title(titled("Heat maps of a network that forgets", dataset))
    ax.legend(fontsize="small")
    return describe_lines(ax)


def plot_embedding(points, labels, predictions, dataset):
    """A panel per class over the same map (N, 2): its faces dark, dots where the answer is right and crosses where it
    is wrong, all other faces pale. Returns the array of Axes.
    """
    figure, axes = plt.subplots(2, 4, figsize=(9, 4.7), sharex=True, sharey=True)
    facts = []
    for label, (ax, name) in enumerate(zip(axes.flat, CLASS_NAMES, strict=False)):
        right, wrong = ((labels == label) & (same == (predictions == labels)) for same in (True, False))
        ax.scatter(*points.T, s=3, color="0.85", lw=0)
        ax.scatter(*points[right].T, s=9, color=WAY_STYLES[0]["color"], lw=0)
        ax.scatter(*points[wrong].T, s=14, color=REPORT_COLOUR, marker="x", lw=0.8)
        ax.set_title(f"{name}, {right.sum() + wrong.sum()} faces")
        ax.grid(visible=False)
        facts.append(f"{name}: {right.sum()} right, {wrong.sum()} wrong")
    legend = axes[1, 3]
    legend.axis("off")
    for words, style in (("right", {"color": WAY_STYLES[0]["color"], "marker": "o"}), ("wrong", {"marker": "x"})):
        legend.scatter([], [], label=words, **{"color": REPORT_COLOUR, **style})
    legend.scatter([], [], color="0.85", label="another class")
    legend.legend(loc="center")
    figure.supxlabel("first direction", fontsize="small")
    figure.supylabel("second direction", fontsize="small")
    figure.suptitle(titled("The last layer's view, in two directions", dataset))
    describe(figure, "Scatter plots, a panel per class", *facts)
    return axes


# --- photos ---


def plot_answers(photo, answers, heat_maps, title):
    """A photo (height, width, 3) with its faces in numbered squares; beside it, for each of `answers` (photo.Answer),
    the face as the network sees it, the same under its heat map (N, h, w), and the seven probabilities. The Axes.
    """
    rows = max(len(answers), 1)
    figure = plt.figure(figsize=(11, 0.6 + 2.6 * rows))
    grid = figure.add_gridspec(rows, 4, width_ratios=(1.4, 1, 1, 1.4))
    whole = figure.add_subplot(grid[:, 0])
    whole.imshow(photo)
    whole.set_title("the photo" if answers else "the photo: no face found", fontsize="small")
    whole.axis("off")
    for row, (answer, heat) in enumerate(zip(answers, heat_maps, strict=True)):
        left, top, side = answer.box
        whole.add_patch(Rectangle((left, top), side, side, fill=False, linewidth=2, edgecolor=_PALETTE[8]))
        whole.text(left, top, row + 1, backgroundcolor=_PALETTE[8], fontsize="small", verticalalignment="bottom")
        face, heated, bars = (figure.add_subplot(grid[row, column]) for column in (1, 2, 3))
        where = f"what speaks for {answer.name}" if np.any(heat) else f"no place speaks for {answer.name}"
        for ax, words in (face, f"face {row + 1}, 48 × 48"), (heated, where):
            ax.imshow(np.squeeze(answer.image), **GREY, extent=(0, 48, 48, 0))
            ax.set_title(words, fontsize="small")
            ax.axis("off")
        heated.imshow(heat, cmap="inferno", alpha=0.55, vmin=0, vmax=1, extent=(0, 48, 48, 0), interpolation="bilinear")
        _plot_probabilities(answer, bars)
    figure.suptitle(title)
    facts = [f"face {number}: {answer.name} {answer.probability:.0%}" for number, answer in enumerate(answers, start=1)]
    describe(figure, "A photo, its faces, heat maps and probabilities", *(facts or ["no face found"]))
    return np.array(figure.axes)


def _plot_probabilities(answer, ax):
    ax.barh(CLASS_NAMES, answer.probabilities, color=PART_COLOURS["convolution"])
    ax.invert_yaxis()
    ax.xaxis.set_major_formatter(_percent)
    ax.grid(axis="y", visible=False)
    ax.set(xlim=(0, 1), xlabel="probability")
    ax.set_title(f"{'uncertain: ' if answer.uncertain else ''}{answer.name} {answer.probability:.0%}", fontsize="small")
