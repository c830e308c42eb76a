"""Checks of the exercises: each takes a learner's answer and returns a `Verdict` in words; a module per notebook."""

from fer_utils.exercises.checking import Verdict
from fer_utils.exercises.n01 import check_added_units, check_honest_accuracy, check_nearest_mean
from fer_utils.exercises.n02 import check_memorise, check_precision, check_stop_epoch
from fer_utils.exercises.n03 import check_mirrored, check_own_augmentation, check_two_views
from fer_utils.exercises.n04 import check_far_sighted, check_stacked_weights, check_strided_field
from fer_utils.exercises.n05 import check_epochs_to_reach, check_free_block, check_start
from fer_utils.exercises.n06 import check_new_output, check_patch_width, check_pick_middle
from fer_utils.exercises.n07 import check_faces_needed, check_mixing_rows, check_no_worse_rule
from fer_utils.exercises.n08 import check_choices, check_least_seconds, check_time_median
from fer_utils.exercises.n09 import check_half_cost_width, check_separable_cost
from fer_utils.exercises.n10 import check_luck_of_the_best, check_mean_of_networks, check_training_cost
from fer_utils.exercises.n11 import check_calibration_error, check_ceiling, check_drop
from fer_utils.exercises.n12 import check_grey_levels, check_sureness, check_wider_square

__all__ = [
    "Verdict",
    "check_added_units",
    "check_calibration_error",
    "check_ceiling",
    "check_choices",
    "check_drop",
    "check_epochs_to_reach",
    "check_faces_needed",
    "check_far_sighted",
    "check_free_block",
    "check_grey_levels",
    "check_half_cost_width",
    "check_honest_accuracy",
    "check_least_seconds",
    "check_luck_of_the_best",
    "check_mean_of_networks",
    "check_memorise",
    "check_mirrored",
    "check_mixing_rows",
    "check_nearest_mean",
    "check_new_output",
    "check_no_worse_rule",
    "check_own_augmentation",
    "check_patch_width",
    "check_pick_middle",
    "check_precision",
    "check_separable_cost",
    "check_stacked_weights",
    "check_start",
    "check_stop_epoch",
    "check_strided_field",
    "check_sureness",
    "check_time_median",
    "check_training_cost",
    "check_two_views",
    "check_wider_square",
]
