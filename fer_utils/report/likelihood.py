"""Says how likely the report's Table 1 was, one training a row, from the recorded runs of a recipe like its own."""

import itertools

import numpy as np
import pandas as pd

from fer_utils.report.published import GAIN_OF_SHORTCUTS, TABLE_1
from fer_utils.report.recipes import SPLITS
from fer_utils.report.recorded import late_accuracies
from fer_utils.training import REPORT_ROWS, ROWS

STEPS = np.diff([TABLE_1[row] for row in ROWS])
WITHIN = 0.5  # points
# Of levels (rows, tables).
EVENTS = {
    "the four rows in the report's order": lambda levels: (np.diff(levels, axis=0) > 0).all(axis=0),
    "the report's three steps, each within half a point": lambda levels: (
        np.abs(np.diff(levels, axis=0) - STEPS[:, None]) <= WITHIN
    ).all(axis=0),
    "shortcuts gain more than 2 points": lambda levels: levels[3] - levels[2] > GAIN_OF_SHORTCUTS,
}


def list_endings(recorded, split):
    """Returns {row: accuracies in percent (seeds, epochs)}: each single training of a row that might have been the
    report's, by its seed and by the epoch in which it ends. `split` is "PublicTest" or "PrivateTest".
    """
    return {
        row: 100 * np.array([late_accuracies(run, SPLITS[split]) for run in recorded[name]])
        for row, name in zip(ROWS, REPORT_ROWS, strict=True)
        if recorded.get(name)
    }


def tabulate_spread(endings):
    """Tabulates per row the spread of single trainings as a DataFrame of numbers, in points.

    `over seeds` is the standard deviation of the seeds' means over the last epochs, `over epochs` that of the epochs of
    one training; `lowest` and `highest` are single endings.
    """
    return pd.DataFrame(
        {
            row: {
                "mean": levels.mean(),
                "over seeds": levels.mean(axis=1).std(ddof=1) if len(levels) > 1 else np.nan,
                "over epochs": np.sqrt(levels.var(axis=1).mean()),
                "lowest": levels.min(),
                "highest": levels.max(),
            }
            for row, levels in endings.items()
        }
    ).T


def count_tables(endings):
    """Tabulates how often an event of `EVENTS` is seen if each row is trained once: a DataFrame, a row per event.

    Every seed and every ending of a row is combined with every one of the others: `share` is that of all these tables.
    The epochs of one training are not seeds. So `lowest` and `highest` are the shares within the single choices of
    seeds, one a row, in which only the endings vary. `ValueError` unless all rows are there.
    """
    if list(endings) != list(ROWS):
        raise ValueError(f"endings of {', '.join(endings) or 'no row'}; a table needs all of {', '.join(ROWS)}")
    shares = {event: [] for event in EVENTS}
    for seeds in itertools.product(*endings.values()):
        levels = np.array(np.meshgrid(*seeds, indexing="ij")).reshape(len(seeds), -1)
        for event, happens in EVENTS.items():
            shares[event].append(happens(levels).mean())
    table = pd.DataFrame(shares)
    return pd.DataFrame({"share": table.mean(), "lowest": table.min(), "highest": table.max()})
