"""Reads the rehearsal: what the lessons' networks showed from several seeds, trained on the drawn faces."""

from fer_utils.environment import DATA
from fer_utils.training import require_facts

REHEARSAL = DATA / "rehearsal.json"


def load_rehearsal(path=REHEARSAL):
    """Returns what `fer-course rehearse` wrote: {"seeds": [facts of a seed, ...], "recipe": ..., ...}.

    A seed's facts hold, among others, `gain_of_augmentation` and `gain_of_depth`, each {"gain", "low", "high"}: shares
    of the test faces, with the 95 % interval of the paired comparison. Raises `FactsError` for a missing or damaged
    file.
    """
    return require_facts(path, "fer-course rehearse")
