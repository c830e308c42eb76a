"""Sets recipes side by side: candidates for the report's own, its rows, the way to the course's, its other stride."""

import itertools

import numpy as np
import pandas as pd

from fer_utils.evaluation import average_over_seeds, compare_over_seeds
from fer_utils.report.published import BASELINE_TRAINING_ACCURACY, TABLE_1
from fer_utils.report.recorded import RECORDED, correct_answers, late_accuracies, load_compared
from fer_utils.report.tables import NO_RUN, command_of, describe_accuracy
from fer_utils.training import (
    CANDIDATES,
    EXPERIMENTS,
    LATE_EPOCHS,
    REPORT_ROWS,
    ROWS,
    STRIDE_2_ROWS,
    name_candidate_training,
)

SCREENING = "screening"
SPLITS = {"PublicTest": "validation", "PrivateTest": "test"}
# From the report-like recipe to the course's, one change at a time, and at last whatever else differs.
STAGES = (
    "report-like recipe",
    "the rate falls to zero",
    "the best epoch is kept",
    "mild augmentation",
    "batches of 64, faster averages",
)


def load_screening(folder=None):
    """Reads {training: facts} that `training.screen_candidates` wrote; a damaged file is left out and named."""
    return {
        name: {"late": np.array(facts["history"]["val_accuracy"][-LATE_EPOCHS:], float), **facts}
        for name, facts in load_compared((folder or RECORDED) / SCREENING, "fer-course reproduce").items()
    }


def measure_distances(screening):
    """Returns {candidate: points between its two networks and the report's, mean of both}, nearest first.

    On PublicTest, mean over the last epochs; of the candidates whose two trainings are there.
    """
    found = {}
    for name, candidate in CANDIDATES.items():
        trainings = _find_trainings(candidate, screening)
        if all(trainings):
            levels = [100 * facts["late"].mean() for facts in trainings]
            claimed = TABLE_1["lenet_like"], TABLE_1["lenet_like_augmented"]
            found[name] = float(np.mean(np.abs(np.subtract(levels, claimed))))
    return dict(sorted(found.items(), key=lambda item: item[1]))


def tabulate_candidates(screening):
    """Tabulates the candidates, nearest to the report first, as a DataFrame of text; ± is over the last epochs."""
    rows = {}
    for name, distance in measure_distances(screening).items():
        candidate = CANDIDATES[name]
        plain, augmented = (facts["late"] for facts in _find_trainings(candidate, screening))
        rows[name] = {
            "optimiser": candidate.optimizer,
            "batch": str(candidate.batch_size),
            "augmentation": candidate.augmentation,
            "why": candidate.reason,
            "LeNet-like": _with_spread(plain),
            "+ augmentation": _with_spread(augmented),
            "distance": f"{distance:.1f} points",
        }
    table = pd.DataFrame(rows).T
    table.index.name = "candidate"
    return table


def _find_trainings(candidate, screening):
    return [screening.get(name_candidate_training(candidate, which)) for which in ("none", candidate.augmentation)]


def _with_spread(values):
    return f"{100 * np.mean(values):.1f} ± {100 * np.std(values):.1f} %"


def measure_levels(recorded, split):
    """Returns {row of Table 1: mean accuracy of its report-like runs, in percent}, over seeds and last epochs.

    `split` is "PublicTest" or "PrivateTest". Rows without runs are left out.
    """
    return {
        row: float(100 * np.mean([late_accuracies(run, SPLITS[split]).mean() for run in recorded[name]]))
        for row, name in zip(ROWS, REPORT_ROWS, strict=True)
        if recorded.get(name)
    }


def tabulate_report_like(recorded):
    """Tabulates Table 1 beside the report-like runs, on both splits, as a DataFrame of text.

    The first ± is over the seeds, whose numbers are means over the last epochs; the second over these epochs.
    """
    rows = {}
    for row, name in zip(ROWS, REPORT_ROWS, strict=True):
        if runs := recorded.get(name):
            cells = {"report": f"{TABLE_1[row]} %"}
            for split, which in SPLITS.items():
                late = np.array([late_accuracies(run, which) for run in runs])
                cells[split] = _mean_over_seeds(late.mean(axis=1))
                cells[f"{split}, distance"] = f"{100 * late.mean() - TABLE_1[row]:+.1f}"
            cells["± over the last epochs"] = f"{100 * np.sqrt(late.var(axis=1).mean()):.1f}"
            cells |= {"seeds": str(len(runs)), "command": command_of(name, runs)}
            rows[EXPERIMENTS[row].title] = cells
    return pd.DataFrame(rows).T


def _mean_over_seeds(values):
    spread = f"± {100 * np.std(values, ddof=1):.1f} %" if len(values) > 1 else "% (one seed)"
    return f"{100 * np.mean(values):.1f} {spread}"


def tabulate_summary(recorded):
    """Tabulates Table 1 on the test images as a DataFrame of text: the report's, ours with a recipe like it, ours."""
    like, rows = tabulate_report_like(recorded), {}
    for name in ROWS:
        title, runs = EXPERIMENTS[name].title, recorded.get(name)
        rows[title] = {
            "the report": f"{TABLE_1[name]} %",
            "with a recipe like its own": like["PrivateTest"].get(title, NO_RUN) if len(like) else NO_RUN,
            "with the course's recipe": describe_accuracy(average_over_seeds(correct_answers(runs)))
            if runs
            else NO_RUN,
        }
    return pd.DataFrame(rows).T.rename_axis("network")


def list_stages(recorded, model):
    """Returns [(words, answers (seeds, N)), ...] from the report-like recipe to the course's.

    It ends before the first stage without a run: what comes later is not the gain of one change. `model` is
    "lenet_like" or "vgg_like", both with augmentation. A training whose rate falls to zero gives two stages: its last
    epoch, its best.
    """
    course = "lenet_like_augmented" if model == "lenet_like" else model
    names = f"report_{course}", f"between_{model}_falling", f"between_{model}_mild", course
    report_like, falling, mild, of_course = (recorded.get(name) or [] for name in names)
    answers = (
        correct_answers(report_like),
        np.array([run.late_correct[-1] for run in falling]),
        correct_answers(falling),
        correct_answers(mild),
        correct_answers(of_course),
    )
    return list(itertools.takewhile(lambda stage: len(stage[1]), zip(STAGES, answers, strict=True)))


def compare_stages(stages):
    """Returns [(words, accuracy, `Difference` to the stage before, number of seeds), ...] of `list_stages`.

    The first has no difference: `None`.
    The two stages that come from the same trainings are compared as if from different ones: their interval is too wide
    rather than too narrow.
    """
    before = [None, *(answers for _, answers in stages)]
    return [
        (
            words,
            float(answers.mean()),
            None if previous is None else compare_over_seeds(previous, answers),
            len(answers),
        )
        for previous, (words, answers) in zip(before, stages, strict=False)
    ]


def tabulate_stages(stages_of_models):
    """Tabulates {title: what `compare_stages` returns} as a DataFrame of text, a row per stage."""
    columns, reached = {}, set()
    for title, stages in stages_of_models.items():
        columns[f"{title}: accuracy"] = {words: f"{100 * accuracy:.1f} %" for words, accuracy, *_ in stages}
        columns[f"{title}: seeds"] = {words: str(n_seeds) for words, *_, n_seeds in stages}
        columns[f"{title}: gain"] = {words: gain.in_points() for words, _, gain, _ in stages if gain}
        reached |= {words for words, *_ in stages}
    return pd.DataFrame(columns, index=[words for words in STAGES if words in reached]).fillna("")


def judge_stride(recorded):
    """Tabulates the two interpretations of "the stride is 2", from seed 0 of each row, as a DataFrame of text.

    That of the poolings under both recipes, that of the convolutions under the course's. Judged by distance, and by
    what does not depend on the level: the order of the rows, the steps between them, and the 80 % that the training
    accuracy of the plain network passes.
    """
    table = {"the report": _describe_rows(np.array([TABLE_1[row] for row in ROWS], float), BASELINE_TRAINING_ACCURACY)}
    interpretations = {
        "poolings, report-like recipe": REPORT_ROWS,
        "poolings, the course's recipe": ROWS,
        "convolutions, the course's recipe": STRIDE_2_ROWS,
    }
    for words, rows in interpretations.items():
        if all(recorded.get(name) for name in rows):
            first = [recorded[name][0] for name in rows]
            levels = np.array([100 * correct_answers([run]).mean() for run in first])
            table[f"stride 2 of the {words}"] = _describe_rows(levels, 100 * max(first[0].history["accuracy"]))
    return pd.DataFrame(table).T


def _describe_rows(levels, training_accuracy):
    claimed = np.array([TABLE_1[row] for row in ROWS], float)
    return {
        "test accuracy": " / ".join(f"{level:.1f}" for level in levels),
        "mean distance": f"{np.abs(levels - claimed).mean():.1f} points",
        "order": "the report's" if (np.diff(levels) > 0).all() else "another",
        "steps": " / ".join(f"{step:+.1f}" for step in np.diff(levels)),
        "distance of the steps": f"{np.abs(np.diff(levels) - np.diff(claimed)).mean():.1f} points",
        "highest training accuracy, LeNet-like": f"{training_accuracy:.0f} %",
    }


def compare_recipe_and_depth(recorded):
    """Returns {words: `Difference` on the test images}: what the recipe is worth, what depth and shortcuts are.

    The recipe's worth goes from the report-like one to the course's; depth and shortcuts are compared under both.
    """
    pairs = {
        "the recipe, LeNet-like": ("report_lenet_like_augmented", "lenet_like_augmented"),
        "the recipe, VGG-like": ("report_vgg_like", "vgg_like"),
        "depth, report-like recipe": ("report_lenet_like_augmented", "report_vgg_like"),
        "depth, the course's recipe": ("lenet_like_augmented", "vgg_like"),
        "shortcuts, report-like recipe": ("report_vgg_like", "report_resnet_like"),
        "shortcuts, the course's recipe": ("vgg_like", "resnet_like"),
    }
    return {
        words: compare_over_seeds(correct_answers(recorded[a]), correct_answers(recorded[b]))
        for words, (a, b) in pairs.items()
        if recorded.get(a) and recorded.get(b)
    }
