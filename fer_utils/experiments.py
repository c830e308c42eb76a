"""The table of experiments: what is trained, in data; notebooks and the command name an experiment."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Experiment:
    """What is trained: which network, with or without augmentation, with which stride of its convolutions."""

    name: str
    title: str
    model: str
    augmentation: bool
    conv_stride: int = 1


@dataclass(frozen=True)
class Recipe:
    """How a network is trained; one recipe per profile, the same for every row, so that only one thing differs.

    The report gives no optimiser, batch size or number of epochs. Here: Adam (Kingma and Ba 2015), whose rate starts at
    Keras's own and falls to zero along half a cosine (Loshchilov and Hutter 2017). Few epochs are enough then: the
    last ones no longer swing, and the baseline still has time to overfit. `train_images` limits the training images
    (None: all). The weights of the epoch with the best validation accuracy are kept.
    """

    width: float
    epochs: int
    batch_size: int
    learning_rate: float
    train_images: int | None


RECIPES = {
    "quick": Recipe(width=0.25, epochs=8, batch_size=32, learning_rate=1e-3, train_images=2500),
    "full": Recipe(width=1.0, epochs=8, batch_size=64, learning_rate=1e-3, train_images=None),
}

EXPERIMENTS = {
    experiment.name: experiment
    for experiment in (
        Experiment("lenet_like", "LeNet-like", "lenet_like", augmentation=False),
        Experiment("lenet_like_augmented", "LeNet-like + augmentation", "lenet_like", augmentation=True),
        Experiment("vgg_like", "VGG-like", "vgg_like", augmentation=True),
        Experiment("resnet_like", "ResNet-like", "resnet_like", augmentation=True),
        # "the stride is 2" (§4), taken of the convolutions: the other reading of the same four rows.
        Experiment("lenet_like_stride2", "LeNet-like, stride 2", "lenet_like", False, 2),
        Experiment("lenet_like_augmented_stride2", "LeNet-like + augmentation, stride 2", "lenet_like", True, 2),
        Experiment("vgg_like_stride2", "VGG-like, stride 2", "vgg_like", True, 2),
        Experiment("resnet_like_stride2", "ResNet-like, stride 2", "resnet_like", True, 2),
    )
}

# The rows of the report's Table 1, and the same rows with "the stride is 2" taken of the convolutions.
ROWS = tuple(name for name, experiment in EXPERIMENTS.items() if experiment.conv_stride == 1)
STRIDE_2_ROWS = tuple(name for name in EXPERIMENTS if name not in ROWS)


def find_experiment(name):
    """The `Experiment` called `name`; a `ValueError` that lists the names there are."""
    if name not in EXPERIMENTS:
        raise ValueError(f"there is no experiment {name!r}; there are: {', '.join(EXPERIMENTS)}")
    return EXPERIMENTS[name]
