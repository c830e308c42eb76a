"""Lists the recipes among which the strongest network's was sought (notebook 10), each with its reason.

Each is the recipe of `best` but for one change or two, on a network of half its width for 36 epochs: some 1.45e14
multiply-adds, a quarter of what `best` takes, over a whole schedule, so that what needs time to pay has some. They are
judged on PublicTest.
"""

from dataclasses import replace
from typing import NamedTuple

from fer_utils.training.experiments import BEST
from fer_utils.training.recipes import Experiment
from fer_utils.training.screening import SEED, Training, screen_candidates

SEARCH_FOLDER = "search"  # among the recorded runs
SEARCH_SEEDS = SEED, SEED + 1
# Whole batches of 128 and of 256, so that a GPU compiles a training step once; and the last weights, for all alike.
BASE = replace(BEST, width=0.5, epochs=36, train_images=28_672, keep="last")

SGD = {"learning_rate": 0.1, "momentum": 0.9, "weight_decay": 5e-3}


class Change(NamedTuple):
    """A reason, and what it changes: other `settings` of the recipe, another augmentation or another network."""

    reason: str
    settings: dict = {}
    augmentation: str = "affine"
    model: str = "deep_residual"


# The recipe of `best` with one resampling, and one change of that each.
SEARCH = {
    "affine": Change("one resampling leaves the faces sharper than three"),
    "strong": Change("three resamplings, as in `best`", augmentation="strong"),
    "affine_bilinear": Change("a smooth resampling is no loss where there is only one", {"interpolation": "bilinear"}),
    "small_affine": Change("the faces stand straight: 6°, 6 %, 5 %", {"interpolation": "bilinear"}, "small_affine"),
    "small_nearest": Change("the faces stand straight, and stay sharp", augmentation="small_affine"),
    "small_erased": Change("the faces stand straight, with erasing", {"interpolation": "bilinear"}, "small_erased"),
    "crop": Change("flip and place alone, as in published recipes", augmentation="crop"),
    "growing": Change("easy faces first, hard ones later", augmentation="growing"),
    "squeezed": Change("maps are weighed by what all hold, at no cost", model="deep_squeezed"),
    "batch_256": Change("calmer steps", {"batch_size": 256, "learning_rate": 5.6e-3}),
    "dropout": Change("half of the means left out", {"dropout": 0.5}),
    "no_dropout": Change("a narrow network has little to spare", {"dropout": 0.0}),
    "sgd": Change("the optimiser of published recipes", SGD),
    "mixup": Change("targets between two classes", {"mixup": 0.2}),
    "kernels": Change("a normalisation's factors need no decay", {"decays": "kernels"}),
    "mean": Change("the mean of many weights lies flatter than each", {"ema_decay": 0.998}),
    "wide": Change("width for half of the epochs", {"width": 0.71, "epochs": 18}),
    "narrow": Change("twice the epochs for width", {"width": 0.36, "epochs": 72}),
    "longer": Change("depth for width", model="deep_longer"),
    "finer": Change("more work at 48x48 for width", model="deep_finer"),
    "decay_half": Change("the decay was never tuned: half of it", {"weight_decay": 0.05}),
    "decay_double": Change("the decay was never tuned: twice as much", {"weight_decay": 0.2}),
    "rate_half": Change("the rate was never tuned: half of it", {"learning_rate": 2e-3}),
    "rate_double": Change("the rate was never tuned: twice as much", {"learning_rate": 8e-3}),
    "batch_64": Change("noisier steps", {"batch_size": 64, "learning_rate": 2.8e-3}),
    "sgd_slow": Change("SGD at a third of the rate", SGD | {"learning_rate": 0.03}),
}  # fmt: skip


def search_training(name, seed=SEED):
    """Returns the `Training` of a change of `SEARCH` from one of the `SEARCH_SEEDS`."""
    change = SEARCH[name]
    experiment = Experiment(f"{name}_{seed}", name, change.model, change.augmentation)
    return Training(experiment, replace(BASE, **change.settings), seed)


def search_recipes(faces, folder, scheduler=None, show=print):
    """Trains what `folder` lacks of the search, as `screen_candidates`: all changes, then the better half once more.

    Returns {training: facts}. The better ones are right more often on PublicTest, by ten views (successive halving,
    Jamieson and Talwalkar 2016).
    """
    first, second = SEARCH_SEEDS
    found = screen_candidates([search_training(name, first) for name in SEARCH], faces, folder, scheduler, show)
    order = sorted(SEARCH, key=lambda name: -found[search_training(name, first).name]["views"]["10"])
    again = [search_training(name, second) for name in order[: len(order) // 2]]
    return found | screen_candidates(again, faces, folder, scheduler, show)
