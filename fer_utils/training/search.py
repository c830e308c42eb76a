"""Lists the recipes among which the strongest network's was sought (notebook 10), each with its reason.

Each is the recipe of `best` with one change, on a network of half its width for 36 epochs: some 1.45e14 multiply-adds,
a quarter of what `best` takes, over a whole schedule, so that what needs time to pay has some. Judged on PublicTest.
"""

from dataclasses import replace
from typing import NamedTuple

from fer_utils.training.experiments import BEST
from fer_utils.training.recipes import Experiment
from fer_utils.training.screening import SEED, Training

SEARCH_SEEDS = SEED, SEED + 1
# Whole batches of 128 and of 256, so that a GPU compiles a training step once; and the last weights, for all alike.
BASE = replace(BEST, width=0.5, epochs=36, train_images=28_672, keep="last")

SGD = {"learning_rate": 0.1, "momentum": 0.9, "weight_decay": 5e-3}


class Change(NamedTuple):
    """One change of the recipe of `best`: another network, another augmentation, or other `settings` of its recipe."""

    reason: str
    settings: dict = {}
    augmentation: str = "strong"
    model: str = "deep_residual"


SEARCH = {
    "as_it_is": Change("the recipe of `best`"),
    "affine": Change("one resampling instead of three leaves the faces sharper", augmentation="affine"),
    "affine_bilinear": Change("one resampling, smooth", {"interpolation": "bilinear"}, "affine"),
    "small_affine": Change("the faces stand straight: 6°, 6 %, 5 %", {"interpolation": "bilinear"}, "small_affine"),
    "small_nearest": Change("the same, sharp", augmentation="small_affine"),
    "small_erased": Change("the same, and erasing", {"interpolation": "bilinear"}, "small_erased"),
    "crop": Change("flip and place alone, as in published recipes", augmentation="crop"),
    "growing": Change("easy faces first, hard ones later", augmentation="growing"),
    "kernels": Change("a normalisation's factors need no decay", {"decays": "kernels"}),
    "mean": Change("the mean of many weights lies flatter than each", {"ema_decay": 0.998}),
    "sgd": Change("the optimiser of published recipes", SGD),
    "sgd_slow": Change("the same at a third of the rate", SGD | {"learning_rate": 0.03}),
    "squeezed": Change("maps are weighed by what all hold, at no cost", model="deep_squeezed"),
    "longer": Change("depth for width", model="deep_longer"),
    "finer": Change("more work at 48x48 for width", model="deep_finer"),
    "narrow": Change("twice the epochs for width", {"width": 0.36, "epochs": 72}),
    "wide": Change("width for half of the epochs", {"width": 0.71, "epochs": 18}),
    "batch_64": Change("noisier steps", {"batch_size": 64, "learning_rate": 2.8e-3}),
    "batch_256": Change("calmer steps", {"batch_size": 256, "learning_rate": 5.6e-3}),
    "dropout": Change("half of the means left out", {"dropout": 0.5}),
    "no_dropout": Change("a narrow network has little to spare", {"dropout": 0.0}),
    "mixup": Change("targets between two classes", {"mixup": 0.2}),
    "decay_half": Change("the decay was never tuned", {"weight_decay": 0.05}),
    "decay_double": Change("the same, to the other side", {"weight_decay": 0.2}),
    "rate_half": Change("the rate was never tuned", {"learning_rate": 2e-3}),
    "rate_double": Change("the same, to the other side", {"learning_rate": 8e-3}),
}  # fmt: skip


def search_training(name, seed=SEED):
    """Returns the `Training` of a change of `SEARCH` from one of the `SEARCH_SEEDS`."""
    change = SEARCH[name]
    experiment = Experiment(f"{name}_{seed}", name, change.model, change.augmentation)
    return Training(experiment, replace(BASE, **change.settings), seed)
