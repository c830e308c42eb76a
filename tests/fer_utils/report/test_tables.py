"""The tables that the recorded runs are shown in, and the published records beside them."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from fer_utils.report import published, tables
from fer_utils.report.recorded import compare_with, load_recorded
from fer_utils.training.experiments import ABLATION_ROWS, EQUAL_ROWS, EXPERIMENTS, STRONGEST, find_recipe
from small_records import record_full_run, record_run
from small_training import make_run


def test_table_1_has_mean_deviation_interval_parameters_and_minutes(tmp_path):
    n = 3589
    right = [np.arange(n) < count for count in (1800, 1836)]
    for seed, correct in enumerate(right):
        record_run(tmp_path, "vgg_like", seed, correct=correct, seconds=600.0)
    table = tables.tabulate_results(load_recorded(folder=tmp_path))
    (row,) = table.reset_index().to_dict("records")
    mean, deviation = 100 * 1818 / n, 100 * np.std([1800 / n, 1836 / n], ddof=1)
    assert row["test accuracy"] == f"{mean:.1f} ± {deviation:.1f} %" and row["report"] == "56 %"
    low, high = (float(word) for word in row["95 % interval"].removesuffix(" %").split(" to "))
    assert low < mean < high and high - low == pytest.approx(2 * 98 / n**0.5, abs=0.3)
    assert (row["network"], row["seeds"], row["parameters"]) == ("VGG-like", "2", "1,767,207")
    assert row["minutes a run"] == "10, CPU, 2 cores" and "--experiment vgg_like" in row["command"]


def test_recorded_runs_as_a_line():
    runs = [make_run(experiment="vgg_like", seed=seed) for seed in (0, 1)]
    assert tables.describe_recorded(runs[:1]).startswith("VGG-like: the report 56 %, recorded 50.0 % (one seed) (38.")
    assert tables.describe_recorded(runs).endswith("n = 70, 2 seeds, drawn faces, quick)")
    assert tables.describe_recorded([]) == "no recorded run"


def test_the_shortcut_table_has_both_networks(tmp_path):
    for name in ("vgg_like", "resnet_like"):
        record_run(tmp_path, name)
    table = tables.tabulate_shortcuts(load_recorded(folder=tmp_path))
    assert list(table.index) == ["VGG-like", "ResNet-like"] and list(table["report, test"]) == ["56 %", "58 %"]
    assert list(table["test accuracy"]) == ["50.0 % (one seed)"] * 2


@pytest.mark.slow
def test_the_families_have_a_row_each_with_runs_or_without(tmp_path):
    for seed in (0, 1):
        record_full_run(tmp_path, "equal_vgg", seed, correct=np.arange(100) < 60 + 2 * seed, seconds=1e6)
    record_full_run(tmp_path, "equal_mobilenet", correct=np.arange(100) < 50)
    recorded = load_recorded(*EQUAL_ROWS, folder=tmp_path)
    table = tables.tabulate_equal_cost(recorded, {"equal_vgg": 158.4})
    assert list(table.index) == "AlexNet VGG Inception ResNet DenseNet MobileNet EfficientNet".split()
    assert table.loc["VGG", ["test accuracy", "seeds", "seconds of training"]].tolist() == ["61.0 ± 1.4 %", "2", "158"]
    assert table.loc["MobileNet", ["test accuracy", "seeds"]].tolist() == ["50.0 % (one seed)", "1"]
    assert table.loc["AlexNet", ["test accuracy", "95 % interval", "seeds"]].tolist() == [tables.NO_RUN, "", "0"]
    assert list(table["seconds of training"]) == ["", "158", *[""] * 5]
    assert table.loc["AlexNet", "parameters"] == "707,431" and table.loc["VGG", "multiply-adds"] == "22.7 million"
    assert tables.tabulate_equal_cost({}, {}).shape == table.shape


def test_each_part_is_compared_with_all_of_them(tmp_path):
    n = 3589
    for name, shares in (("small_best", (0.60, 0.61, 0.62)), ("small_sgd", (0.5,)), ("small_mean", (0.61, 0.62))):
        for seed, share in enumerate(shares):
            record_full_run(tmp_path, name, seed, correct=np.arange(n) < n * share)
    recorded = load_recorded(*ABLATION_ROWS, folder=tmp_path)
    table = tables.tabulate_ablation(recorded)
    assert list(table.index) == ["All parts", "SGD with momentum", "Mean of the weights"]
    assert list(table["seeds"]) == ["3", "1", "2"] and table["minus all parts"].iloc[0] == ""
    differences = compare_with("small_best", ABLATION_ROWS, recorded)
    assert list(differences) == ["small_sgd", "small_mean"]
    assert differences["small_sgd"].value == pytest.approx(-0.11, abs=1e-3) and differences["small_sgd"].high < 0
    assert not differences["small_mean"].clear
    assert table.loc["SGD with momentum", "minus all parts"] == differences["small_sgd"].in_points()
    assert table.loc["All parts", "validation accuracy"] == "61.0 %", "the mean over the seeds"


def test_without_all_parts_there_is_nothing_to_compare_with(tmp_path):
    record_full_run(tmp_path, "small_sgd")
    recorded = load_recorded(*ABLATION_ROWS, folder=tmp_path)
    assert compare_with("small_best", ABLATION_ROWS, recorded) == {}
    assert list(tables.tabulate_ablation(recorded)["minus all parts"]) == [""]
    assert tables.tabulate_ablation({}).empty


def test_without_runs_tables_are_empty(tmp_path):
    recorded = load_recorded(folder=tmp_path)
    assert tables.tabulate_results(recorded).empty and tables.tabulate_shortcuts(recorded).empty


# --- the published records ---


def test_ours_stand_among_the_published_by_accuracy_with_what_each_was_chosen_on(tmp_path):
    for seed in (0, 1):
        record_run(tmp_path, "vgg_like", seed, correct=np.arange(100) < 72)
        recipe = dataclasses.asdict(find_recipe(EXPERIMENTS["best"], "full"))
        record_run(tmp_path, "best", seed, correct=np.arange(100) < 74, recipe=recipe)
    facts = {"ensembles": {"best": {"seeds": 2, "accuracy": 0.755}, "vgg_like": {"seeds": 2, "accuracy": 0.75}}}
    table = tables.tabulate_records(load_recorded(folder=tmp_path), facts)
    numbers = [float(accuracy.split()[0]) for accuracy in table["accuracy"]]
    assert numbers == sorted(numbers)
    ours = table[table.index.str.endswith("(ours)")]
    assert list(ours.index) == ["VGG-like (ours)", "Best, 10 views (ours)", "2 × Best, 10 views together (ours)"]
    assert set(ours["chosen on"]) == {"PublicTest"} and set(ours["extra data"]) == {"none"}
    single, together = (float(ours["multiply-adds of training"].iloc[place]) for place in (1, 2))
    assert together == pytest.approx(2 * single, rel=0.01)
    assert "PrivateTest itself" in set(table["chosen on"]), "those chosen on the test images say so"


def test_the_longest_recipe_costs_at_most_a_tenth_of_the_record_s():
    of_vgg19 = next(record.training_cost for record in published.RECORDS if record.name.startswith("VGG19"))
    assert tables.multiply_adds_of_training("best") < tables.multiply_adds_of_training("best_long") < of_vgg19 / 10


def test_text_of_runs_is_text_in_a_page_too():
    table = pd.DataFrame({"device": ["<script>x</script> | [a](b)\nc"]}, index=pd.Index(["1"], name="row"))
    assert tables.as_markdown(table).splitlines()[-1] == r"| 1 | &lt;script&gt;x&lt;/script&gt; \| \[a](b) c |"


def test_what_leads_is_more_accurate_than_all_that_cost_no_more(tmp_path):
    record_run(tmp_path, "vgg_like", 0, correct=np.arange(100) < 72)
    record_run(tmp_path, "resnet_like", 0, correct=np.arange(100) < 71)
    record_run(tmp_path, "lenet_like", 0, correct=np.arange(100) < 60)
    table = tables.tabulate_costs(load_recorded(folder=tmp_path))
    assert list(table["multiply_adds"]) == sorted(table["multiply_adds"])
    ours = table[table["ours"]].set_index("network")
    assert list(ours["accuracy"]) == [0.6, 0.72, 0.71] and list(ours["leads"]) == [True, True, False]
    assert ours.loc["VGG-like", "multiply_adds"] == tables.multiply_adds_of_training("vgg_like")
    theirs = table[~table["ours"]].set_index("network")
    assert theirs["leads"].tolist() == [False, True, False], "dearer and worse; the VGG19; has seen other pictures"


def test_without_runs_only_the_published_have_a_cost():
    table = tables.tabulate_costs({"vgg_like": []})
    assert not table["ours"].any() and len(table) == 3


def test_an_answer_of_several_networks_and_views_costs_as_many_answers(tmp_path):
    record_full_run(tmp_path, "fast", 0, correct=np.arange(100) < 60)
    record_full_run(tmp_path, STRONGEST, 0, correct=np.arange(100) < 70)
    record_full_run(tmp_path, STRONGEST, 1, correct=np.arange(100) < 72)
    facts = {"ensembles": {STRONGEST: {"seeds": 2, "accuracy": 0.74}}}
    title = f"{EXPERIMENTS[STRONGEST].title}, 10 views"
    table = tables.tabulate_answers(load_recorded(folder=tmp_path), facts)
    assert list(table.index) == ["Fast", title, f"2 × {title}"]
    assert list(table["accuracy"]) == pytest.approx([0.6, 0.71, 0.74])
    fast, best, both = table.itertuples()
    assert (fast.networks, fast.views, best.networks, best.views, both.networks, both.views) == (1, 1, 1, 10, 2, 10)
    per_view = tables.multiply_adds_of_training(STRONGEST) / (3 * 28709 * 90)
    assert best.multiply_adds == 10 * per_view and both.multiply_adds == 2 * best.multiply_adds
    assert both.megabytes == 2 * best.megabytes and fast.megabytes < best.megabytes
    assert tables.tabulate_answers({"fast": []}).empty
