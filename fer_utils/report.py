"""The 2020 report's numbers, and the lines that set them beside ours."""

from fer_utils.evaluation import wilson_interval
from fer_utils.experiments import EXPERIMENTS

# Table 1: test accuracy in percent.
TABLE_1 = {"lenet_like": 51, "lenet_like_augmented": 53, "vgg_like": 56, "resnet_like": 58}
# §5.1: the baseline's training accuracy "arises to 80 percent very quickly".
BASELINE_TRAINING_ACCURACY = 80
# §5.2: depth gains 3 to 4 points of validation accuracy. §5.3: shortcuts gain "more than 2 percent".
GAIN_OF_DEPTH = (3, 4)
GAIN_OF_SHORTCUTS = 2


def describe_beside_report(run):
    """One honest line: a run's test accuracy with its 95 % interval beside the report's row (Table 1)."""
    n = len(run.test_correct)
    low, high = wilson_interval(run.test_correct.sum(), n)
    ours = f"{run.test_accuracy:.1%} ({low:.1%} to {high:.1%}, n = {n:,}, one seed, {run.dataset}, {run.profile})"
    return f"{EXPERIMENTS[run.experiment].title}: the report {TABLE_1[run.experiment]} %, here {ours}"
