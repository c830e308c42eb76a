"""Words in place of figures: read from what is drawn, and sent along with the picture."""

import types

import matplotlib.pyplot as plt
import pytest
from IPython.core.formatters import DisplayFormatter
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from fer_utils.plots import descriptions
from fer_utils.plots.descriptions import describe_figure, describe_lines


@pytest.fixture
def ax():
    axes = plt.subplots()[1]
    axes.set(title="Two ways", xlabel="epoch", ylabel="loss")
    yield axes
    plt.close("all")


def words(ax):
    return descriptions.alt_text(ax.figure)


def test_kind_title_and_facts_in_one_line(ax):
    assert describe_figure(ax, "Bar chart", "one\n1", "", "two 2") is ax
    assert words(ax) == "Bar chart: Two ways. one 1; two 2."


def test_the_title_may_come_later(ax):
    describe_figure(ax, "Bar chart", "one 1")
    ax.set_title("Another")
    assert words(ax) == "Bar chart: Another. one 1."


def test_a_figure_comes_before_its_panels():
    figure, (left, right) = plt.subplots(1, 2)
    figure.suptitle("Both")
    for panel, title in (right, "Right"), (left, "Left"):
        panel.set_title(title)
        describe_figure(panel, "Chart", title.lower())
    describe_figure(figure, "Two charts", "side by side")
    assert words(left) == "Two charts: Both. side by side. Chart: Left. left. Chart: Right. right."
    plt.close(figure)


def test_lines_by_their_ends_and_turns(ax):
    ax.plot([1, 2, 3, 4], [2, 1.23456, 3, 2.5], label="validation")
    ax.plot([1, 2], [1, 0.5], label="training")
    ax.plot([1, 2], [0, 9])
    ax.plot([], [], label="legend only")
    describe_lines(ax)
    assert words(ax) == (
        "Line chart, loss over epoch: Two ways. validation from 2 to 2.5, lowest 1.23 at 2, highest 3 at 3; "
        "training from 1 to 0.5."
    )


def test_lines_that_do_not_move(ax):
    ax.plot([7], [0.125], label="kept")
    ax.axhline(0.25, label="floor")
    ax.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    describe_lines(ax)
    assert words(ax).endswith("kept 12% at 7; floor 25%.")


def test_layers_on_a_logarithmic_scale(ax):
    ax.plot(["conv1", "conv2", "conv3"], [1e-4, 1.2345e-7, 2.0], label="VGG-like")
    ax.set_yscale("log")
    describe_lines(ax)
    assert words(ax).endswith("VGG-like from 0.0001 to 2, lowest 1.23e-07 at conv2.")


def test_large_numbers(ax):
    ax.plot([416, 2496, 4160], [1, 12345.6, 2], label="fit")
    describe_lines(ax)
    assert words(ax).endswith("fit from 1 to 2, highest 12,346 at 2,496.")


@pytest.fixture
def formatter(monkeypatch):
    """A notebook's formatter, with a stand-in for the picture that IPython draws."""
    shell = types.SimpleNamespace(display_formatter=DisplayFormatter())
    shell.display_formatter.formatters["image/png"].for_type(Figure, lambda figure: b"picture")
    monkeypatch.setattr(descriptions, "get_ipython", lambda: shell)
    return shell.display_formatter


def test_the_text_goes_with_the_picture(ax, formatter):
    descriptions.show_alt_texts()
    data, metadata = formatter.format(ax.figure)
    assert data["image/png"] == b"picture" and metadata == {}, "nothing was described"
    describe_figure(ax, "Bar chart", "one 1")
    data, metadata = formatter.format(ax.figure)
    assert data["image/png"] == b"picture"
    assert metadata == {"image/png": {"alt": "Bar chart: Two ways. one 1."}}


def test_outside_a_notebook_nothing_happens():
    assert descriptions.show_alt_texts() is None
