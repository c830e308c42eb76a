"""Draws faces, activation maps, heat maps and photos."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import Rectangle

from fer_utils.data import CLASS_NAMES
from fer_utils.plots.descriptions import describe_figure
from fer_utils.plots.style import FRAME_COLOUR, GREY, PART_COLOURS, as_percent, new_axes, titled

MAPS_A_ROW = 16


def plot_faces(images, captions, dataset, title, columns=7):
    """Draws a grid of faces (N, 48, 48) or (N, 48, 48, 1), grey levels 0 to 255, each under its caption."""
    rows = -(-len(images) // columns)
    figure, axes = plt.subplots(rows, columns, figsize=(1.5 * columns, 1.75 * rows + 0.4), squeeze=False)
    for ax in axes.flat:
        ax.axis("off")
    for ax, image, caption in zip(axes.flat, images, captions, strict=False):
        ax.imshow(np.squeeze(image), **GREY)
        ax.set_title(caption, fontsize="small")
    figure.suptitle(titled(title, dataset))
    words = captions if len(set(captions)) > 1 else captions[:1]
    describe_figure(figure, "Pictures", f"{len(images)} faces", ", ".join(words))
    return axes


def plot_maps(maps, dataset, title):
    """Draws all maps (height, width, maps) of one layer for one face, each on its own scale from dark (0) to bright."""
    rows = -(-maps.shape[-1] // MAPS_A_ROW)
    figure, axes = plt.subplots(rows, MAPS_A_ROW, figsize=(0.62 * MAPS_A_ROW, 0.66 * rows + 0.5), squeeze=False)
    for ax in axes.flat:
        ax.axis("off")
    for ax, values in zip(axes.flat, np.moveaxis(maps, -1, 0), strict=False):
        ax.imshow(values, cmap="viridis", interpolation="nearest", vmin=0, vmax=max(values.max(), 1e-6))
    figure.suptitle(titled(title, dataset), fontsize="medium")
    height, width, count = maps.shape
    blank = np.sum(maps.max(axis=(0, 1)) <= 0)
    describe_figure(figure, "Pictures", f"{count} maps of {height}×{width} places, {blank} of them dark all over")
    return axes


def plot_heat_maps(images, heat_maps, captions, dataset, title):
    """Draws faces above, the same faces under their heat maps (N, h, w) below; bright where the class is decided."""
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
    facts = [f"{caption}: {_name_brightest_place(heat)}" for caption, heat in zip(captions, heat_maps, strict=True)]
    describe_figure(figure, "Faces under heat maps, with the place that is brightest", *facts)
    return axes


def plot_drops(drops, face, dataset, ax=None):
    """Draws where a grey square costs most: drops (rows, columns) of probability in points, bright for much.

    Under them lies a `face` (48, 48), so that the places can be read.
    """
    ax = ax or new_axes(6, 4.8)
    points, whole = 100 * np.asarray(drops), (0, 48, 48, 0)
    ax.imshow(np.squeeze(face), **GREY, extent=whole)
    # The less a place costs, the more of the face is seen through it.
    seen = 0.75 * np.clip(points / max(points.max(), 1e-9), 0, 1)
    shown = ax.imshow(points, cmap="inferno", alpha=seen, vmin=0, extent=whole, interpolation="nearest")
    ax.figure.colorbar(shown, ax=ax, label="drop of the answer's probability (points)")
    ax.grid(False)
    ax.set(xlabel="column of pixels", ylabel="row of pixels", title=titled("What is covered", dataset))
    place = _name_brightest_place(points)
    return describe_figure(
        ax, "Table of drops by place", f"most {points.max():.0f} points at {place}, mean {points.mean():.1f}"
    )


def _name_brightest_place(heat):
    """Returns where in thirds of its height and width a heat map (h, w) is brightest, in words."""
    if heat.max() <= 0:
        return "nowhere"
    (row, column), (height, width) = np.unravel_index(heat.argmax(), heat.shape), heat.shape
    return f"{('top', 'middle', 'bottom')[3 * row // height]} {('left', 'centre', 'right')[3 * column // width]}"


def plot_answers(photo, answers, heat_maps, title):
    """Draws a photo (height, width, 3) with its faces in numbered squares; returns the Axes.

    Beside it, for each of `answers` (`Answer` of `fer_utils.photo`): the face as the network sees it, the same under
    its heat map (N, h, w), and the seven probabilities.
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
        whole.add_patch(Rectangle((left, top), side, side, fill=False, linewidth=2, edgecolor=FRAME_COLOUR))
        whole.text(left, top, row + 1, backgroundcolor=FRAME_COLOUR, fontsize="small", verticalalignment="bottom")
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
    describe_figure(figure, "A photo, its faces, heat maps and probabilities", *(facts or ["no face found"]))
    return np.array(figure.axes)


def _plot_probabilities(answer, ax):
    ax.barh(CLASS_NAMES, answer.probabilities, color=PART_COLOURS["convolution"])
    ax.invert_yaxis()
    ax.xaxis.set_major_formatter(as_percent)
    ax.grid(axis="y", visible=False)
    ax.set(xlim=(0, 1), xlabel="probability")
    ax.set_title(f"{'uncertain: ' if answer.uncertain else ''}{answer.name} {answer.probability:.0%}", fontsize="small")
