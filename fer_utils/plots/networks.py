"""Draws diagrams of networks and blocks."""

from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from matplotlib.path import Path

from fer_utils.plots.descriptions import describe_figure
from fer_utils.plots.style import GRID_COLOUR, PART_COLOURS, REPORT_COLOUR, new_axes


def draw_network(model, ax=None):
    """Draws the architecture of `model` as a row of boxes, one per weighted layer (Figures 8, 9 and 10).

    A box is as tall as its layer's maps, its text gives their size and number; triangles are poolings, arcs shortcuts.
    For networks whose layers are named as in `models`.
    """
    drawn = [(layer, _part(layer)) for layer in model.layers if _part(layer)]
    ax = ax or new_axes(2 + 0.65 * len(drawn), 2.9)
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
    return describe_figure(ax, "Network diagram", ", ".join(layers), arcs)


def draw_residual_block(projection, ax=None):
    """Draws a residual block as a flow from left to right (Figure 2): two convolutions below, the shortcut above.

    With `projection` the shortcut is a 1x1 convolution, else the input itself.
    """
    ax = ax or new_axes(9, 2.2)
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
    return describe_figure(ax, "Flow diagram of a residual block", *facts)


def _draw_step(ax, x, y, text, colour):
    box = {"boxstyle": "round,pad=0.35", "facecolor": colour, "edgecolor": GRID_COLOUR}
    ax.text(x, y, text, ha="center", va="center", fontsize=8, bbox=box)


def _draw_box(layer, part, x, ax):
    """Draws a box with its text, its left side at `x`; returns the patch."""
    shape = layer.output.shape[1:]
    height = 0.5 + 1.7 * shape[0] / 48 if part == "convolution" else 0.7
    text = f"{shape[0]}×{shape[1]}\n×{shape[2]}" if part == "convolution" else f"{shape[0]}"
    style = {"boxstyle": "round,pad=0.02", "color": PART_COLOURS[part]}
    box = ax.add_patch(FancyBboxPatch((x, -height / 2), 0.62, height, **style))
    ax.text(x + 0.31, 0, text, ha="center", va="center", fontsize=7)
    ax.text(x + 0.31, -1.28, layer.name, ha="center", va="top", fontsize=7)
    return box


def _part(layer):
    """Returns as which part a layer is drawn, a name of `PART_COLOURS`; None if it is not drawn."""
    kind = type(layer).__name__
    if kind == "Conv2D" and "shortcut" not in layer.name:
        return "convolution"
    return {"MaxPooling2D": "pooling", "Dense": "dense"}.get(kind)


def _draw_shortcuts(model, boxes, ax):
    """Draws an arc round the two convolutions before each addition; returns how many."""
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
