"""Lists the experiments: what is trained, as data; notebooks and the command name an experiment."""

from dataclasses import replace
from typing import NamedTuple

from fer_utils.environment import current_profile
from fer_utils.training.recipes import Experiment, Recipe

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
# For as long as a tenth of the VGG19's training lasts (notebook 10), on a GPU: larger batches at a larger rate, and the
# last weights, so that the number of epochs may be fixed where no image is left to choose it by.
LONG = replace(BEST, epochs=90, batch_size=256, learning_rate=5.6e-3, keep="last")
LONG_RECIPES = _with_quick(LONG, width=0.25, epochs=8)
# In 90 epochs the network memorises more (88 % of the changed training faces are right) than `best` in 40 (77 %), and
# is no better on PublicTest: what is longer has to be harder, too.
MIXED = replace(LONG, mixup=0.2)
MIXED_RECIPES = _with_quick(MIXED, width=0.25, epochs=8)
# The search's best: faces that stand straight. They are soon memorised, unless they are mixed more.
STRAIGHT_RECIPES = _with_quick(replace(LONG, mixup=0.4), width=0.25, epochs=8)
# What three such networks say of a face is a softer target than its label: it needs no smoothing.
TAUGHT_RECIPES = _with_quick(replace(MIXED, label_smoothing=0.0), width=0.25, epochs=8)
# The widths at which narrow networks of the families cost what the VGG's does, within 5 %: maps come in whole numbers.
QUICK_WIDTHS = {
    "alexnet": 0.25, "vgg": 0.25, "inception": 0.26, "resnet": 0.25, "densenet": 0.26,
    "mobilenet": 0.22, "efficientnet": 0.22,
}  # fmt: skip
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
# they were compared (the first and the last had been tried once). The first is the likeliest, each of the next six
# changes one thing, the last is the book's own.
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
LATE_EPOCHS = 5  # nobody knows after which epoch the report stopped: any of the last five


def report_recipe(optimizer, batch_size):
    """Returns the full `Recipe` of a candidate: Keras's default rate, held constant, and the last epoch's weights."""
    return Recipe(
        width=1.0, epochs=REPORT_EPOCHS, batch_size=batch_size, learning_rate=1e-3, train_images=None,
        optimizer=optimizer, schedule="constant", keep="last", norm_momentum=0.99,
    )  # fmt: skip


# Nearest to the report's 51 and 53 % on PublicTest (`data/runs/screening`, notebook 07).
CHOSEN = CANDIDATES["batch_128"]
REPORT = replace(report_recipe(CHOSEN.optimizer, CHOSEN.batch_size), late=LATE_EPOCHS)
REPORT_RECIPES = _with_quick(REPORT, width=0.25, epochs=REPORT_EPOCHS)
# On the way from it to the course's: the rate falls to zero within the course's number of epochs. The last epoch is
# judged beside the best one, so that one training tells what either choice gives.
FALLING_RECIPES = _with_quick(
    replace(REPORT, epochs=RECIPES["full"].epochs, schedule="cosine", keep="best", late=1), width=0.25, epochs=8
)


def _report_like(row, title, model, augmentation):
    return Experiment(f"report_{row}", f"{title}, report-like", model, augmentation, recipes=REPORT_RECIPES)


def _between(model, title, step, augmentation):
    return Experiment(f"between_{model}_{step}", title, model, augmentation, recipes=FALLING_RECIPES)


def _long(name, title, augmentation, model="deep_residual", recipes=LONG_RECIPES, **options):
    """All faces are changed in one resampling: three one after the other are slow on a GPU under JAX."""
    return Experiment(name, title, model, augmentation, recipes=recipes, views=10, **options)


def _equal(family, title):
    """One recipe for all families of `models/families.py`, that of `fast`, so that none of them was tuned."""
    recipes = _with_quick(FAST, width=QUICK_WIDTHS[family], epochs=8)
    return Experiment(f"equal_{family}", f"{title} at equal cost", family, "flip", recipes=recipes)


EXPERIMENTS = {
    experiment.name: experiment
    for experiment in (
        Experiment("lenet_like", "LeNet-like", "lenet_like", augmentation="none"),
        Experiment("lenet_like_augmented", "LeNet-like + augmentation", "lenet_like", augmentation="mild"),
        Experiment("vgg_like", "VGG-like", "vgg_like", augmentation="mild"),
        Experiment("resnet_like", "ResNet-like", "resnet_like", augmentation="mild"),
        # The same four rows with a recipe like the report's own, and what lies between this and the course's.
        _report_like("lenet_like", "LeNet-like", "lenet_like", "none"),
        _report_like("lenet_like_augmented", "LeNet-like + augmentation", "lenet_like", CHOSEN.augmentation),
        _report_like("vgg_like", "VGG-like", "vgg_like", CHOSEN.augmentation),
        _report_like("resnet_like", "ResNet-like", "resnet_like", CHOSEN.augmentation),
        _between("lenet_like", "LeNet-like, rate to zero", "falling", CHOSEN.augmentation),
        _between("lenet_like", "LeNet-like, mild augmentation", "mild", "mild"),
        _between("vgg_like", "VGG-like, rate to zero", "falling", CHOSEN.augmentation),
        _between("vgg_like", "VGG-like, mild augmentation", "mild", "mild"),
        # "the stride is 2" (§4), understood of the convolutions: the other interpretation of the same four rows.
        Experiment("lenet_like_stride2", "LeNet-like, stride 2", "lenet_like", "none", 2),
        Experiment("lenet_like_augmented_stride2", "LeNet-like + augmentation, stride 2", "lenet_like", "mild", 2),
        Experiment("vgg_like_stride2", "VGG-like, stride 2", "vgg_like", "mild", 2),
        Experiment("resnet_like_stride2", "ResNet-like, stride 2", "resnet_like", "mild", 2),
        Experiment("fast", "Fast", "fast", "flip", recipes=FAST_RECIPES),
        # The same in float32: by the two, notebook 08 tells what half the bits cost.
        Experiment("fast_float32", "Fast, float32", "fast", "flip", recipes=FAST_RECIPES, precision="float32"),
        Experiment("best", "Best", "deep_residual", "strong", recipes=BEST_RECIPES, views=10),
        _long("best_long", "Best, 90 epochs", "affine"),
        _long("best_gentle", "Best, 90 epochs, gentler", "small_erased"),
        _long("best_squeezed", "Best, 90 epochs, squeezed", "affine", model="deep_squeezed"),
        _long("best_mixed", "Best, 90 epochs, harder", "wide", recipes=MIXED_RECIPES),
        _long("best_straight", "Best, 90 epochs, straight", "small_affine", recipes=STRAIGHT_RECIPES),
        _long("best_both", "Best, both splits", "wide", recipes=MIXED_RECIPES, learns_from="Training + PublicTest"),
        # Taught by three of the best: a network of their own size, and what `fast` keeps of them at its own cost.
        _long("best_taught", "Best, 90 epochs, taught", "wide", recipes=TAUGHT_RECIPES, teacher="best_mixed"),
        Experiment("fast_taught", "Fast, taught", "fast", "flip", recipes=FAST_RECIPES, teacher="best_mixed"),
        # The seven families at one cost (notebook 09).
        _equal("alexnet", "AlexNet"),
        _equal("vgg", "VGG"),
        _equal("inception", "Inception"),
        _equal("resnet", "ResNet"),
        _equal("densenet", "DenseNet"),
        _equal("mobilenet", "MobileNet"),
        _equal("efficientnet", "EfficientNet"),
        # What each part of `best` gives: all of them, then one left out or replaced.
        Experiment("small_best", "All parts", "fast", "strong", recipes=_small()),
        Experiment("small_no_erasing", "Without erasing", "fast", "shift", recipes=_small()),
        Experiment("small_no_shift", "Without erasing and shift", "fast", "mild", recipes=_small()),
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
        Experiment("small_affine", "One resampling", "fast", "affine", recipes=_small()),
        Experiment("small_mixup", "With mixup", "fast", "strong", recipes=_small(mixup=0.2)),
    )
}  # fmt: skip
# The rows of the report's Table 1, and the same rows with "the stride is 2" understood of the convolutions.
ROWS = "lenet_like", "lenet_like_augmented", "vgg_like", "resnet_like"
STRIDE_2_ROWS = tuple(f"{name}_stride2" for name in ROWS)
REPORT_ROWS = tuple(f"report_{name}" for name in ROWS)
BETWEEN_ROWS = tuple(name for name in EXPERIMENTS if name.startswith("between_"))
# No row of the report: at least as accurate as its best, in a fraction of the time.
FAST_ROWS = "fast", "fast_float32"
# The most accurate network that the course trains, and the same trained for longer.
BEST_ROWS = "best", "best_long", "best_gentle", "best_squeezed", "best_mixed", "best_straight", "best_both"
# Of these the one that is right most often on PublicTest, by its mean over the seeds.
STRONGEST = "best_straight"
# Among neither: their teachers have to be trained first, which costs more than the best may.
TAUGHT_ROWS = "best_taught", "fast_taught"
# Seven families at the cost of the baseline (notebook 09), and what each part of `best` gives (notebook 10).
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
