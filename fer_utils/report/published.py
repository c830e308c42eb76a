"""Holds the numbers of others: the 2020 report's, and published accuracies on FER2013."""

from typing import NamedTuple

# Table 1: test accuracy in percent.
TABLE_1 = {"lenet_like": 51, "lenet_like_augmented": 53, "vgg_like": 56, "resnet_like": 58}
# §5.1: the baseline's training accuracy "arises to 80 percent very quickly".
BASELINE_TRAINING_ACCURACY = 80
# §5.2: depth gains 3 to 4 points of validation accuracy. §5.3: shortcuts gain "more than 2 percent".
GAIN_OF_DEPTH = (3, 4)
GAIN_OF_SHORTCUTS = 2


class Record(NamedTuple):
    """A published accuracy on FER2013: on which images, by which images the model was chosen, from which other data."""

    name: str
    accuracy: str
    split: str
    chosen_on: str
    extra_data: str
    training_cost: float | None = None  # multiply-adds


# Public as of 2026. "chosen on" is what decided which epoch or which model is reported.
RECORDS = (
    Record("people (Goodfellow et al. 2013)", "65 ± 5 %", "–", "–", "–"),
    Record("winner of the challenge (Tang 2013)", "71.2 %", "PrivateTest", "PublicTest", "none"),
    Record("8 networks together (Pramerdorfer and Kampel 2016)", "75.2 %", "PrivateTest", "not known", "none"),
    Record(
        "mini_XCEPTION, flipped view (oarriaga/face_classification)",
        "66.9 %", "PrivateTest", "both splits", "none", 9e13,
    ),
    Record(
        "VGG19, ten crops (WuJie1010/Facial-Expression-Recognition.Pytorch)",
        "73.1 %", "PrivateTest", "PrivateTest itself", "none", 1.45e16,
    ),
    Record("VGG, ten crops (usef-kh/fer)", "73.3 %", "PublicTest", "PrivateTest", "none", 9e16),
    Record("ResNet18, ten crops (LetheSec)", "73.7 %", "PrivateTest", "PrivateTest itself", "none"),
    Record("Residual Masking Network (Pham et al. 2021)", "74.1 %", "PrivateTest", "not known", "ImageNet", 9.4e16),
    Record("EmoNeXt (El Boudouri and Bohi 2023)", "76.1 %", "PrivateTest", "PublicTest", "ImageNet-22k"),
)  # fmt: skip
# Notebook 10: what a recipe is to reach on PrivateTest, as the mean of three seeds and with at most five networks
# together, each for at most a tenth of the multiply-adds that training the VGG19 among the records takes.
TARGETS = {"alone": 0.73, "together": 0.752}
VGG19 = next(record for record in RECORDS if record.name.startswith("VGG19"))
