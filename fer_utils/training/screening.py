"""Compares candidates for a recipe like the report's own, on the validation images alone."""

import itertools
import json
from pathlib import Path

from fer_utils import device
from fer_utils.environment import atomic_path, progress_bar
from fer_utils.training.build import build_network
from fer_utils.training.checkpoint import checkpoint_identity
from fer_utils.training.experiments import Experiment, Recipe
from fer_utils.training.loop import BAR, fit_epochs, training_cost
from fer_utils.training.origin import find_commit, list_versions

# The report names no optimiser, batch, rate, schedule, number of epochs or validation set. It gives these hints: the
# training accuracy of the baseline passes 80 % "very quickly" (5.1); flips, rotations and zooms (3); normalisation in
# each layer (4); the activation maps follow the book that it cites (Chollet 2018). All candidates therefore share what
# that book's recipes share: Keras's default settings (rate 1e-3, normalisation with momentum 0.99), a constant rate,
# no choice of an epoch. They differ in what people of 2020 differed in.
CANDIDATE_OPTIMIZERS = {
    "adam": "Keras's default settings; what most public FER2013 code of those years uses",
    "rmsprop": "Keras's default settings; the optimiser of the cited book's convolutional networks",
}
CANDIDATE_BATCHES = {
    32: "Keras's own default, and the batch of the cited book's augmented network",
    64: "the batch of most public FER2013 code",
    128: "the largest that people of 2020 commonly used for small images",
}
CANDIDATE_AUGMENTATIONS = {
    "book": "rotation up to 40 degrees, zoom up to 20 %: the cited book's settings",
    "public": "rotation up to 30 degrees, zoom up to 30 %: public FER2013 code of those years",
    "tutorial": "rotation up to 36 degrees, zoom up to 10 %: TensorFlow's tutorial of 2020",
    "mild": "rotation up to 10 degrees, zoom up to 10 %: the course's own",
}
CANDIDATE_EPOCHS = 15


def list_candidates():
    """Returns [(name, `Experiment`, `Recipe`)] of all candidates, LeNet-like: 6 plain, 24 augmented.

    First the plain ones, which the augmentation does not touch, then one augmentation after the other.
    """
    found = []
    for augmentation in ("none", *CANDIDATE_AUGMENTATIONS):
        for optimizer, batch in itertools.product(CANDIDATE_OPTIMIZERS, CANDIDATE_BATCHES):
            name = f"{optimizer}_{batch}_{augmentation}"
            experiment = Experiment(name, name, "lenet_like", augmentation)
            found.append((name, experiment, report_recipe(optimizer, batch, CANDIDATE_EPOCHS)))
    return found


def report_recipe(optimizer, batch_size, epochs):
    """Returns the full `Recipe` of a candidate: constant rate of Keras's default, the last epoch's weights."""
    return Recipe(
        width=1.0, epochs=epochs, batch_size=batch_size, learning_rate=1e-3, train_images=None,
        optimizer=optimizer, schedule="constant", keep="last", norm_momentum=0.99,
    )  # fmt: skip


def screen(candidates, faces, folder, seed=0):
    """Trains `candidates` [(name, `Experiment`, `Recipe`)] and looks at the validation images only; resumable.

    Returns {name: facts}: recipe, augmentation and the history of each epoch. Each is stored in `folder` as a JSON file
    when it is finished, and read from there the next time, if it is of the same recipe, seed and images.
    """
    return {name: _screen_one(name, *candidate, faces, Path(folder), seed) for name, *candidate in candidates}


def _screen_one(name, experiment, recipe, faces, folder, seed):
    path, checkpoint = folder / f"{name}.json", folder / f"{name}.unfinished.npz"
    precision = device.choose_precision(recipe.width)
    identity = checkpoint_identity(experiment, recipe, faces, seed, precision)
    if path.exists():
        facts = json.loads(path.read_text(encoding="utf-8"))
        if facts["identity"] == identity:
            return facts
    network = build_network(experiment, recipe, seed, precision)
    total = training_cost(network, recipe, faces)
    with progress_bar(desc=name, total=total, bar_format=BAR, mininterval=0.5, smoothing=0) as bar:
        progress = fit_epochs(network, faces.train, faces.validation, recipe, seed, checkpoint, identity, bar)
    facts = {"identity": identity, "history": progress.history, "seconds": round(progress.seconds, 1)}
    facts |= {"versions": list_versions(), "commit": find_commit()}
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    checkpoint.unlink(missing_ok=True)
    return facts
