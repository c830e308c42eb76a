"""The command: its options, messages and exit statuses. The runner itself is tested in test_notebooks.py."""

import errno
import json
import os
import subprocess
import sys
from types import SimpleNamespace

import nbformat
import pandas as pd
import pytest
from test_notebooks import write_notebook
from test_rehearse import show_all
from typer.testing import CliRunner

from fer_course import cli, heads, predict, rehearse
from fer_utils.data.fer2013 import FaceDataError
from small_fer2013 import make_npz


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A course of two tiny notebooks, the second of which fails, and a `load_faces` that only notes its calls."""
    for name in ("FER_DATA", "FER_PROFILE", "FER_RUNS"):
        monkeypatch.setenv(name, os.environ[name])  # so that what the command sets is taken back
    loads = []
    monkeypatch.setattr("fer_utils.data.load_faces", lambda: loads.append(dict(os.environ)))
    monkeypatch.setattr(cli, "NOTEBOOKS", tmp_path / "notebooks")
    monkeypatch.setattr(cli, "BUILD", tmp_path / "build")
    (tmp_path / "notebooks").mkdir()
    report = "import os\nprint(*(os.environ[name] for name in ('FER_DATA', 'FER_PROFILE', 'FER_PROGRESS')))"
    write_notebook(tmp_path / "notebooks" / "01_good.ipynb", report)
    write_notebook(tmp_path / "notebooks" / "02_bad.ipynb", "nonsense")
    return SimpleNamespace(folder=tmp_path, loads=loads)


def invoke(*arguments):
    result = CliRunner().invoke(cli.app, [str(argument) for argument in arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


@pytest.mark.slow
def test_run_ends_with_a_table_and_exit_status_1(course):
    result = invoke("run")
    assert result.exit_code == 1
    table = result.output.split("verdict\n")[1]
    (good, minutes, *of_good), (bad, _, *of_bad) = (line.split() for line in table.splitlines()[:2])
    assert (good, of_good) == ("01_good", ["1", "ok"]) and float(minutes) < 1
    assert (bad, of_bad) == ("02_bad", ["1", "failed", "at", "cell", "1", "of", "1"])
    assert "NameError" in result.output
    assert (course.folder / "build" / "html" / "index.html").exists()


def test_run_only_hands_on_profile_and_absolute_data(course, monkeypatch):
    (course.folder / "faces").mkdir()
    monkeypatch.chdir(course.folder)
    result = invoke("run", "--only", "01", "--data", "faces", "--profile", "full")
    assert result.exit_code == 0 and "02_bad" not in result.output
    page = (course.folder / "build" / "html" / "01_good.html").read_text(encoding="utf-8")
    assert f"{course.folder / 'faces'} full 0" in page
    assert course.loads[0]["FER_DATA"] == str(course.folder / "faces")


def test_run_says_what_is_wrong_before_anything_runs(course, monkeypatch):
    monkeypatch.setattr("fer_course.notebooks.run_notebooks", lambda *arguments: pytest.fail("it ran"))
    result = invoke("run", "--only", "9")
    assert result.exit_code == 1 and "there are: 01_good, 02_bad" in result.output

    def refuse():
        raise FaceDataError(f"{os.path.basename(os.environ['FER_DATA'])} is not there")

    monkeypatch.setattr("fer_utils.data.load_faces", refuse)
    result = invoke("run", "--data", course.folder / "no.csv")
    assert result.exit_code == 1 and "error: no.csv is not there" in result.output
    assert invoke("run", "--profile", "slow").exit_code == 2


@pytest.mark.slow
def test_store_fixes_the_settings_and_fails_with_a_notebook(course, monkeypatch):
    monkeypatch.setenv("FER_DATA", "elsewhere")
    before = (course.folder / "notebooks" / "02_bad.ipynb").read_bytes()
    result = invoke("store")
    assert result.exit_code == 1 and "failed at cell 1 of 1" in result.output
    assert "drawn quick 0" in (course.folder / "notebooks" / "01_good.ipynb").read_text(encoding="utf-8")
    assert (course.folder / "notebooks" / "02_bad.ipynb").read_bytes() == before
    assert invoke("store", "--only", "01").exit_code == 0


@pytest.mark.slow
@pytest.mark.parametrize("options", [(), ("--only", "01")], ids=["all", "only"])
def test_store_times_the_notebooks_only_all_together(course, monkeypatch, options):
    write_notebook(course.folder / "notebooks" / "02_bad.ipynb", "'good now'")
    monkeypatch.setattr("fer_utils.device.name_device", lambda: "CPU, 99 cores")
    page = course.folder / "instructor.md"
    page.write_text("".join(heads.MINUTES_MARKS), encoding="utf-8")
    monkeypatch.setattr("fer_course.readme.INSTRUCTOR", page)
    assert invoke("store", *options).exit_code == 0
    assert ("| 01_good | 0.5 |" in page.read_text(encoding="utf-8")) is (not options)
    title = nbformat.read(course.folder / "notebooks" / "01_good.ipynb", as_version=4).cells[0].source
    assert "Reading: 1 minute." in title and ("on CPU, 99 cores" in title) is (not options)


def test_badges_names_what_it_changed_or_says_what_is_wrong(course, monkeypatch):
    monkeypatch.setattr(cli, "PROJECT", course.folder)
    (course.folder / "pyproject.toml").write_text("[project]\n\n[project.scripts]\n", encoding="utf-8")
    (course.folder / "README.md").write_text("".join(heads.BADGES_MARKS), encoding="utf-8")
    assert "01_good.ipynb has no set-up cell" in invoke("badges", "ada/faces").output
    for name in ("01_good", "02_bad"):
        write_notebook(course.folder / "notebooks" / f"{name}.ipynb", heads.setup_source(""))
    result = invoke("badges", "ada/faces")
    assert result.exit_code == 0 and "changed: pyproject.toml" in result.output, result.output
    assert "4 files changed for ada/faces" in result.output
    assert "0 files changed" in invoke("badges", "ada/faces").output
    result = invoke("badges", "faces")
    assert result.exit_code == 1 and "error: 'faces' is no GitHub repository" in result.output


@pytest.mark.slow
def test_store_takes_the_solutions_along(course):
    solution = course.folder / "notebooks" / "solutions" / "01_good.ipynb"
    solution.parent.mkdir()
    write_notebook(solution, "print(6 * 7)")
    result = invoke("store", "--only", "01")
    assert result.exit_code == 0 and "solutions/01_good: 1 cells" in result.output
    assert "42" in solution.read_text(encoding="utf-8")
    assert "solutions/01" not in invoke("run", "--only", "01").output


def test_lint_prints_what_it_finds_in_the_notebooks(course):
    result = invoke("lint")
    lines = result.output.splitlines()
    assert result.exit_code == 1 and all(": found " in line and "; expected " in line for line in lines)
    assert {line.split(",")[0].split(":")[0] for line in lines} >= {"01_good.ipynb", "02_bad.ipynb"}
    result = invoke("lint", course.folder / "notebooks" / "02_bad.ipynb")
    assert result.exit_code == 1 and result.output and "01_good" not in result.output
    assert invoke("lint", course.folder / "notebooks" / "03_gone.ipynb").exit_code == 2
    (course.folder / "empty").mkdir()
    result = invoke("lint", course.folder / "empty")
    assert result.exit_code == 1 and "error: there is no notebook" in result.output


@pytest.mark.slow
def test_lint_finds_nothing_in_the_course():
    files = [*cli.NOTEBOOKS.glob("*.ipynb"), *cli.NOTEBOOKS.glob("solutions/*.ipynb")]
    result = invoke("lint")
    assert (result.exit_code, result.output) == (0, f"{len(files)} notebooks: nothing found\n")


def test_train_prints_the_run(course, monkeypatch):
    calls = []
    run = SimpleNamespace(
        experiment="lenet_like", seed=3, profile="quick", dataset="drawn faces", history={"loss": [1, 2]}
    )
    vars(run).update(best_epoch=2, seconds=90.0, device="CPU", validation_accuracy=0.25, test_accuracy=0.5)

    def train(*arguments, **options):
        calls.append((arguments, options))
        return run

    monkeypatch.setattr("fer_utils.training.train", train)
    result = invoke("train", "lenet_like", "--seed", "3", "--retrain")
    assert result.exit_code == 0 and "test accuracy: 50.0%" in result.output and "1.5 min" in result.output
    assert calls[0][0][0] == "lenet_like" and calls[0][1] == {"seed": 3, "retrain": True}


@pytest.mark.parametrize("seed", [-1, 2**32])
def test_a_seed_that_is_none_is_said_in_one_line(course, seed):
    result = invoke("train", "lenet_like", "--seed", seed)
    assert result.exit_code == 1
    assert result.output.splitlines() == [f"error: the seed is {seed}; expected a whole number from 0 to {2**32 - 1}"]


def test_train_lists_the_experiments(course):
    result = invoke("train", "alexnet")
    assert result.exit_code == 1 and "lenet_like, lenet_like_augmented" in result.output
    assert not course.loads


def test_rehearse_is_on_the_drawn_faces_in_the_quick_profile_and_writes_the_page(course, monkeypatch):
    seen = {}
    page = course.folder / "instructor.md"
    page.write_text("".join(rehearse.MARKS), encoding="utf-8")

    def train_them(faces, seeds, show):
        seen.update(seeds=seeds, data=os.environ["FER_DATA"], profile=os.environ["FER_PROFILE"])
        return {"seeds": [show_all()]}

    monkeypatch.setenv("FER_PROFILE", "full")
    monkeypatch.setattr(rehearse, "rehearse", train_them)
    monkeypatch.setattr("fer_course.readme.INSTRUCTOR", page)
    result = invoke("rehearse", "--seeds", "4")
    assert result.exit_code == 0
    assert seen == {"seeds": 4, "data": "drawn", "profile": "quick"}
    assert "1 of 1 seeds" in result.output and "1 of 1 seeds" in page.read_text(encoding="utf-8")
    assert invoke("rehearse", "--seeds", "1").exit_code == 2


@pytest.mark.parametrize("command", ["reproduce", "search"])
def test_a_long_training_needs_fer2013_unless_told_otherwise(course, monkeypatch, command):
    monkeypatch.delenv("FER_DATA", raising=False)
    monkeypatch.setattr("fer_utils.data.load_faces", lambda: SimpleNamespace(name="drawn faces", fingerprint="0"))
    result = invoke(command)
    assert result.exit_code == 1 and "FER2013 is not in data/" in result.output and "--data drawn" in result.output


def test_reproduce_hands_on_the_grid_and_prints_the_runs(course, monkeypatch):
    calls = []
    run = SimpleNamespace(experiment="vgg_like", seed=1, test_accuracy=0.5, seconds=90.0, device="CPU")

    def reproduce(faces, tasks, scheduler, show):
        calls.append((tasks, scheduler, os.environ["FER_PROFILE"]))
        return [run]

    monkeypatch.setattr("fer_utils.training.reproduce", reproduce)
    monkeypatch.setattr(
        "fer_utils.data.load_faces", lambda: SimpleNamespace(name="drawn faces", fingerprint="0123456789abcdef")
    )
    options = ("--experiment", "vgg_like", "--seeds", "2", "--data", "drawn", "--scheduler", "tcp://127.0.0.1:1")
    result = invoke("reproduce", *options)
    assert result.exit_code == 0, result.output
    assert "vgg_like, seed 1: test accuracy 50.0%, 1.5 min on CPU" in result.output
    assert calls == [([("vgg_like", 0), ("vgg_like", 1)], "tcp://127.0.0.1:1", "full")]
    assert "there is no experiment 'alexnet'" in invoke("reproduce", "--experiment", "alexnet", *options[4:]).output
    assert invoke("reproduce", "--seeds", "0").exit_code == 2


@pytest.mark.parametrize(
    ("profile", "recorded"), [("full", ["candidates", "test set", "layers", "mistakes", "photos"]), ("quick", [])]
)
def test_reproduce_records_what_notebooks_show_of_fer2013(course, monkeypatch, profile, recorded):
    from fer_utils.data.load import FER2013_FINGERPRINT

    calls = []
    faces = SimpleNamespace(name="FER2013", fingerprint=FER2013_FINGERPRINT)
    monkeypatch.setattr("fer_utils.data.load_faces", lambda: faces)
    monkeypatch.setattr("fer_utils.training.reproduce", lambda *_: [])
    monkeypatch.setattr("fer_course.record.record_test_set", lambda faces: calls.append("test set"))
    monkeypatch.setattr("fer_course.record.record_mistakes", lambda faces: calls.append("mistakes"))
    monkeypatch.setattr("fer_course.record_layers.record_layers", lambda faces: calls.append("layers"))
    monkeypatch.setattr("fer_course.record_photos.record_photos", lambda faces: calls.append("photos"))
    monkeypatch.setattr("fer_utils.training.screen_candidates", lambda *_: calls.append("candidates"))
    assert invoke("reproduce", "--profile", profile).exit_code == 0
    assert calls == recorded


def test_results_prints_the_table_and_writes_the_readme(tmp_path, monkeypatch):
    from fer_course import readme
    from fer_utils import report

    first, path = tmp_path / "README.md", tmp_path / "results.md"
    monkeypatch.setattr(readme, "README", first)
    monkeypatch.setattr(readme, "RESULTS", path)
    first.write_text("".join(readme.SUMMARY_MARKS), encoding="utf-8")
    monkeypatch.setattr(report, "load_recorded", dict)
    assert invoke("results").output == "no runs yet\n"
    path.write_text("".join(readme.RESULTS_MARKS + readme.RECORDS_MARKS), encoding="utf-8")
    monkeypatch.setattr(report, "tabulate_records", lambda recorded, facts: pd.DataFrame())
    monkeypatch.setattr(
        report, "tabulate_results", lambda recorded: pd.DataFrame({"network": ["x"]}).set_index("network")
    )
    monkeypatch.setattr(report, "load_recorded", lambda: {"x": ["run"]})
    result = invoke("results", "--readme")
    assert result.exit_code == 0 and "| x |" in result.output and "| x |" in path.read_text(encoding="utf-8")
    path.write_text("no marks", encoding="utf-8")
    assert "error: the page must hold" in invoke("results", "--readme").output


@pytest.mark.parametrize("quick", [True, False])
def test_benchmark_prints_and_stores_its_table(course, tmp_path, monkeypatch, quick):
    from fer_course import benchmark
    from fer_utils.report import Row, load_benchmark

    stored_at = tmp_path / "benchmark.json"
    monkeypatch.setattr(cli, "PROJECT", tmp_path)
    monkeypatch.setattr("fer_utils.report.BENCHMARK", stored_at)
    monkeypatch.setattr("fer_utils.data.load_faces", lambda: "faces")
    rows = [Row("reading", "cached", 0.5, "min", times=1.0, beside="x")]
    answer = {"device": "CPU, 2 cores", "precision": "float32", "rows": rows}
    monkeypatch.setattr(benchmark, "run_benchmark", lambda faces, quick: {**answer, "quick": quick})
    result = invoke("benchmark", *(["--quick"] if quick else []))
    assert result.exit_code == 0 and "| reading | cached | 0.5 min |" in result.output, result.output
    stored = load_benchmark(cli.BUILD / "benchmark_quick.json" if quick else stored_at)
    assert stored["quick"] is quick and stored["rows"] == rows


@pytest.fixture
def small_recorded(tmp_path, monkeypatch):
    """A network and a run in place of the recorded ones, and two photos in the working folder: one whole, one not."""
    from PIL import Image

    from fer_utils import photo
    from small_training import build_small_network, make_run

    run = make_run(experiment="vgg_like", dataset="FER2013")
    monkeypatch.setattr("fer_course.predict.find_run", lambda named: run)
    monkeypatch.setattr("fer_utils.training.load_network", lambda run: build_small_network(0.1))
    monkeypatch.setenv("FER_PROGRESS", "0")
    monkeypatch.chdir(tmp_path)
    Image.fromarray(photo.sample_photo("hard")[0]).save("whole.png")
    (tmp_path / "cut.jpg").write_bytes((tmp_path / "whole.png").read_bytes()[:9000])


def test_predict_goes_on_after_a_damaged_photo(small_recorded):
    result = invoke("predict", "cut.jpg", "whole.png", "none.jpg")
    assert result.exit_code == 1
    assert result.stdout.startswith("whole.png: 1 face\n1: ") and result.stdout.count("%") == 9
    assert "of FER2013's test answers this sure, 50% were right" in result.stdout
    assert result.stdout.endswith("not what the person feels.\n")
    lines = result.stderr.splitlines()
    assert [line.split(": ")[:2] for line in lines] == [["error", "cut.jpg"], ["error", "none.jpg"]]
    assert invoke("predict", "whole.png").exit_code == 0
    assert invoke("predict").exit_code == 2


def test_predict_writes_json_for_programs(small_recorded):
    result = invoke("predict", "whole.png", "cut.jpg", "--json")
    assert result.exit_code == 1 and "error: cut.jpg" in result.stderr
    found = json.loads(result.stdout)
    assert (found["network"], found["trained_on"]) == ("vgg_like", "FER2013") and "not what" in found["note"]
    whole, cut = found["photos"]
    (face,) = whole["faces"]
    assert (whole["photo"], whole["error"], cut["photo"], cut["faces"]) == ("whole.png", None, "cut.jpg", [])
    assert cut["error"].startswith("cut.jpg: found ")
    assert set(face["box"]) == {"left", "top", "side"} and abs(sum(face["probabilities"].values()) - 1) < 1e-3
    assert face["probabilities"][face["class"]] == face["probability"] == max(face["probabilities"].values())
    assert face["share_right"] == 0.5 and face["uncertain"] is True and face["certainty"].startswith("UNCERTAIN")


def test_predict_goes_through_a_folder_and_says_what_it_passes_over(small_recorded, tmp_path):
    (tmp_path / "notes.txt").write_text("emotion", encoding="utf-8")
    result = invoke("predict", tmp_path, "--csv", tmp_path / "answers.csv", "--whole", "--run", "vgg_like/0")
    assert result.exit_code == 1
    assert "whole.png: judged whole, as asked\n1: " in result.stdout
    lines = result.stderr.splitlines()
    assert lines[0].startswith("network: vgg_like, seed 0, trained on FER2013; how many such answers were right was ")
    assert lines[1] == "passed over 1 file that is no photo or video: notes.txt"
    assert lines[2].startswith("error: ") and "cut.jpg: found " in lines[2] and len(lines) == 3
    assert len(pd.read_csv(tmp_path / "answers.csv")) == 2


def test_answers_are_not_lost_with_a_csv_that_cannot_be_written(small_recorded, tmp_path):
    (tmp_path / "file").touch()
    result = invoke("predict", "whole.png", "--csv", tmp_path / "file" / "answers.csv")
    assert result.exit_code == 1 and "whole.png: " in result.stdout
    assert "the csv could not be written" in result.stderr


def test_what_is_left_out_of_the_recorded_runs_is_no_part_of_the_json(small_recorded, monkeypatch):
    found = predict.find_run(None)

    def find(_):
        print("left out: a damaged run")
        return found

    monkeypatch.setattr(predict, "find_run", find)
    result = invoke("predict", "whole.png", "--json")
    assert json.loads(result.stdout)["network"] == "vgg_like" and "left out" in result.stderr


@pytest.mark.parametrize("arguments", [("data", "check"), ("predict",), ("predict", "--run")])
def test_a_home_folder_of_nobody_is_a_path_like_any_other(small_recorded, arguments):
    result = invoke(*arguments, "~nobody_of_this_name/a.keras")
    assert result.exit_code in (1, 2) and "home directory" not in result.output and "RuntimeError" not in result.output


def test_an_empty_setting_is_none(course, monkeypatch):
    monkeypatch.setenv("FER_RUNS", "")
    cli._choose(None, None)
    assert os.environ["FER_RUNS"] == ""


@pytest.mark.skipif(os.name == "nt", reason="Windows knows no such names")
def test_predict_prints_no_control_characters(small_recorded, tmp_path):
    for name in ("whole.png", "cut.jpg"):
        (tmp_path / name).rename(tmp_path / f"\x1b[31m{name}")
    (tmp_path / "\x1b[2Jnotes.txt").write_text("emotion", encoding="utf-8")
    result = invoke("predict", ".", "\x1b[31mnone.jpg", "\x1b[31mwhole.png")
    assert result.stdout.count("[31mwhole.png: 1 face") == 2 and result.stderr.count("error: ") == 2
    assert "\x1b" not in result.stdout + result.stderr


def test_a_sign_for_the_home_folder_is_understood(small_recorded, course, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    monkeypatch.setenv("FER_RUNS", "~/runs")
    cli._choose("~/faces.csv", None)
    assert os.environ["FER_DATA"] == str(tmp_path / "faces.csv") and os.environ["FER_RUNS"] == str(tmp_path / "runs")
    invoke("predict", tmp_path / "whole.png", "--csv", "~/answers.csv")
    assert (tmp_path / "answers.csv").exists()


def test_a_training_below_the_home_folder_is_found(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    monkeypatch.setenv("FER_RUNS", "~/r")
    monkeypatch.setattr(predict, "load_run", lambda folder: folder)
    folder = tmp_path / "r" / "quick" / "vgg_like" / "seed-7"
    folder.mkdir(parents=True)
    (folder / "run.json").touch()
    assert predict.find_run("vgg_like/7") == folder


def test_predict_says_that_no_network_is_there(monkeypatch):
    monkeypatch.setattr("fer_course.predict.load_recorded", dict)
    result = invoke("predict", "whole.png", "--json")
    assert result.exit_code == 1 and result.stdout == "" and "error: no readable run has its weights" in result.stderr


def test_check_refuses_a_missing_file(tmp_path):
    result = invoke("data", "check", tmp_path / "fer2013.csv")
    assert result.exit_code == 1 and "error: " in result.output and "fer2013.csv" in result.output
    assert "Traceback" not in result.output


def test_what_the_system_refuses_is_said_in_a_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.npz").write_bytes(make_npz())
    (tmp_path / "folder.npz").mkdir()
    for arguments, words in (
        (("convert", "a.npz", "a.npz/b/o.npz"), "a.npz"),
        (("convert", "a.npz", "folder.npz"), "folder.npz: "),
        (("check", "x" * 300), "xxx...: "),
    ):
        result = invoke("data", *arguments)
        assert result.exit_code == 1 and result.stderr.startswith("error: ") and words in result.stderr
        assert result.stderr.count("\n") == 1


def test_a_full_disk_is_told_with_the_file_and_what_to_do(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.npz").write_bytes(make_npz())

    def write_to_a_full_disk(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("numpy.savez_compressed", write_to_a_full_disk)
    monkeypatch.setattr("numpy.savez", write_to_a_full_disk)
    result = invoke("data", "convert", "a.npz", "b.npz")
    assert result.exit_code == 1
    assert result.stderr == "error: b.npz: No space left on device; make room and give the same command again\n"
    assert [path.name for path in tmp_path.iterdir()] == ["a.npz"]


def test_main_says_what_the_system_refuses_in_a_line(monkeypatch, capsys):
    def refuse():
        raise PermissionError(13, "Permission denied", "/closed/a\n.keras")

    monkeypatch.setattr(cli, "app", refuse)
    monkeypatch.setattr(cli.signal, "signal", lambda *_: None)
    with pytest.raises(SystemExit, match="1"):
        cli.main()
    assert capsys.readouterr().err == "error: /closed/a\N{REPLACEMENT CHARACTER}.keras: Permission denied\n"


@pytest.mark.parametrize(("is_fer2013", "status"), [(True, 0), (False, 1)])
def test_check_prints_the_verdict(monkeypatch, is_fer2013, status):
    found = SimpleNamespace(verdict="as counted", is_fer2013=is_fer2013)
    monkeypatch.setattr("fer_utils.data.read_fer2013", lambda path: found)
    result = invoke("data", "check", "fer2013.csv")
    assert (result.exit_code, result.output) == (status, "as counted\n")


def test_check_knows_the_real_set(real_fer2013):
    result = invoke("data", "check", real_fer2013 / "fer2013.npz")
    assert result.exit_code == 0 and "FER2013" in result.output


def test_fetch(monkeypatch):
    monkeypatch.setattr("fer_utils.data.fetch_fer2013", lambda: "data/fer2013")
    result = invoke("data", "fetch")
    assert (result.exit_code, result.output) == (0, "FER2013 is in data/fer2013\n")

    def refuse():
        raise FaceDataError("kagglehub is not installed")

    monkeypatch.setattr("fer_utils.data.fetch_fer2013", refuse)
    result = invoke("data", "fetch")
    assert result.exit_code == 1 and "error: kagglehub is not installed" in result.output


def test_help_and_check_do_not_import_keras():
    script = (
        "import sys; from typer.testing import CliRunner; from fer_course.cli import app\n"
        "CliRunner().invoke(app, ['--help']); CliRunner().invoke(app, ['data', 'check', 'none.csv'])\n"
        "sys.exit('keras' in sys.modules or 'tensorflow' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script]).returncode == 0
