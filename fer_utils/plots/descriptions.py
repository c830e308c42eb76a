"""Puts a figure into words, for readers who do not see it: what it is, its title, and the main things it shows.

A function that draws calls `describe_figure` or `describe_lines` last. The text goes into the notebook as the output's
metadata `alt`: the key that `IPython.display.Image` uses, and pages made from notebooks read.
"""

import numpy as np
from IPython import get_ipython
from matplotlib.figure import Figure
from matplotlib.ticker import LogFormatter, ScalarFormatter


def describe_figure(drawn, kind, *facts):
    """Gives an Axes or a whole Figure its words and returns it: `kind` is what it is, `facts` what it shows.

    The title comes from the figure itself. Facts are composed from the values drawn, so that they hold for all faces.
    """
    drawn.described = kind, "; ".join(filter(None, facts))
    return drawn


def describe_lines(ax):
    """Describes an Axes by its labelled lines, once titles and labels are set: where each starts, ends and turns."""
    lines = [line for line in ax.lines if not line.get_label().startswith("_") and len(line.get_xdata())]
    kind = f"Line chart, {ax.get_ylabel()} over {ax.get_xlabel()}"
    return describe_figure(ax, kind, *(_read_line(line, ax) for line in lines))


def alt_text(figure):
    """Returns the text of all that was described in `figure`, or an empty one: kind, title and facts of each."""
    sentences = []
    for drawn in (figure, *figure.axes):
        if hasattr(drawn, "described"):
            kind, facts = drawn.described
            title = drawn.get_suptitle() if drawn is figure else drawn.get_title()
            sentences.append(f"{': '.join(filter(None, (kind, title)))}. {facts}.")
    return " ".join(" ".join(sentences).split())  # a caption may hold line breaks


def show_alt_texts():
    """Lets the running notebook send each figure's text along with its picture; outside IPython it does nothing."""
    if shell := get_ipython():
        shell.display_formatter.mimebundle_formatter.for_type(Figure, _as_metadata)


def _as_metadata(figure, **_):
    """No picture, which IPython's own formatter adds, but what belongs to it."""
    text = alt_text(figure)
    return {}, {"image/png": {"alt": text}} if text else {}


def _read_line(line, ax):
    """Returns the words about one line: where it starts, ends and turns."""
    x, y = line.get_xdata(), np.asarray(line.get_ydata(), float)
    if np.ptp(y) == 0:
        return f"{line.get_label()} {_show(y[0], ax)}" + (f" at {_shorten(x[0])}" if len(x) == 1 else "")
    ends = _show(y[0], ax), _show(y[-1], ax)
    words = f"{line.get_label()} from {ends[0]} to {ends[1]}"
    for word, place in (("lowest", y.argmin()), ("highest", y.argmax())):
        if (extreme := _show(y[place], ax)) not in ends:
            words += f", {word} {extreme} at {_shorten(x[place])}"
    return words


def _show(value, ax):
    """Returns `value` as a percentage where the vertical axis has percentages."""
    is_number = isinstance(ax.yaxis.get_major_formatter(), ScalarFormatter | LogFormatter)
    return _shorten(value) if is_number else ax.format_ydata(float(f"{value:.3g}"))


def _shorten(value):
    """Returns a number with three digits, or all before the point; a word as it is."""
    if isinstance(value, str):
        return value
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
