"""The search for the strongest network's recipe as a table: what was tried, means over seeds, the best first."""

import numpy as np

from fer_utils.report.recorded import load_recorded
from fer_utils.report.searched import load_search, tabulate_best, tabulate_search
from fer_utils.training.experiments import BEST_ROWS, EXPERIMENTS, STRONGEST
from fer_utils.training.facts import save_facts
from fer_utils.training.search import SEARCH, SEARCH_FOLDER, search_training
from small_records import record_full_run


def write_search(folder, change, seed, one, ten):
    name = search_training(change, seed).name
    (folder / SEARCH_FOLDER).mkdir(exist_ok=True)
    facts = {"identity": {"experiment": name}, "history": {"accuracy": [0.1, 0.8]}, "views": {"1": one, "10": ten}}
    save_facts(facts, folder / SEARCH_FOLDER / f"{name}.json")


def test_changes_stand_by_their_mean_over_seeds_with_their_reasons(tmp_path, capsys):
    write_search(tmp_path, "affine", 100, 0.60, 0.62)
    write_search(tmp_path, "affine", 101, 0.62, 0.66)
    write_search(tmp_path, "mixup", 100, 0.61, 0.65)
    (tmp_path / SEARCH_FOLDER / "sgd_100.json").write_text("{", encoding="utf-8")
    table = tabulate_search(load_search(tmp_path))
    assert list(table.index) == ["mixup", "affine"] and list(table["seeds"]) == ["1", "2"]
    assert list(table["one view"]) == ["61.0 %", "61.0 %"] and list(table["ten views"]) == ["65.0 %", "64.0 %"]
    assert list(table["training"]) == ["80.0 %"] * 2 and table.loc["mixup", "why"] == SEARCH["mixup"].reason
    assert "left out: " in capsys.readouterr().out, "the damaged file is named"


def test_a_search_without_a_run_is_a_table_without_rows(tmp_path):
    assert load_search(tmp_path) == {} and len(tabulate_search({})) == 0


def test_what_is_recorded_is_of_the_search_s_changes():
    assert set(load_search()) <= set(SEARCH) and "affine" in load_search()


def test_a_recipe_that_has_learned_from_publictest_has_no_numbers_of_it(tmp_path):
    history = {"accuracy": [0.5, 0.9], "loss": [1.0, 0.5], "val_accuracy": [0.6, 0.7], "val_loss": [1.2, 0.8]}
    for name, seed in (("best_mixed", 0), ("best_mixed", 1), ("best_both", 0)):
        record_full_run(tmp_path, name, seed, history=history)
    table = tabulate_best(load_recorded(folder=tmp_path))
    mixed, both = (table.loc[EXPERIMENTS[name].title] for name in ("best_mixed", "best_both"))
    assert (mixed["training"], mixed["PublicTest, loss"], mixed["PublicTest, 10 views"]) == ("90.0 %", "0.80", "50.0 %")
    assert set(both[["PublicTest, loss", "PublicTest, 10 views"]]) == {"learned"} and both["training"] == "90.0 %"
    assert list(table["seeds"]) == ["2", "1"]


def test_the_strongest_is_the_recipe_that_publictest_says():
    recorded = load_recorded(*BEST_ROWS)
    means = {
        name: np.mean([run.validation_accuracy for run in runs])
        for name, runs in recorded.items()
        if runs and EXPERIMENTS[name].learns_from == "Training"
    }
    assert max(means, key=means.get) == STRONGEST
