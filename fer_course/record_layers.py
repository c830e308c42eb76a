"""Records what the layers of the deep networks hold of FER2013's faces (report §5.4), in numbers."""

from fer_utils.data import FER2013_FINGERPRINT, Split
from fer_utils.evaluation import compare_on_same_images, read_layers
from fer_utils.report import LAYERS, RECORDED, find_kept, identify_run, load_layers, load_recorded
from fer_utils.training import RunError, find_commit, find_known, list_versions, load_network, save_facts

NETWORKS = ("report_vgg_like", "vgg_like")  # one per recipe
LAYERS_READ = ("scale", "conv1_relu", "conv4_relu", "conv8_relu")
N_KNOWN, N_NEW = 2000, 1000  # training images that the readers learn from, validation images that they are tested on


def record_layers(faces, folder=None):
    """Writes the readings of a deep network per recipe to `LAYERS`; returns {experiment: readings}, or None.

    Some two minutes a network on two cores; readings of the same training are kept. A network without recorded weights
    is left out, and a printed line says so. Raises `ValueError` if `faces` are not FER2013.
    """
    if faces.fingerprint != FER2013_FINGERPRINT:
        raise ValueError(f"layers are recorded on FER2013's own pixels, and these faces are {faces.name}")
    known, recorded = find_known(load_layers, folder) or {}, load_recorded(*NETWORKS, folder=folder)
    found = {}
    for name in NETWORKS:
        try:
            run = find_kept(recorded, name)
        except RunError as error:
            print(f"layers are not read: {error}")
            continue
        which = {**identify_run(run), "n_known": N_KNOWN, "n_new": N_NEW}
        same = name in known and all(known[name].get(key) == value for key, value in which.items())
        found[name] = known[name] if same else {**which, **_read(run, faces)}
    facts = {"fingerprint": faces.fingerprint, "networks": found, "commit": find_commit(), "versions": list_versions()}
    if found != known:
        save_facts(facts, (folder or RECORDED) / LAYERS)
    return load_layers(folder)


def _read(run, faces):
    known = Split(faces.train.images[:N_KNOWN], faces.train.labels[:N_KNOWN])
    new = Split(faces.validation.images[:N_NEW], faces.validation.labels[:N_NEW])
    layers = read_layers(load_network(run), known, new, LAYERS_READ)
    gain = compare_on_same_images(layers[1].correct, layers[-1].correct)
    return {
        "layers": [
            {
                "name": layer.name,
                "n_maps": layer.n_maps,
                "n_blank": round(layer.n_blank, 4),
                "r2": round(layer.r2, 4),
                "accuracy": float(layer.correct.mean()),
            }
            for layer in layers
        ],
        "class_gain": [round(float(value), 6) for value in gain],
    }
