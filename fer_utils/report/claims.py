"""Lists the claims of the 2020 report (§5, §6), and judges each from the recorded runs of one recipe."""

import dataclasses

import numpy as np
import pandas as pd

from fer_utils.evaluation import compare_over_seeds
from fer_utils.report.measurements import (
    measure_both,
    measure_climb,
    measure_convergence,
    measure_depth,
    measure_difference,
    measure_falling_loss,
    measure_gap,
    measure_layers,
    measure_level,
    measure_overfitting,
)
from fer_utils.report.published import GAIN_OF_SHORTCUTS, TABLE_1
from fer_utils.report.recorded import correct_answers
from fer_utils.report.verdicts import HOLDS, UNKNOWN
from fer_utils.training import EXPERIMENTS, ROWS

# What the report compares to show that each of the three helps.
AUGMENTATION = ("lenet_like", "lenet_like_augmented")
DEPTH = ("lenet_like_augmented", "vgg_like")
SHORTCUT = ("vgg_like", "resnet_like")


@dataclasses.dataclass(frozen=True)
class Claim:
    """A statement of the report, what was measured, and the verdict, one of `VERDICTS`.

    A `second_look` judges the claim before it once more, by another measurement; it is no claim of its own.
    """

    section: str
    statement: str
    measurement: str
    verdict: str
    second_look: bool = False


def judge_claims(recorded, rows=ROWS, layers=None, copies=()):
    """Judges the claims of §5 and §6: [Claim, ...], each verdict from `recorded` runs (of `load_recorded`).

    `rows` are the experiments of one recipe, in the order of Table 1. `layers` are the recorded readings of a network's
    layers that §5.4 needs (of `load_layers`). `copies` are the places of the test images that also occur in the
    training set: each gain is judged without them as well.
    """
    runs = {row: recorded.get(name, []) for row, name in zip(ROWS, rows, strict=True)}
    return [
        _level("lenet_like", "§5.1", "The plain network reaches 51.0 % on the test set", runs),
        _judge("§5.1", "Its training accuracy climbs to 80 % very quickly", measure_climb, runs, "lenet_like"),
        _judge("§5.1", "It overfits significantly", measure_overfitting, runs, "lenet_like"),
        _judge("§5.1", "Augmentation largely reduces the gap", measure_gap, runs, *AUGMENTATION),
        *_gain(*AUGMENTATION, "Table 1", "Augmentation gains 2 points", 0.02, runs, copies),
        _level("lenet_like_augmented", "Table 1", "With augmentation it reaches 53 %", runs),
        _judge("§5.2", "Depth gains 3 to 4 points of validation accuracy", measure_depth, runs, *DEPTH),
        *_gain(*DEPTH, "Table 1", "Depth gains 3 points of test accuracy", 0.03, runs, copies),
        _level("vgg_like", "Table 1", "The deep network reaches 56 %", runs),
        *_gain(*SHORTCUT, "§5.3", "Shortcuts gain more than 2 points", GAIN_OF_SHORTCUTS / 100, runs, copies),
        _judge("§5.3", "With shortcuts, training converges faster", measure_convergence, runs, *SHORTCUT),
        _again("§5.3", "judged by the training loss", measure_falling_loss, runs, *SHORTCUT),
        *_claims_of_layers(layers),
        _judge("§6", "Both depth and shortcuts improve the network", measure_both, runs, *DEPTH, "resnet_like"),
        _judge("§6", "The best network reaches 58 %", _measure_best, runs, *ROWS),
    ]


def tabulate_claims(by_recipe):
    """Tabulates the claims as a DataFrame of text; `by_recipe` maps two recipes' names to their `judge_claims`."""
    first = next(iter(by_recipe.values()))
    table = {"claim": [f"… {claim.statement}" if claim.second_look else claim.statement for claim in first]}
    for name, claims in by_recipe.items():
        table[f"{name}: measured"] = [claim.measurement for claim in claims]
        table[f"{name}: verdict"] = [claim.verdict for claim in claims]
    pairs = zip(*by_recipe.values(), strict=True)
    table["holds under"] = [_list_holding(dict(zip(by_recipe, pair, strict=True))) for pair in pairs]
    return pd.DataFrame(table, index=[claim.section for claim in first])


def _list_holding(claims):
    """Returns under which of two recipes a claim holds, from {recipe: Claim}."""
    holding = [name for name, claim in claims.items() if claim.verdict == HOLDS]
    return "both" if len(holding) == 2 else holding[0] if holding else "neither"


def _judge(section, statement, measure, runs, *rows):
    """Judges one claim: `measure(runs of each row)` gives (measurement, verdict).

    Without runs it cannot be told; nor with a single seed of any row, for nothing is known about other seeds then.
    """
    of_rows = [runs[row] for row in rows]
    if not all(of_rows):
        return Claim(section, statement, "no recorded run", UNKNOWN)
    measurement, verdict = measure(*of_rows)
    return Claim(section, statement, measurement, verdict if min(map(len, of_rows)) > 1 else UNKNOWN)


def _again(section, statement, measure, runs, *rows):
    return dataclasses.replace(_judge(section, statement, measure, runs, *rows), second_look=True)


def _level(row, section, statement, runs):
    return _judge(section, statement, lambda of_row: measure_level(of_row, TABLE_1[row]), runs, row)


def _gain(row_a, row_b, section, statement, at_least, runs, copies):
    """Yields the claim of a gain and, with `copies`, the second look without them."""

    def measure(a, b, left_out=()):
        kept = np.setdiff1d(np.arange(len(a[0].test_correct)), left_out)
        difference = compare_over_seeds(correct_answers(a)[:, kept], correct_answers(b)[:, kept])
        return measure_difference(difference, at_least)

    yield _judge(section, statement, measure, runs, row_a, row_b)
    if len(copies):
        words = f"without the {len(copies)} test images that also occur in training"
        yield _again(section, words, lambda a, b: measure(a, b, copies), runs, row_a, row_b)


def _measure_best(*of_rows):
    """Judges the best row, whichever it is: the report says what its networks reach, not which of them."""
    best = max(of_rows, key=lambda runs: correct_answers(runs).mean())
    words, verdict = measure_level(best, max(TABLE_1.values()))
    return f"{EXPERIMENTS[ROWS[of_rows.index(best)]].title}: {words}", verdict


def _claims_of_layers(layers):
    statements = (
        "In the first layer several maps are blank",
        "The first layer keeps almost all of the image",
        "Deeper layers say less about the image",
        "Deeper layers say more about the class",
        "That is why more layers help",
    )
    found = measure_layers(layers) if layers else [("not measured", UNKNOWN)] * len(statements)
    return [Claim("§5.4", statement, *facts) for statement, facts in zip(statements, found, strict=True)]
