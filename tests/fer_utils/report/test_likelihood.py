"""How likely the report's table was: every combination of single trainings is counted, seeds apart from epochs."""

import numpy as np
import pytest

from fer_utils.report.likelihood import EVENTS, count_tables, list_endings, tabulate_spread
from fer_utils.training.experiments import REPORT_ROWS, ROWS
from small_training import make_run

ORDER, STEPS, SHORTCUTS = EVENTS


def endings(*rows):
    return {row: np.array(levels, float) for row, levels in zip(ROWS, rows, strict=True)}


def test_the_report_s_own_table_has_its_order_and_steps_and_no_more_than_two_points_of_shortcuts():
    table = count_tables(endings([[51]], [[53]], [[56]], [[58]]))
    assert table["share"].to_dict() == {ORDER: 1, STEPS: 1, SHORTCUTS: 0}


def test_every_ending_is_combined_with_every_other():
    table = count_tables(endings([[51, 54]], [[53]], [[56]], [[58, 59, 55, 58.4]]))
    assert table["share"].to_dict() == pytest.approx({ORDER: 3 / 8, STEPS: 2 / 8, SHORTCUTS: 2 / 4})


def test_shares_range_over_the_choices_of_seeds_in_which_epochs_alone_vary():
    table = count_tables(endings([[51, 51], [60, 60]], [[53, 53]], [[56, 56]], [[58, 57]]))
    assert table.loc[ORDER].tolist() == pytest.approx([0.5, 0, 1])
    assert table.loc[STEPS].tolist() == pytest.approx([0.25, 0, 0.5])


def test_a_table_without_all_of_its_rows_is_refused():
    with pytest.raises(ValueError, match=f"endings of {ROWS[0]}, {ROWS[1]}; a table needs all of {', '.join(ROWS)}"):
        count_tables({row: np.array([[51.0]]) for row in ROWS[:2]})


def test_endings_are_the_last_epochs_of_each_seed_in_percent():
    late = np.array([[True, False], [True, True]])
    facts = {"late_correct": late, "correct": late[1], "recipe": {"keep": "last"}}
    runs = [make_run(**facts, history={"val_accuracy": [0.1, 0.2, 0.4]})] * 3
    recorded = {REPORT_ROWS[1]: runs}
    np.testing.assert_allclose(list_endings(recorded, "PrivateTest")[ROWS[1]], [[50, 100]] * 3)
    np.testing.assert_allclose(list_endings(recorded, "PublicTest")[ROWS[1]], [[20, 40]] * 3)


def test_the_spread_over_seeds_is_told_from_that_over_epochs():
    spread = tabulate_spread({"vgg_like": np.array([[50.0, 54], [54, 58]])}).loc["vgg_like"]
    assert spread.to_dict() == pytest.approx(
        {"mean": 54, "over seeds": np.std([52, 56], ddof=1), "over epochs": 2, "lowest": 50, "highest": 58}
    )
    assert np.isnan(tabulate_spread({"vgg_like": np.array([[50.0, 54]])}).loc["vgg_like", "over seeds"])
