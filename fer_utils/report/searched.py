"""Tabulates the search for the strongest network's recipe, and the recipes trained at full length (notebook 10).

Both show what PublicTest said, by which was chosen.
"""

import numpy as np
import pandas as pd

from fer_utils.report.recorded import RECORDED, load_compared
from fer_utils.training import BEST_ROWS, EXPERIMENTS, SEARCH, SEARCH_FOLDER, SEARCH_SEEDS, search_training


def load_search(folder=None):
    """Reads {change: [facts by seed]} that `training.search_recipes` wrote, of the changes that were tried."""
    found = load_compared((folder or RECORDED) / SEARCH_FOLDER, "fer-course search")
    names = {change: [search_training(change, seed).name for seed in SEARCH_SEEDS] for change in SEARCH}
    tried = {change: [found[name] for name in names if name in found] for change, names in names.items()}
    return {change: facts for change, facts in tried.items() if facts}


def tabulate_search(search):
    """Tabulates what `load_search` returns as a DataFrame of text, the best by ten views first; means over the seeds.

    Accuracies are those of the last epoch: on the changed training images, and on PublicTest by one view and by ten.
    """
    rows = {}
    for change, tried in search.items():
        one, ten = (np.mean([facts["views"][views] for facts in tried]) for views in ("1", "10"))
        rows[change] = {
            "why": SEARCH[change].reason,
            "training": np.mean([facts["history"]["accuracy"][-1] for facts in tried]),
            "one view": one,
            "ten views": ten,
            "seeds": str(len(tried)),
        }
    table = pd.DataFrame.from_dict(rows, orient="index", columns=["why", "training", "one view", "ten views", "seeds"])
    table = table.sort_values("ten views", ascending=False, kind="stable").rename_axis("change")
    shares = ["training", "one view", "ten views"]
    return table.assign(**{name: [f"{100 * value:.1f} %" for value in table[name]] for name in shares})


def tabulate_best(recorded):
    """Tabulates the recipes of `BEST_ROWS` with runs as a DataFrame of text, in their order; means over the seeds.

    Training is the accuracy on the changed training images in the last epoch, the loss that on PublicTest by one view.
    A row that has learned from PublicTest has no numbers of it.
    """
    rows = {}
    for name in BEST_ROWS:
        if runs := recorded.get(name):
            losses = [run.history["val_loss"][run.best_epoch - 1] for run in runs]
            views = [run.validation_accuracy for run in runs]
            seen = EXPERIMENTS[name].learns_from != "Training"
            rows[EXPERIMENTS[name].title] = {
                "epochs": str(runs[0].recipe["epochs"]),
                "augmentation": runs[0].augmentation,
                "training": f"{100 * np.mean([run.history['accuracy'][-1] for run in runs]):.1f} %",
                "PublicTest, loss": "learned" if seen else f"{np.mean(losses):.2f}",
                f"PublicTest, {runs[0].views} views": "learned" if seen else f"{100 * np.mean(views):.1f} %",
                "seeds": str(len(runs)),
            }
    return pd.DataFrame(rows).T.rename_axis("network")
