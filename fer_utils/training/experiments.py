"""Lists the experiments: what is trained, as data; notebooks and the command name an experiment."""

from dataclasses import MISSING, asdict, dataclass, fields, replace
from typing import NamedTuple

from fer_utils.environment import current_profile


@dataclass(frozen=True)
class Recipe:
    """How a network is trained; one recipe per profile, the same for all rows of the report's Table 1.

    The report gives no optimiser, batch size or number of epochs. Here: Adam (Kingma and Ba 2015), whose rate starts at
    Keras's own and falls to zero along half a cosine (Loshchilov and Hutter 2017). Few epochs are enough then: the
    last ones no longer swing, and the baseline still has time to overfit. `train_images` limits the training images
    (None: all). The weights of the epoch with the best validation accuracy are kept.

    The other fields are not used by the report's rows. These are decoupled weight decay (AdamW, Loshchilov and Hutter
    2019); the share of the steps in which the rate climbs from a tenth of `learning_rate` to it; dropout before the
    last layer (Srivastava et al. 2014); label smoothing (Szegedy et al. 2016); a `momentum` with which Nesterov's
    stochastic gradient descent replaces Adam (Sutskever et al. 2013); the decay per step of the weights' running mean,
    which is then judged and kept instead of the weights themselves (Polyak and Juditsky 1992); `mixup`, how much faces
    are mixed (`models.mix_pairs`); and the `interpolation` by which the augmentation turns, zooms and shifts them.

    The recipes like the report's own need four more: the `optimizer` ("adam" or "rmsprop", where `momentum` is 0), the
    `schedule` of its rate ("cosine" or "constant"), which weights are kept (`keep`: those of the "best" or of the
    "last" epoch), and the momentum of the averages that batch normalisation keeps.

    What weight decay makes smaller (`decays`) is "all" that is trained, or the "kernels" of convolutions and dense
    layers alone: a normalisation's factors and the biases are then left as they are learned.
    """

    width: float
    epochs: int
    batch_size: int
    learning_rate: float
    train_images: int | None
    weight_decay: float = 0.0
    warmup: float = 0.0
    dropout: float = 0.0
    label_smoothing: float = 0.0
    momentum: float = 0.0
    ema_decay: float = 0.0
    mixup: float = 0.0
    interpolation: str = "bilinear"
    optimizer: str = "adam"
    schedule: str = "cosine"
    keep: str = "best"
    norm_momentum: float = 0.9
    decays: str = "all"


@dataclass(frozen=True)
class Experiment:
    """What is trained: which network, with which augmentation, with which stride of its convolutions.

    `augmentation` is one of the names in `models/augmentation.py`; `recipes` maps profiles to recipes of its own;
    `precision` is a Keras dtype policy, or None for the one that suits the device; `views` is
    how many views of each image the finished network judges (`models.predict_views`).
    """

    name: str
    title: str
    model: str
    augmentation: str
    conv_stride: int = 1
    recipes: dict[str, Recipe] | None = None
    precision: str | None = None
    views: int = 1


# 78 whole batches of 32: a smaller last batch would make TensorFlow trace every network a second time. So few faces are
# soon memorised; twice Keras's own rate needs fewer epochs for it. `fer-course rehearse` tells how often it works.
QUICK_IMAGES = 2496
RECIPES = {
    "quick": Recipe(width=0.25, epochs=12, batch_size=32, learning_rate=2e-3, train_images=QUICK_IMAGES),
    "full": Recipe(width=1.0, epochs=8, batch_size=64, learning_rate=1e-3, train_images=None),
}


def _with_quick(full, width, epochs):
    """Recipes of both profiles: `full`, and the same on few images with a narrow network for few epochs."""
    return {"quick": replace(full, width=width, epochs=epochs, batch_size=32, train_images=QUICK_IMAGES), "full": full}


# Chosen on PublicTest (one seed) among some twenty networks and recipes of at most a minute on two CPU cores.
FAST = Recipe(
    width=1.0, epochs=5, batch_size=128, learning_rate=1e-2, train_images=None,
    weight_decay=0.1, warmup=0.2,
)  # fmt: skip
FAST_RECIPES = _with_quick(FAST, width=0.5, epochs=8)
# From published habits (one full-length cosine, strong augmentation, dropout, label smoothing), not from a search. The
# faces stay sharp: turned, zoomed and shifted bilinearly, all that it trains on is smoother than what it then judges.
BEST = Recipe(
    width=1.0, epochs=40, batch_size=128, learning_rate=4e-3, train_images=None,
    weight_decay=0.1, warmup=0.1, dropout=0.3, label_smoothing=0.1,
    interpolation="nearest",
)  # fmt: skip
BEST_RECIPES = _with_quick(BEST, width=0.25, epochs=8)
# The same for as long as a tenth of the VGG19's training lasts (notebook 09): for a GPU.
LONG_RECIPES = _with_quick(replace(BEST, epochs=90), width=0.25, epochs=8)
# One recipe for all families of `models/families.py`, that of `fast`, so that none of them was tuned.
EQUAL_RECIPES = _with_quick(FAST, width=0.25, epochs=4)
# The recipe of `best` for a quarter of its epochs, on the network of `fast`: cheap enough to be trained many times.
SMALL = replace(BEST, epochs=10)


def _small(**changes):
    return _with_quick(replace(SMALL, **changes), width=0.25, epochs=4)


class Candidate(NamedTuple):
    """A recipe that the report may have used, and why."""

    optimizer: str
    batch_size: int
    augmentation: str
    reason: str


# The report names no optimiser, batch, rate, schedule, number of epochs or validation set. It gives these hints: the
# training accuracy of the baseline passes 80 % "very quickly" (5.1); flips, rotations and zooms (3); normalisation in
# each layer (4); the activation maps follow the book that it cites (Chollet 2018). All candidates therefore share what
# that book's recipes share: Keras's default settings, a constant rate, the last epoch. They were written down before
# any was trained; the first is the likeliest, each of the next five changes one thing, the last is the book's own.
CANDIDATES = {
    "usual": Candidate("adam", 64, "book", "Adam in batches of 64, as most public FER2013 code; 40°, 20 %: the book's"),
    "rmsprop": Candidate("rmsprop", 64, "book", "the optimiser of the book's convolutional networks"),
    "batch_32": Candidate("adam", 32, "book", "Keras's own default batch"),
    "batch_128": Candidate("adam", 128, "book", "the largest batch in common use for small images"),
    "public": Candidate("adam", 64, "public", "30°, 30 %: the augmentation of public FER2013 code of those years"),
    "tutorial": Candidate("adam", 64, "tutorial", "36°, 10 %: the augmentation of TensorFlow's tutorial of 2020"),
    "mild": Candidate("adam", 64, "mild", "10°, 10 %: the augmentation of this course"),
    "book": Candidate("rmsprop", 32, "book", "optimiser, batch and augmentation of the book's second network"),
}
REPORT_EPOCHS = 12


def report_recipe(optimizer, batch_size):
    """Returns the full `Recipe` of a candidate: Keras's default rate, held constant, and the last epoch's weights."""
    return Recipe(
        width=1.0, epochs=REPORT_EPOCHS, batch_size=batch_size, learning_rate=1e-3, train_images=None,
        optimizer=optimizer, schedule="constant", keep="last", norm_momentum=0.99,
    )  # fmt: skip


EXPERIMENTS = {
    experiment.name: experiment
    for experiment in (
        Experiment("lenet_like", "LeNet-like", "lenet_like", augmentation="none"),
        Experiment("lenet_like_augmented", "LeNet-like + augmentation", "lenet_like", augmentation="mild"),
        Experiment("vgg_like", "VGG-like", "vgg_like", augmentation="mild"),
        Experiment("resnet_like", "ResNet-like", "resnet_like", augmentation="mild"),
        # "the stride is 2" (§4), understood of the convolutions: the other interpretation of the same four rows.
        Experiment("lenet_like_stride2", "LeNet-like, stride 2", "lenet_like", "none", 2),
        Experiment("lenet_like_augmented_stride2", "LeNet-like + augmentation, stride 2", "lenet_like", "mild", 2),
        Experiment("vgg_like_stride2", "VGG-like, stride 2", "vgg_like", "mild", 2),
        Experiment("resnet_like_stride2", "ResNet-like, stride 2", "resnet_like", "mild", 2),
        Experiment("fast", "Fast", "fast", "flip", recipes=FAST_RECIPES),
        # The same in float32: by the two, notebook 08 tells what half the bits cost.
        Experiment("fast_float32", "Fast, float32", "fast", "flip", recipes=FAST_RECIPES, precision="float32"),
        Experiment("best", "Best", "deep_residual", "strong", recipes=BEST_RECIPES, views=10),
        Experiment("best_long", "Best, 90 epochs", "deep_residual", "strong", recipes=LONG_RECIPES, views=10),
        # The seven families at one cost (notebook 09).
        Experiment("equal_alexnet", "AlexNet at equal cost", "alexnet", "flip", recipes=EQUAL_RECIPES),
        Experiment("equal_vgg", "VGG at equal cost", "vgg", "flip", recipes=EQUAL_RECIPES),
        Experiment("equal_inception", "Inception at equal cost", "inception", "flip", recipes=EQUAL_RECIPES),
        Experiment("equal_resnet", "ResNet at equal cost", "resnet", "flip", recipes=EQUAL_RECIPES),
        Experiment("equal_densenet", "DenseNet at equal cost", "densenet", "flip", recipes=EQUAL_RECIPES),
        Experiment("equal_mobilenet", "MobileNet at equal cost", "mobilenet", "flip", recipes=EQUAL_RECIPES),
        Experiment("equal_efficientnet", "EfficientNet at equal cost", "efficientnet", "flip", recipes=EQUAL_RECIPES),
        # What each part of `best` gives: all of them, then one left out or replaced.
        Experiment("small_best", "All parts", "fast", "strong", recipes=_small()),
        Experiment("small_no_erasing", "Without erasing", "fast", "shift", recipes=_small()),
        Experiment("small_no_shift", "Nor shift", "fast", "mild", recipes=_small()),
        Experiment("small_flip_only", "Flip alone", "fast", "flip", recipes=_small()),
        Experiment("small_no_augmentation", "No augmentation", "fast", "none", recipes=_small()),
        Experiment("small_bilinear", "Smoothed faces", "fast", "strong", recipes=_small(interpolation="bilinear")),
        Experiment("small_no_dropout", "Without dropout", "fast", "strong", recipes=_small(dropout=0.0)),
        Experiment(
            "small_no_smoothing", "Without label smoothing", "fast", "strong",
            recipes=_small(label_smoothing=0.0),
        ),
        Experiment(
            "small_no_decay", "Without weight decay", "fast", "strong", recipes=_small(weight_decay=0.0)
        ),
        Experiment(
            "small_kernel_decay", "Weight decay on kernels alone", "fast", "strong",
            recipes=_small(decays="kernels"),
        ),
        Experiment(
            "small_sgd", "SGD with momentum", "fast", "strong",
            recipes=_small(learning_rate=0.1, momentum=0.9, weight_decay=5e-3),
        ),
        Experiment("small_mean", "Mean of the weights", "fast", "strong", recipes=_small(ema_decay=0.99)),
        Experiment("small_mixup", "With mixup", "fast", "strong", recipes=_small(mixup=0.2)),
    )
}  # fmt: skip
# The rows of the report's Table 1, and the same rows with "the stride is 2" understood of the convolutions.
ROWS = "lenet_like", "lenet_like_augmented", "vgg_like", "resnet_like"
STRIDE_2_ROWS = tuple(f"{name}_stride2" for name in ROWS)
# No row of the report: at least as accurate as its best, in a fraction of the time.
FAST_ROWS = "fast", "fast_float32"
# The most accurate network that the course trains, and the same trained for longer.
BEST_ROWS = "best", "best_long"
# Notebook 09: seven families at the cost of the baseline, and what each part of `best` gives.
EQUAL_ROWS = tuple(name for name in EXPERIMENTS if name.startswith("equal_"))
ABLATION_ROWS = tuple(name for name in EXPERIMENTS if name.startswith("small_"))


def find_experiment(name):
    """Returns the `Experiment` called `name`; a `ValueError` that lists the names there are."""
    if name not in EXPERIMENTS:
        raise ValueError(f"there is no experiment {name!r}; there are: {', '.join(EXPERIMENTS)}")
    return EXPERIMENTS[name]


def find_recipe(experiment, profile=None):
    """Returns the `Recipe` of an `Experiment`, or of one called so, in a profile, by default the current one.

    It is the experiment's own, or that of all rows. Raises `ValueError` for an unknown name.
    """
    experiment = find_experiment(experiment) if isinstance(experiment, str) else experiment
    return (experiment.recipes or RECIPES)[profile or current_profile()]


# What of an `Experiment` decides about numbers; a run records each under the same name.
DEFINITION = ("model", "augmentation", "conv_stride", "views")


def read_definition(experiment):
    """Returns what an `Experiment` trains, {name: value}, without what it is called."""
    return {name: getattr(experiment, name) for name in DEFINITION}


def find_difference(run, experiment, recipe, fingerprint):
    """Returns an empty text if `run` is of this `Experiment`, `Recipe` and images; else words that say why not.

    The words name each field that differs, what the run records and what was expected. The one answer to this question
    for training, for the recorded runs, and so for all that reads them. The precision counts where the experiment fixes
    one; `fingerprint` is that of the images.
    """
    expected = {"experiment": experiment.name, **read_definition(experiment)}
    if experiment.precision:
        expected["precision"] = experiment.precision
    expected["fingerprint"] = fingerprint
    found = {name: getattr(run, name) for name in expected}
    return "; ".join([*_list_differences(found, expected), *_list_recipe_differences(run.recipe, recipe)])


def _list_recipe_differences(facts, recipe):
    """Returns such words on a run's recorded `facts` and a `Recipe`; a later setting had its default before."""
    if not isinstance(facts, dict):
        return [f"recipe is {facts!r}, expected its settings by name"]
    defaults = {field.name: field.default for field in fields(Recipe) if field.default is not MISSING}
    return [f"recipe: {words}" for words in _list_differences({**defaults, **facts}, asdict(recipe))]


def _list_differences(found, expected):
    """Returns words about each name under which the two dictionaries differ."""
    words = []
    for name in {**expected, **found}:
        if name not in found:
            words.append(f"{name} is missing, expected {expected[name]!r}")
        elif name not in expected:
            words.append(f"{name} is {found[name]!r}, and this version of the course knows no such setting")
        elif found[name] != expected[name]:
            words.append(f"{name} is {found[name]!r}, expected {expected[name]!r}")
    return words
