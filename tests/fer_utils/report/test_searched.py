"""The search for the strongest network's recipe as a table: what was tried, means over seeds, the best first."""

from fer_utils.report.searched import load_search, tabulate_search
from fer_utils.training.facts import save_facts
from fer_utils.training.search import SEARCH, SEARCH_FOLDER, search_training


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
