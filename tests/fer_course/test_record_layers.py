"""What layers hold of FER2013's faces: recorded once per network, by numbers alone."""

import dataclasses

import pytest

from fer_course import record_layers as module
from fer_course.record_layers import record_layers
from fer_utils.data.load import FER2013_FINGERPRINT
from fer_utils.models.of_report import vgg_like
from fer_utils.report.recorded import LAYERS, load_layers
from fer_utils.training.experiments import find_recipe
from fer_utils.training.runs import WEIGHTS
from small_records import record_run
from small_training import make_faces, make_split


@pytest.fixture
def faces(monkeypatch):
    """FER2013 that is noise, and networks that are built at once."""
    monkeypatch.setattr(module, "load_network", lambda run: vgg_like(0.1))
    monkeypatch.setattr(module, "N_KNOWN", 140)
    monkeypatch.setattr(module, "N_NEW", 30)
    return make_faces(fingerprint=FER2013_FINGERPRINT, train=make_split(140, 1))


def record_with_weights(folder, experiment, **changes):
    recipe = dataclasses.asdict(find_recipe(experiment, "full"))
    run = record_run(folder, experiment, recipe=recipe, **changes)
    (run.folder / WEIGHTS).touch()


@pytest.mark.slow
def test_a_network_per_recipe_is_read_once(faces, tmp_path, capsys, monkeypatch):
    record_with_weights(tmp_path, "vgg_like")
    found = record_layers(faces, tmp_path)
    assert list(found) == ["vgg_like"] and "report_vgg_like has its weights" in capsys.readouterr().out
    assert [layer["name"] for layer in found["vgg_like"]["layers"]] == list(module.LAYERS_READ)
    assert all(0 <= layer["n_blank"] <= layer["n_maps"] and layer["r2"] < 1 for layer in found["vgg_like"]["layers"])
    stamp = (tmp_path / LAYERS).stat().st_mtime_ns
    with monkeypatch.context() as patch:
        patch.setattr(module, "_read", None)
        assert record_layers(faces, tmp_path) == found == load_layers(tmp_path)
    assert (tmp_path / LAYERS).stat().st_mtime_ns == stamp
    record_with_weights(tmp_path, "report_vgg_like")
    assert list(record_layers(faces, tmp_path)) == ["report_vgg_like", "vgg_like"]


def test_layers_of_other_faces_are_not_recorded(tmp_path):
    with pytest.raises(ValueError, match="these faces are noise"):
        record_layers(make_faces(), tmp_path)
