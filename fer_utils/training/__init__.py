"""The table of experiments, the training, and the runs that it leaves behind."""

from fer_utils.training.build import NETWORKS, build_network, load_network
from fer_utils.training.compiling import compile_network
from fer_utils.training.experiments import (
    ABLATION_ROWS,
    BEST_ROWS,
    BETWEEN_ROWS,
    CANDIDATES,
    CHOSEN,
    EQUAL_ROWS,
    EXPERIMENTS,
    FAST_ROWS,
    LATE_EPOCHS,
    RECIPES,
    REPORT_ROWS,
    ROWS,
    STRIDE_2_ROWS,
    STRONGEST,
    TAUGHT_ROWS,
    find_experiment,
    find_recipe,
)
from fer_utils.training.facts import FactsError, find_known, load_facts, require_facts, save_facts
from fer_utils.training.grid import list_tasks, reproduce
from fer_utils.training.learned import lesson_of_labels
from fer_utils.training.loop import BAR, fit_one_epoch, train, training_cost
from fer_utils.training.origin import find_commit, list_versions
from fer_utils.training.recipes import Experiment, Recipe, find_difference
from fer_utils.training.runs import WEIGHTS, Run, RunError, list_runs, load_run
from fer_utils.training.screening import list_candidate_trainings, name_candidate_training, screen_candidates
from fer_utils.training.search import SEARCH, SEARCH_FOLDER, SEARCH_SEEDS, search_recipes, search_training
from fer_utils.training.store import store_folder

__all__ = [
    "ABLATION_ROWS",
    "BAR",
    "BEST_ROWS",
    "BETWEEN_ROWS",
    "CANDIDATES",
    "CHOSEN",
    "EQUAL_ROWS",
    "EXPERIMENTS",
    "Experiment",
    "FAST_ROWS",
    "FactsError",
    "LATE_EPOCHS",
    "NETWORKS",
    "RECIPES",
    "REPORT_ROWS",
    "ROWS",
    "Recipe",
    "Run",
    "RunError",
    "SEARCH",
    "SEARCH_FOLDER",
    "SEARCH_SEEDS",
    "STRIDE_2_ROWS",
    "STRONGEST",
    "TAUGHT_ROWS",
    "WEIGHTS",
    "build_network",
    "compile_network",
    "find_commit",
    "find_difference",
    "find_experiment",
    "find_known",
    "find_recipe",
    "fit_one_epoch",
    "lesson_of_labels",
    "list_candidate_trainings",
    "list_runs",
    "list_tasks",
    "list_versions",
    "load_facts",
    "load_network",
    "load_run",
    "name_candidate_training",
    "reproduce",
    "require_facts",
    "save_facts",
    "screen_candidates",
    "search_recipes",
    "search_training",
    "store_folder",
    "train",
    "training_cost",
]
