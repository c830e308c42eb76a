"""Says what an experiment and a recipe are, and whether a run is of them."""

from dataclasses import MISSING, asdict, dataclass, fields


@dataclass(frozen=True)
class Recipe:
    """How a network is trained; the course's own recipe, one per profile, is the same for all rows of Table 1.

    The report gives no optimiser, batch size or number of epochs. Here: Adam (Kingma and Ba 2015), whose rate falls to
    zero along half a cosine (Loshchilov and Hutter 2017). In the full profile it starts at Keras's own, in the quick
    one at twice that. Few epochs are enough then: the last ones no longer swing, and the baseline still has time to
    overfit. `train_images` limits the training images (None: all). The weights of the epoch with the best validation
    accuracy are kept.

    The other fields are not used by that recipe. These are decoupled weight decay (AdamW, Loshchilov and Hutter
    2019); the share of the steps in which the rate climbs from a tenth of `learning_rate` to it; dropout before the
    last layer (Srivastava et al. 2014); label smoothing (Szegedy et al. 2016); a `momentum` with which Nesterov's
    stochastic gradient descent replaces Adam (Sutskever et al. 2013); the decay per step of the weights' running mean,
    which is then judged and kept instead of the weights themselves (Polyak and Juditsky 1992); `mixup`, how much faces
    are mixed (`models.mix_pairs`); and the `interpolation` by which the augmentation turns, zooms and shifts them.

    The recipes like the report's own, with which the same rows are trained again, need five more: the `optimizer`
    ("adam" or "rmsprop", where `momentum` is 0), the `schedule` of its rate ("cosine" or "constant"), which weights are
    kept (`keep`: those of the "best" or of the "last" epoch), the momentum of the averages that batch normalisation
    keeps, and how many of the last epochs (`late`) are judged on the test images beside the weights kept, all together
    when the training is over.

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
    late: int = 0
    decays: str = "all"


@dataclass(frozen=True)
class Experiment:
    """What is trained: which network, with which augmentation, with which stride of its convolutions.

    `augmentation` is one of the names in `models/augmentation.py`; `recipes` maps profiles to recipes of its own;
    `precision` is a Keras dtype policy, or None for the one that suits the device; `views` is
    how many views of each image the finished network judges (`models.predict_views`). It `learns_from` "Training", or
    from "Training + PublicTest": then its validation accuracy is one on images that it has seen. With a `teacher`, the
    name of an experiment, it learns what that one's networks say of the images, and not their labels.
    """

    name: str
    title: str
    model: str
    augmentation: str
    conv_stride: int = 1
    recipes: dict[str, Recipe] | None = None
    precision: str | None = None
    views: int = 1
    learns_from: str = "Training"
    teacher: str | None = None


# What of an `Experiment` decides about numbers; a run records each under the same name.
DEFINITION = ("model", "augmentation", "conv_stride", "views", "learns_from", "teacher")


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
    return "; ".join([*_list_differences(found, expected), *list_recipe_differences(run.recipe, recipe)])


def list_recipe_differences(facts, recipe):
    """Returns such words on a recipe's recorded `facts` and a `Recipe`; a later setting had its default before."""
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
