"""Figures: each returns its Axes, says which faces it shows, and draws what it was given."""

import functools
import itertools

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import is_color_like, same_color, to_hex, to_rgb
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from fer_utils import plots
from fer_utils.data.fer2013 import CLASS_NAMES
from fer_utils.evaluation.compare import Difference
from fer_utils.models.of_course import deep_residual
from fer_utils.models.of_report import lenet_like, resnet_like, vgg_like
from fer_utils.photo.answers import Answer, Box
from fer_utils.plots.descriptions import alt_text
from fer_utils.plots.style import (
    MODEL_COLOURS,
    MODEL_MARKERS,
    PART_COLOURS,
    SPLIT_COLOURS,
    TWO_SERIES_STYLES,
    model_style,
)
from fer_utils.training.experiments import (
    BEST_ROWS,
    EXPERIMENTS,
    FAST_ROWS,
    REPORT_ROWS,
    ROWS,
    STRIDE_2_ROWS,
)
from fer_utils.training.runs import Run

DRAWN = "drawn faces"
NOTE = "[drawn faces, not FER2013]"
EPOCHS = 4
NETWORKS = {lenet_like: 5, vgg_like: 10, resnet_like: 10}


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


@pytest.fixture
def images():
    return np.random.default_rng(0).integers(0, 256, (9, 48, 48, 1), np.uint8)


def make_run(experiment, dataset=DRAWN, seed=0, shift=0.0):
    """A `Run` whose accuracies rise from 0.1 to 0.4 in training and to half of that in validation."""
    accuracy = np.linspace(0.1, 0.4, EPOCHS) + shift
    history = {"accuracy": accuracy, "val_accuracy": accuracy / 2, "loss": 2 - accuracy, "val_loss": 2 - accuracy / 2}
    confusion = np.diag(np.arange(1, 8))
    return Run(
        experiment=experiment, model="lenet_like", augmentation="none", conv_stride=1, seed=seed, profile="quick",
        recipe={}, dataset=dataset, fingerprint="0",
        history={name: values.tolist() for name, values in history.items()}, best_epoch=3, test_accuracy=0.2,
        confusion=confusion, validation_confusion=confusion, test_probabilities=np.eye(7),
        test_correct=np.ones(7, bool), seconds=1.0, device="CPU", versions={}, commit="unknown",
    )  # fmt: skip


def make_runs():
    return [make_run(name) for name in ROWS]


@functools.cache
def build_once(build, width=0.1):
    return build(width)


def texts(ax):
    return [text.get_text() for text in ax.texts]


def legend_labels(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def overlap(artist, other):
    boxes = (artist.get_window_extent(), other.get_window_extent())
    return boxes[0].overlaps(boxes[1])


def test_the_other_reading_of_a_row_looks_like_it():
    for others in (REPORT_ROWS, STRIDE_2_ROWS):
        assert all(model_style(one) == model_style(two) for one, two in zip(ROWS, others, strict=True))


def test_every_experiment_can_be_drawn():
    own = {*ROWS, *REPORT_ROWS, *STRIDE_2_ROWS, *FAST_ROWS, *BEST_ROWS}
    assert list(MODEL_COLOURS) == list(MODEL_MARKERS) == list(EXPERIMENTS)
    styles = [model_style(name) for name in EXPERIMENTS if name not in own]
    assert styles and all(style == {"color": PART_COLOURS["convolution"], "marker": "o"} for style in styles)
    plots.plot_learning_curves([make_run("equal_vgg")])


def test_one_distinct_colour_per_row():
    colours = [*(MODEL_COLOURS[row] for row in (*ROWS, "fast", "best")), *SPLIT_COLOURS.values()]
    assert all(is_color_like(colour) for colour in colours)
    assert len({to_hex(colour) for colour in colours}) == len(colours)
    assert len(set(PART_COLOURS.values())) == len(PART_COLOURS)


# What eyes without one of the three kinds of cones see of linear RGB: Machado, Oliveira and Fernandes 2009, severity 1.
SIGHTS = {
    "normal": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}
# Linear RGB to Oklab, where distances are those that eyes see (Ottosson 2020); 0.02 is just noticeable (CSS Color 4).
TO_CONES = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
TO_OKLAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)
JUST_NOTICEABLE = 0.02
TOGETHER = {
    "models": [MODEL_COLOURS[row] for row in (*ROWS, "fast", "best")],
    "splits": list(SPLIT_COLOURS.values()),
    "parts": list(PART_COLOURS.values()),
    "ways": [style["color"] for style in TWO_SERIES_STYLES],
}


def measure_distance(colours, sight):
    """The least distance in Oklab between two of the colours, as seen by eyes of that sight."""
    rgb = np.array([to_rgb(colour) for colour in colours])
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    seen = np.clip(linear @ np.transpose(SIGHTS[sight]), 0, 1)
    places = np.cbrt(seen @ TO_CONES.T) @ TO_OKLAB.T
    return min(np.linalg.norm(one - other) for one, other in itertools.combinations(places, 2))


@pytest.mark.parametrize("sight", SIGHTS)
@pytest.mark.parametrize("group", TOGETHER)
def test_colours_of_one_figure_stay_apart_for_every_sight(group, sight):
    assert measure_distance(TOGETHER[group], sight) > 3 * JUST_NOTICEABLE


def test_the_measure_of_sights():
    assert measure_distance(["black", "white"], "normal") == pytest.approx(1, abs=1e-3)
    red_and_green = ["#d62728", "#7a7a00"]
    assert measure_distance(red_and_green, "deuteranopia") < measure_distance(red_and_green, "normal") / 3
    blue_and_green = ["#0073b2", "#008a8a"]
    assert measure_distance(blue_and_green, "tritanopia") < measure_distance(blue_and_green, "deuteranopia")


def test_nothing_is_told_apart_by_colour_alone():
    assert len({MODEL_MARKERS[row] for row in (*ROWS, "fast", "best")}) == len(ROWS) + 2
    assert len({style["marker"] for style in TWO_SERIES_STYLES}) == len(TWO_SERIES_STYLES)
    ax = plots.plot_curves_over_seeds(make_runs())
    assert [line.get_marker() for line in ax.lines[::2]] == [MODEL_MARKERS[row] for row in ROWS]
    assert len({(line.get_marker(), line.get_linestyle()) for line in ax.lines}) == len(ax.lines)
    ax = plots.plot_class_counts(dict.fromkeys(SPLIT_COLOURS, [1] * 7), DRAWN)
    assert len({bars[0].get_hatch() for bars in ax.containers}) == len(SPLIT_COLOURS)


def test_titles_name_the_faces():
    assert plots.titled("Faces", "FER2013") == "Faces [FER2013]"
    assert plots.titled("Faces", DRAWN) == f"Faces {NOTE}"
    assert plots.titled("Faces", "not FER2013 (my.csv)") == "Faces [not FER2013 (my.csv)]"


def test_set_style_keeps_figures_small():
    with plt.rc_context():
        plots.set_style()
        assert plt.rcParams["figure.dpi"] == 80 and plt.rcParams["figure.constrained_layout.use"]


def test_plot_faces(images):
    axes = plots.plot_faces(images, [f"face {i}" for i in range(9)], DRAWN, "Nine faces")
    assert axes.shape == (2, 7)
    assert [ax.get_title() for ax in axes.flat][:9] == [f"face {i}" for i in range(9)]
    np.testing.assert_array_equal(axes[0, 0].images[0].get_array(), images[0, :, :, 0])
    assert axes[0, 0].images[0].get_clim() == (0, 255), "a dark face must look dark"
    assert not axes[1, 6].images and not axes[1, 6].axison
    assert axes[0, 0].figure.get_suptitle() == f"Nine faces {NOTE}"


def test_plot_faces_takes_images_without_a_channel(images):
    assert len(plots.plot_faces(images[:3, :, :, 0], "abc", DRAWN, "Three", columns=3).flat) == 3


def test_plot_class_counts():
    counts = {"train": [40, 4, 41, 72, 48, 32, 50], "test": [5, 1, 5, 9, 6, 4, 6]}
    ax = plots.plot_class_counts(counts, DRAWN)
    assert [bar.get_height() for bar in ax.patches] == counts["train"] + counts["test"]
    assert [text.get_text() for text in ax.get_xticklabels()] == list(CLASS_NAMES)
    assert legend_labels(ax) == ["train", "test"]
    assert same_color(ax.patches[0].get_facecolor(), SPLIT_COLOURS["train"])
    assert ax.get_yscale() == "log" and NOTE in ax.get_title()


@pytest.mark.parametrize(("measure", "label"), [("accuracy", "accuracy"), ("loss", "cross-entropy loss")])
def test_plot_learning_curves(measure, label):
    runs = make_runs()
    axes = plots.plot_learning_curves(runs, measure)
    assert axes.shape == (4,)
    for ax, run in zip(axes, runs, strict=True):
        training, validation, kept = ax.lines
        assert (training.get_linestyle(), validation.get_linestyle()) == ("--", "-")
        np.testing.assert_array_equal(training.get_xdata(), [1, 2, 3, 4])
        np.testing.assert_array_equal(training.get_ydata(), run.history[measure])
        np.testing.assert_array_equal(validation.get_ydata(), run.history[f"val_{measure}"])
        assert (kept.get_xdata()[0], kept.get_ydata()[0]) == (3, run.history[f"val_{measure}"][2])
        assert {line.get_color() for line in ax.lines} == {MODEL_COLOURS[run.experiment]}
        assert ax.get_title() == f"{EXPERIMENTS[run.experiment].title} {NOTE}"
        assert (ax.get_xlabel(), ax.get_ylabel()) == ("epoch", label)
        assert ax.get_ylim() == axes[0].get_ylim()


def test_plot_learning_curves_of_other_faces_on_given_axes():
    _, given = plt.subplots(1, 2)
    axes = plots.plot_learning_curves([make_run("vgg_like"), make_run("vgg_like", "FER2013")], axes=given)
    assert list(axes) == list(given)
    assert [ax.get_title() for ax in axes] == [f"VGG-like {NOTE}", "VGG-like [FER2013]"]


def test_curves_of_several_experiments_stand_in_one_panel():
    ax = plots.plot_curves_over_seeds(make_runs())
    assert len(ax.lines) == 8 and ax.get_title() == f"Accuracy {NOTE}, quick profile, one seed"
    assert legend_labels(ax)[:2] == ["LeNet-like, training", "LeNet-like, validation"]
    assert [line.get_color() for line in ax.lines[::2]] == [MODEL_COLOURS[row] for row in ROWS]
    ax.figure.canvas.draw()
    assert not overlap(ax.get_legend(), ax.patch), "the legend hides a curve"


def test_plot_curves_over_seeds_shows_the_mean_and_the_range():
    runs = [make_run("vgg_like", "FER2013", seed, shift) for seed, shift in enumerate((0.0, 0.1, 0.5))]
    ax = plots.plot_curves_over_seeds(runs)
    training, validation = ax.lines
    np.testing.assert_allclose(training.get_ydata(), np.linspace(0.1, 0.4, EPOCHS) + 0.2)
    assert (training.get_linestyle(), validation.get_linestyle()) == ("--", "-")
    corners = ax.collections[0].get_paths()[0].vertices[:, 1]
    assert (corners.min(), corners.max()) == pytest.approx((0.1, 0.9))
    assert ax.get_title() == "VGG-like [FER2013], quick profile, 3 seeds"
    assert legend_labels(ax) == ["training", "validation"]


def test_the_seeds_of_a_figure_are_those_of_each_experiment():
    runs = [make_run("vgg_like", seed=seed) for seed in range(3)]
    assert plots.count_seeds(runs) == "3 seeds" and plots.count_seeds(runs[1:2]) == "one seed"
    assert plots.count_seeds([*runs, make_run("resnet_like", seed=0)]) == "1 to 3 seeds"


def test_plot_curves_over_seeds_of_several_experiments():
    ax = plots.plot_curves_over_seeds([make_run("vgg_like"), make_run("resnet_like")], "loss")
    assert legend_labels(ax)[::2] == ["VGG-like, training", "ResNet-like, training"]
    assert [line.get_color() for line in ax.lines[::2]] == [MODEL_COLOURS[n] for n in ("vgg_like", "resnet_like")]
    assert "one seed" in ax.get_title() and ax.get_ylabel() == "cross-entropy loss"


def test_curves_of_no_runs_say_so():
    assert texts(plots.plot_curves_over_seeds([])) == ["no recorded run"]


def test_plot_live_and_recorded_on_one_scale():
    live, recorded = plots.plot_live_and_recorded([make_run("vgg_like")], [make_run("vgg_like", "FER2013", shift=0.5)])
    assert live.get_ylim() == recorded.get_ylim()
    assert live.get_title().startswith(f"VGG-like {NOTE}") and recorded.get_title().startswith("VGG-like [FER2013")


def test_plot_seeds():
    recorded = {"vgg_like": [make_run("vgg_like", seed=seed) for seed in (0, 1)], "resnet_like": []}
    ax = plots.plot_seeds(recorded, {"vgg_like": 56}, DRAWN)
    dots, cross = ax.lines[:2]
    assert dots.get_xdata().tolist() == [0.2, 0.2] and cross.get_xdata().tolist() == [0.56]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["VGG-like", "ResNet-like"]


def test_plot_confusion_shows_shares_and_counts():
    confusion = np.full((7, 7), 1)
    confusion[0, 0], confusion[6] = 4, 0
    ax = plots.plot_confusion(confusion, DRAWN, "On the test faces")
    assert texts(ax)[:2] == ["40%\n4", "10%\n1"]
    assert texts(ax)[-1] == "0%\n0", "a class without faces"
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("predicted", "true")
    assert [text.get_text() for text in ax.get_yticklabels()] == list(CLASS_NAMES)
    assert ax.get_title() == f"On the test faces {NOTE}"


def test_plot_gaps():
    runs = make_runs()[:2]
    ax = plots.plot_gaps([(runs[0], Difference(0.2, 0.15, 0.3)), (runs[1], Difference(0.1, -0.05, 0.2))])
    assert [bar.get_width() for bar in ax.patches] == [0.2, 0.1]
    reaches = [container.errorbar.lines[2][0].get_segments()[0][:, 0] for container in ax.containers[1::2]]
    np.testing.assert_allclose(reaches, [[0.15, 0.3], [-0.05, 0.2]])
    assert [text.get_text() for text in ax.get_yticklabels()] == ["LeNet-like", "LeNet-like + augmentation"]
    assert NOTE in ax.get_title()


def test_intervals_of_experiments_have_their_models_colours():
    rows = [("LeNet-like", 0.5, 0.45, 0.55), ("VGG-like", 0.6, 0.5, 0.65)]
    names = ["lenet_like", "vgg_like"]
    ax = plots.plot_intervals(rows, f"Accuracy {NOTE}", "test accuracy", experiments=names)
    dots = [container.lines[0] for container in ax.containers]
    assert [dot.get_color() for dot in dots] == [MODEL_COLOURS[name] for name in names]
    assert [dot.get_marker() for dot in dots] == [MODEL_MARKERS[name] for name in names]
    reaches = [container.lines[2][0].get_segments()[0][:, 0] for container in ax.containers]
    np.testing.assert_allclose(reaches, [[0.45, 0.55], [0.5, 0.65]])
    assert [text.get_text() for text in ax.get_yticklabels()] == ["LeNet-like", "VGG-like"]
    assert ax.get_ylim() == (1.5, -0.7) and NOTE in ax.get_title()


def test_plot_race():
    ax = plots.plot_race({"fast": ([1, 10], [0.2, 0.5]), "vgg_like": ([5, 50], [0.3, 0.6])}, DRAWN, marks=[0.58])
    assert ax.get_title() == f"Accuracy over seconds {NOTE}" and ax.get_xscale() == "log"
    assert legend_labels(ax) == ["Fast", "VGG-like"]
    np.testing.assert_array_equal(ax.lines[1].get_xdata(), [5, 50])
    assert ax.lines[2].get_ydata()[0] == 0.58
    assert ax.lines[0].get_color() == MODEL_COLOURS["fast"]


def test_plot_speeds_names_each_factor():
    ax = plots.plot_speeds({"start": 1000.0, "faster": 2500.0}, "Speeds")
    assert texts(ax) == ["1,000  (× 1)", "2,500  (× 2.5)"]


def test_plot_shares_fills_one_second():
    ax = plots.plot_shares({"a": 0.482, "b": 0.3}, "A second")
    assert texts(ax) == ["48%", "30%"] and ax.get_xlim() == (0, 1)
    assert legend_labels(ax) == ["multiplying", "all else"]
    np.testing.assert_allclose([bar.get_x() + bar.get_width() for bar in ax.containers[1]], [1, 1])


def test_plot_waits_starts_at_zero_seconds():
    ax = plots.plot_waits([10, 20], {"fit": [5.0, 5.0], "batch by batch": [1.0, 2.0]})
    assert legend_labels(ax) == ["fit", "batch by batch"] and ax.get_ylim()[0] == 0


def test_plot_maps():
    maps = np.zeros((12, 12, 20))
    maps[..., 3] = 5.0
    axes = plots.plot_maps(maps, DRAWN, "Twenty maps")
    assert axes.shape == (2, 16)
    assert [len(ax.images) for ax in axes.flat] == [1] * 20 + [0] * 12
    assert axes[0, 3].images[0].get_clim() == (0, 5.0)
    assert axes[0, 0].images[0].norm(0.0) == 0, "a blank map is dark"
    assert NOTE in axes[0, 0].figure.get_suptitle()


def test_plot_heat_maps(images):
    heat = np.random.default_rng(0).random((3, 6, 6))
    axes = plots.plot_heat_maps(images[:3], heat, "abc", DRAWN, "Three")
    assert axes.shape == (2, 3)
    face, warm = axes[1, 0].images
    np.testing.assert_array_equal(warm.get_array(), heat[0])
    assert face.get_extent() == warm.get_extent(), "the heat lies over the face"
    assert NOTE in axes[0, 0].figure.get_suptitle()


@pytest.mark.parametrize("build", NETWORKS)
def test_draw_network_has_a_box_per_weighted_layer(build):
    model = build_once(build)
    ax = plots.draw_network(model)
    boxes = [patch for patch in ax.patches if isinstance(patch, FancyBboxPatch)]
    assert len(boxes) == NETWORKS[build]
    assert ax.get_title() == f"{model.name}: {NETWORKS[build]} weighted layers, {model.count_params():,} parameters"
    assert {"conv1", "48×48\n×3", "dense", "expression", "7"} <= set(texts(ax))
    assert boxes[0].get_height() > boxes[-1].get_height()


@pytest.mark.parametrize(("build", "shortcuts"), [(lenet_like, 0), (vgg_like, 0), (resnet_like, 4)])
def test_draw_network_has_arcs_where_shortcuts_are(build, shortcuts):
    ax = plots.draw_network(build_once(build))
    assert sum(isinstance(patch, FancyArrowPatch) for patch in ax.patches) == shortcuts
    assert ("shortcut" in legend_labels(ax)) == (shortcuts > 0)


@pytest.mark.parametrize(("build", "before"), [(resnet_like, 0), (deep_residual, 1)])
def test_arcs_span_their_pair(build, before):
    ax = plots.draw_network(build_once(build))
    boxes = [patch for patch in ax.patches if isinstance(patch, FancyBboxPatch)][before:]
    arcs = [patch.get_path().vertices[:, 0] for patch in ax.patches if isinstance(patch, FancyArrowPatch)]
    for block, across in enumerate(arcs):
        first, second = boxes[2 * block], boxes[2 * block + 1]
        behind = second.get_x() + second.get_width()
        assert first.get_x() - 0.2 < across[0] < first.get_x() and behind < across.max() < behind + 0.2


def test_shortcuts_are_no_weighted_layers_of_a_drawn_network():
    assert ": 12 weighted layers, " in plots.draw_network(build_once(deep_residual)).get_title()


@pytest.mark.parametrize("build", NETWORKS)
def test_no_text_of_a_drawn_network_hides_another(build):
    with plt.rc_context():
        plots.set_style()
        ax = plots.draw_network(build_once(build, 1.0))
        ax.figure.canvas.draw()
        artists = [*ax.texts, ax.get_legend(), ax.title]
        pairs = [(a, b) for i, a in enumerate(artists) for b in artists[:i]]
        assert not [pair for pair in pairs if overlap(*pair)]


def test_plot_functions_draw_on_given_axes_and_return_them():
    run = make_run("vgg_like")
    calls = [
        lambda ax: plots.plot_class_counts({"train": [1] * 7}, DRAWN, ax=ax),
        lambda ax: plots.plot_curves_over_seeds([run], ax=ax),
        lambda ax: plots.plot_confusion(run.confusion, DRAWN, ax=ax),
        lambda ax: plots.plot_gaps([(run, Difference(0.1, 0.0, 0.2))], ax=ax),
        lambda ax: plots.draw_network(build_once(lenet_like), ax=ax),
        lambda ax: plots.plot_race({"fast": ([1, 2], [0.2, 0.5])}, DRAWN, ax=ax),
        lambda ax: plots.plot_speeds({"a": 10.0}, "t", ax=ax),
        lambda ax: plots.plot_shares({"a": 0.5}, "t", ax=ax),
        lambda ax: plots.plot_waits([1, 2], {"fit": [1, 2], "batch by batch": [1, 2]}, ax=ax),
        lambda ax: plots.plot_cost_of_width([0.5, 1.0], [0.3, 1.0], ax=ax),
        lambda ax: plots.plot_intervals([("a", 0.5, 0.4, 0.6)], "t", "x", ax=ax),
        lambda ax: plots.plot_accuracy_over_seconds([("a", 60.0, 0.5, 0.4, 0.6)], "t", ax=ax),
        lambda ax: plots.plot_frontier(make_costs([("a", True, 1e12, 0.5, True)]), "t", ax=ax),
        lambda ax: plots.plot_reliability({"a": ([1], [0.5], [0.6])}, DRAWN, ax=ax),
        lambda ax: plots.plot_trade_off([0, 1], [0.6, 0.5], [0.4, 0.5], 0.9, DRAWN, ax=ax),
        lambda ax: plots.plot_drops(np.eye(6), np.zeros((48, 48)), DRAWN, ax=ax),
        lambda ax: plots.plot_cascade({"none": 1.0, "another face": 0.2}, DRAWN, ax=ax),
    ]
    for call in calls:
        plt.close("all")
        ax = plt.subplots()[1]
        assert call(ax) is ax and isinstance(call(None), Axes)


@pytest.mark.parametrize(("projection", "shortcut"), [(False, "x itself"), (True, "1×1 convolution,\nnormalisation")])
def test_a_residual_block_shows_its_steps_and_its_shortcut(projection, shortcut):
    ax = plots.draw_residual_block(projection)
    texts = [text.get_text() for text in ax.texts]
    assert texts.count("3×3\nconvolution") == 2 and "+" in texts
    assert shortcut in texts
    assert len(ax.patches) == 1  # the shortcut's arrow


CONFUSION = np.diag([3, 1, 4, 8, 5, 2, 6])
CONFUSION[2, 4] = 5


# Each function that draws, on values whose words are known.
def test_costs_stand_beside_parameters_and_inside_their_band():
    left, right = plots.plot_costs({"a": 1.02, "b": 0.97}, {"a": 10, "b": 1_000_000}, 0.05)
    assert [bar.get_width() for bar in left.containers[0]] == [1.02, 0.97]
    assert [bar.get_width() for bar in right.containers[0]] == [10, 1_000_000]
    assert texts(left) == ["1.02", "0.97"] and texts(right) == ["10", "1,000,000"]
    (band,) = [patch for patch in left.patches if patch not in left.containers[0]]
    assert (band.get_x(), band.get_width()) == (pytest.approx(0.95), pytest.approx(0.1))


def test_the_cost_of_a_width_stands_beside_its_square():
    counted, square = plots.plot_cost_of_width([0.5, 1.0], [0.3, 1.0]).lines
    np.testing.assert_allclose(counted.get_ydata(), [0.3, 1])
    np.testing.assert_allclose(square.get_ydata(), [0.25, 1])
    assert counted.get_marker() != square.get_marker() and counted.get_linestyle() != square.get_linestyle()


def test_intervals_stand_in_their_order_with_their_values():
    rows = [("second", 0.5, 0.1, 0.6), ("first", -0.2, -0.3, -0.1)]
    ax = plots.plot_intervals(rows, "Gains", "points", form="{:+.1f}", reference=0)
    assert [label.get_text() for label in ax.get_yticklabels()] == ["second", "first"]
    assert texts(ax) == ["+0.5", "-0.2"] and ax.get_ylim()[0] > ax.get_ylim()[1]
    reached = [container.lines[2][0].get_segments()[0][:, 0].tolist() for container in ax.containers]
    np.testing.assert_allclose(reached, [[0.1, 0.6], [-0.3, -0.1]])
    assert [line.get_xdata() for line in ax.lines if line.get_linestyle() == "--"] == [[0, 0]]


def test_points_of_equal_seconds_do_not_write_over_each_other():
    points = [("DenseNet", 157.0, 0.61, 0.59, 0.63), ("VGG", 158.0, 0.61, 0.59, 0.63), ("AlexNet", 70.0, 0.5, 0.4, 0.6)]
    ax = plots.plot_accuracy_over_seconds(points, "Seconds")
    ax.figure.canvas.draw()
    assert texts(ax) == ["AlexNet", "DenseNet", "VGG"] and ax.get_xscale() == "log"
    assert not any(overlap(*pair) for pair in itertools.combinations(ax.texts, 2))


def test_the_frontier_joins_what_leads_and_names_what_gains_a_point_or_was_published():
    ax = plots.plot_frontier(make_costs(COSTS), "Costs")
    assert texts(ax) == ["cheap", "theirs", "dear"] and ax.get_xscale() == "log"
    (frontier,) = [line for line in ax.lines if line.get_label() == "frontier"]
    np.testing.assert_allclose(frontier.get_xydata(), [(1e12, 0.5), (2e12, 0.505), (1e14, 0.7)])


@pytest.mark.parametrize(
    "draw",
    [
        lambda: plots.plot_intervals([], "None", "accuracy"),
        lambda: plots.plot_accuracy_over_seconds([], "None"),
        lambda: plots.plot_frontier(make_costs([]), "None"),
        lambda: plots.plot_waterfall([], "vgg_like", "None"),
    ],
)
def test_without_a_recorded_run_a_panel_says_so(draw):
    ax = draw()
    assert texts(ax) == ["nothing recorded yet"] and "nothing recorded yet" in alt_text(ax.figure)


COSTS = [
    ("cheap", True, 1e12, 0.5, True),
    ("hardly better", True, 2e12, 0.505, True),
    ("worse", True, 3e12, 0.4, False),
    ("theirs (of 2016)", False, 1e14, 0.7, True),
    ("dear", False, 1e15, 0.69, False),
]


def make_costs(rows):
    """A table as `report.tabulate_costs` gives it."""
    return pd.DataFrame(rows, columns=["network", "ours", "multiply_adds", "accuracy", "leads"])


STAGES = [
    ("before", 0.55, None),
    ("better", 0.59, Difference(0.04, 0.03, 0.05)),
    ("worse", 0.58, Difference(-0.01, -np.inf, np.inf)),
]


def test_steps_of_a_waterfall_go_from_one_stage_to_the_next():
    ax = plots.plot_waterfall(STAGES, "vgg_like", "Steps", "all")
    spans = [(bar.get_x(), bar.get_x() + bar.get_width()) for bar in ax.patches]
    np.testing.assert_allclose(spans, [(0, 0.55), (0.55, 0.59), (0.59, 0.58), (0, 0.58)])
    assert texts(ax) == ["55%", "+4.0", "-1.0", "58%"]
    reached = [
        container.lines[2][0].get_segments()[0][:, 0]
        for container in ax.containers
        if getattr(container, "has_xerr", False)
    ]
    np.testing.assert_allclose(reached, [[0.58, 0.60]]), "no interval where there is none"
    assert [label.get_text() for label in ax.get_yticklabels()] == ["before", "better", "worse", "all"]
    under_way = plots.plot_waterfall(STAGES[:2], "vgg_like", "Steps")
    assert texts(under_way) == ["55%", "+4.0"] and len(under_way.patches) == 2


def test_every_ending_is_a_dot_in_the_column_of_its_seed():
    ax = plots.plot_endings({"vgg_like": np.array([[55.0, 57], [56, 58]])}, {"vgg_like": 56}, "Endings")
    first, second, report = (line for line in ax.lines if len(line.get_xdata()))
    np.testing.assert_allclose(first.get_ydata(), [0.55, 0.57])
    np.testing.assert_allclose(second.get_ydata(), [0.56, 0.58])
    assert first.get_xdata()[0] < report.get_xdata()[0] < second.get_xdata()[0]
    assert report.get_ydata() == [0.56] and report.get_marker() == "x"


@pytest.mark.parametrize("n_seeds", [1, 2, 3, 5])
def test_the_cross_of_the_report_hides_no_ending(n_seeds):
    ax = plots.plot_endings({"vgg_like": np.full((n_seeds, 5), 56.0)}, {"vgg_like": 56}, "Endings")
    *columns, report = (line.get_xdata()[0] for line in ax.lines if len(line.get_xdata()))
    assert len(columns) == n_seeds and np.abs(np.subtract(columns, report)).min() > 0.15


WORDS = {
    "plot_faces": (
        lambda: plots.plot_faces(np.zeros((3, 48, 48)), "abc", DRAWN, "Three"),
        f"Pictures: Three {NOTE}. 3 faces; a, b, c.",
    ),
    "plot_class_counts": (
        lambda: plots.plot_class_counts({"train": [40, 4, 41, 7215, 48, 32, 50]}, DRAWN),
        f"Bar chart: Images per class and split {NOTE}. train: most Happy, 7,215, least Disgust, 4.",
    ),
    "plot_learning_curves": (
        lambda: plots.plot_learning_curves([make_run("vgg_like")]),
        f"Line chart, accuracy over epoch: VGG-like {NOTE}. training from 10% to 40%; validation from 5% to 20%; "
        "kept epoch 15% at 3.",
    ),
    "plot_curves_over_seeds": (
        lambda: plots.plot_curves_over_seeds([make_run("vgg_like", "FER2013", seed, 0.2 * seed) for seed in (0, 1)]),
        "Line chart, accuracy over epoch: VGG-like [FER2013], quick profile, 2 seeds. training from 20% to 50%; "
        "validation from 10% to 25%.",
    ),
    "plot_live_and_recorded": (
        lambda: plots.plot_live_and_recorded([make_run("vgg_like")], []),
        f"Line chart, accuracy over epoch: VGG-like {NOTE}, quick profile, one seed. training from 10% to 40%; "
        "validation from 5% to 20%. Line chart. no recorded run.",
    ),
    "plot_seeds": (
        lambda: plots.plot_seeds({"vgg_like": [make_run("vgg_like")] * 2, "fast": []}, {"vgg_like": 56}, DRAWN),
        f"Dot chart of test accuracies: Seeds alone {NOTE}. VGG-like 20%, 20%, report 56%; Fast no seed.",
    ),
    "plot_confusion": (
        lambda: plots.plot_confusion(CONFUSION, DRAWN),
        f"Table of true and predicted classes: Confusion matrix {NOTE}. share that is found: highest Angry 100%, "
        "lowest Fear 44%; most common mistake: Fear taken for Sad, 5 times.",
    ),
    "plot_gaps": (
        lambda: plots.plot_gaps([(make_run("fast"), Difference(0.2, 0.15, 0.3))]),
        "Bar chart of training accuracy minus validation accuracy: "
        f"The gap at the last epoch {NOTE}. Fast 20% (15% to 30%).",
    ),
    "plot_race": (
        lambda: plots.plot_race({"fast": ([1, 10, 20], [0.2, 0.5, 0.4])}, DRAWN),
        "Line chart, validation accuracy over seconds of training (logarithmic scale): "
        f"Accuracy over seconds {NOTE}. Fast from 20% to 40%, highest 50% at 10.",
    ),
    "plot_speeds": (
        lambda: plots.plot_speeds({"start": 1000.0, "faster": 2500.0}, "Speeds"),
        "Bar chart of images a second: Speeds. start 1,000 (× 1); faster 2,500 (× 2.5).",
    ),
    "plot_shares": (
        lambda: plots.plot_shares({"a": 0.482}, "A second"),
        "Bar chart of the share spent multiplying: A second. a 48%.",
    ),
    "plot_waits": (
        lambda: plots.plot_waits([10, 20], {"fit": [5.0, 5.0], "batch by batch": [1.0, 2.0]}),
        "Line chart, seconds over images in the epoch: One epoch of a small network. fit 5; "
        "batch by batch from 1 to 2.",
    ),
    "plot_costs": (
        lambda: plots.plot_costs({"VGG": 1.011, "AlexNet": 0.99}, {"VGG": 250_000, "AlexNet": 1_000}, 0.05),
        "Bar charts of multiply-adds over the budget, 0.99 to 1.01: Work; the band is 5% round the budget. "
        "VGG 1.01, 250,000 parameters; AlexNet 0.99, 1,000 parameters.",
    ),
    "plot_cost_of_width": (
        lambda: plots.plot_cost_of_width([0.5, 1.0], [0.3, 1.0]),
        "Line chart, share of the cost at width 1 over width multiplier: What a width multiplier saves. "
        "multiply-adds, counted from 30% to 100%; the width squared from 25% to 100%.",
    ),
    "plot_intervals": (
        lambda: plots.plot_intervals([("VGG", 0.6, 0.58, 0.62)], "Families", "test accuracy"),
        "Dots with 95 % intervals: Families. VGG 60.0% (58.0% to 62.0%).",
    ),
    "plot_waterfall": (
        lambda: plots.plot_waterfall(STAGES, "vgg_like", "Steps"),
        "Waterfall chart of test accuracies: Steps. before 55%; better +4.0 points (95 % interval +3.0 to +5.0) to "
        "59%; worse -1.0 points (too few seeds for an interval) to 58%.",
    ),
    "plot_endings": (
        lambda: plots.plot_endings({"vgg_like": np.array([[55.0, 57], [56, 58]])}, {"vgg_like": 56}, "Endings"),
        "Dot chart of single trainings: Endings. VGG-like 55% to 58%, 2 seeds, report 56%.",
    ),
    "plot_accuracy_over_seconds": (
        lambda: plots.plot_accuracy_over_seconds([("VGG", 1200.0, 0.6, 0.58, 0.62)], "Seconds"),
        "Points with 95 % intervals: Seconds. VGG 60% in 1,200 seconds.",
    ),
    "plot_frontier": (
        lambda: plots.plot_frontier(make_costs(COSTS), "Costs"),
        "Points, accuracy over the cost of training: Costs. cheap 50% for 1e+12 multiply-adds; theirs (of 2016) 70% "
        "for 1e+14 multiply-adds; dear 69% for 1e+15 multiply-adds.",
    ),
    "plot_maps": (
        lambda: plots.plot_maps(np.stack([np.zeros((12, 6)), np.ones((12, 6))], axis=-1), DRAWN, "Two maps"),
        f"Pictures: Two maps {NOTE}. 2 maps of 12×6 places, 1 of them dark all over.",
    ),
    "plot_heat_maps": (
        lambda: plots.plot_heat_maps(
            np.zeros((2, 48, 48)), np.eye(36).reshape(36, 6, 6)[[32, 0]] * [[[1]], [[0]]], "ab", DRAWN, "Heat"
        ),
        f"Faces under heat maps, with the place that is brightest: Heat {NOTE}. a: bottom centre; b: nowhere.",
    ),
    "draw_network": (
        lambda: plots.draw_network(build_once(resnet_like, 1.0)),
        "Network diagram: resnet_like: 10 weighted layers, 1,812,167 parameters. conv1 48×48×32, conv2 48×48×32, "
        "pooling, conv3 24×24×64, conv4 24×24×64, pooling, conv5 12×12×128, conv6 12×12×128, pooling, conv7 6×6×256, "
        "conv8 6×6×256, pooling, dense 256, expression 7; 4 shortcuts round two convolutions each.",
    ),
    "draw_residual_block": (
        lambda: plots.draw_residual_block(projection=False),
        "Flow diagram of a residual block: identity: f(x) + x. x goes through 3×3 convolution, normalisation, ReLU, "
        "3×3 convolution, normalisation, +, ReLU; the shortcut from x to + is x itself.",
    ),
    "plot_reliability": (
        lambda: plots.plot_reliability({"as trained": ([0, 3, 1], [None, 0.5, 0.9], [None, 0.6, 0.7])}, DRAWN),
        f"Line chart, share right over confidence: the highest probability: Confidence and accuracy {NOTE}. "
        "as trained from 60% to 70%.",
    ),
    "plot_trade_off": (
        lambda: plots.plot_trade_off([0, 1], [0.6, 0.5], [0.4, 0.5], 0.9, DRAWN),
        f"Line chart, share of test faces over strength of the shift: Shifted priors {NOTE}. accuracy from 60% to 50%; "
        "mean of the classes' recalls from 40% to 50%; chosen strength 0.9.",
    ),
    "plot_drops": (
        lambda: plots.plot_drops(
            np.eye(6)[[5, 0, 0, 0, 0, 0]] * [[0], [0], [0], [0], [0], [0.36]], np.zeros((48, 48)), DRAWN
        ),
        f"Table of drops by place: What is covered {NOTE}. most 36 points at bottom left, mean 1.0.",
    ),
    "plot_cascade": (
        lambda: plots.plot_cascade({"none": 1.0, "expression": 0.1, "another face": 0.2}, DRAWN),
        "Line chart, rank correlation of the maps over randomised so far, from the output down: "
        f"Heat maps of a network that forgets {NOTE}. same face, layers randomised from 1 to 0.1; "
        "another face, nothing randomised 0.2.",
    ),
    "plot_embedding": (
        lambda: plots.plot_embedding(np.zeros((8, 2)), np.arange(8) % 7, np.arange(8), DRAWN),
        f"Scatter plots, a panel per class: The last layer's view, in two directions {NOTE}. Angry: 1 right, 1 wrong; "
        "Disgust: 1 right, 0 wrong; Fear: 1 right, 0 wrong; Happy: 1 right, 0 wrong; Sad: 1 right, 0 wrong; "
        "Surprise: 1 right, 0 wrong; Neutral: 1 right, 0 wrong.",
    ),
    "plot_answers": (
        lambda: plots.plot_answers(np.zeros((60, 80, 3), np.uint8), [make_answer(0.9)], np.ones((1, 6, 6)), "One face"),
        "A photo, its faces, heat maps and probabilities: One face. face 1: Happy 100%.",
    ),
}


def test_every_figure_is_put_into_words():
    drawing = [name for name in vars(plots) if name.split("_")[0] in ("plot", "draw")]
    assert set(WORDS) == set(drawing)


@pytest.mark.parametrize("name", WORDS)
def test_a_figure_in_words(name):
    draw, expected = WORDS[name]
    figure = np.ravel(draw())[0].figure
    assert alt_text(figure) == expected


def test_words_of_a_network_without_shortcuts():
    assert alt_text(plots.draw_network(build_once(vgg_like)).figure).endswith("expression 7.")


def test_words_of_a_confusion_without_mistakes():
    ax = plots.plot_confusion(np.diag([1] * 7), DRAWN)
    assert alt_text(ax.figure).endswith("highest Angry 100%, lowest Angry 100%.")


# --- mistakes ---


def test_reliability_leaves_empty_bins_out_and_shows_shares_as_areas():
    bins = np.array([0, 3, 1]), np.array([np.nan, 0.5, 0.9]), np.array([np.nan, 0.6, 0.7])
    ax = plots.plot_reliability({"before": bins, "after": bins}, DRAWN)
    diagonal, before, after = ax.lines
    np.testing.assert_array_equal(diagonal.get_xdata(), diagonal.get_ydata())
    np.testing.assert_array_equal(before.get_xydata(), [[0.5, 0.6], [0.9, 0.7]])
    assert before.get_marker() != after.get_marker() and legend_labels(ax) == ["before", "after"]
    areas = ax.collections[0].get_sizes()
    assert areas[0] == pytest.approx(3 * areas[1])


def test_trade_off_marks_the_chosen_strength():
    ax = plots.plot_trade_off([0, 1], [0.6, 0.5], [0.4, 0.5], 0.9, DRAWN)
    assert [list(line.get_ydata()) for line in ax.lines[:2]] == [[0.6, 0.5], [0.4, 0.5]]
    assert ax.lines[2].get_xdata()[0] == 0.9 and ax.lines[2].get_linestyle() == ":"


def test_cascade_with_dark_maps_has_gaps():
    ax = plots.plot_cascade({"none": 1.0, "expression": None, "conv1": 0.1, "another face": 0.2}, DRAWN)
    np.testing.assert_array_equal(ax.lines[0].get_ydata(), [1, np.nan, 0.1])


def test_embedding_tells_right_from_wrong_by_the_mark():
    labels, answers = np.array([0, 0, 0, 3]), np.array([0, 1, 2, 3])
    axes = plots.plot_embedding(np.arange(8).reshape(4, 2), labels, answers, DRAWN)
    everyone, right, wrong = axes[0, 0].collections
    assert (len(everyone.get_offsets()), len(right.get_offsets()), len(wrong.get_offsets())) == (4, 1, 2)
    assert len(right.get_paths()[0]) != len(wrong.get_paths()[0])
    assert axes[0, 0].get_title() == "Angry, 3 faces" and not axes[1, 3].axison


# --- photos ---


def make_answer(share_right):
    return Answer(Box(10, 20, 30), np.zeros((48, 48, 1), np.uint8), np.eye(7, dtype=np.float32)[3], share_right)


def test_answers_stand_beside_their_photo():
    photo = np.zeros((60, 80, 3), np.uint8)
    axes = plots.plot_answers(photo, [make_answer(0.9), make_answer(0.4)], np.ones((2, 6, 6)), "Two faces")
    assert len(axes) == 1 + 2 * 3
    squares = [patch.get_bbox().bounds for patch in axes[0].patches]
    assert squares == [(10, 20, 30, 30)] * 2 and [text.get_text() for text in axes[0].texts] == ["1", "2"]
    assert [ax.get_title() for ax in axes[3::3]] == ["Happy 100%", "uncertain: Happy 100%"]
    assert [bar.get_width() for bar in axes[3].patches] == [0, 0, 0, 1, 0, 0, 0]


def test_a_dark_heat_map_and_a_photo_without_a_face_say_so():
    photo = np.zeros((60, 80, 3), np.uint8)
    axes = plots.plot_answers(photo, [make_answer(0.9)], np.zeros((1, 6, 6)), "Dark")
    assert axes[2].get_title() == "no place speaks for Happy"
    (alone,) = plots.plot_answers(photo, [], [], "None")
    assert "no face found" in alone.get_title()
