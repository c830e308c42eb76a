"""Seeds a network: what Keras draws while it is built follows from one number, and from nothing else.

Each tensor of random weights and each dropout layer gets a seed when its layer is made, and Keras draws it from
Python's `random`. All threads of a process share that stream: a second thread that draws a number, as every Dask worker
has some, shifts all the seeds that follow. And `keras.utils.set_random_seed` sets Python's and numpy's streams, which
belong to whoever calls us. So `own_seeds` gives Keras a stream of the network's own, for the thread that builds it.

Keras (3.13 to 3.15) has no public setting for this: it takes its seeds from the name `python_random` in the module
`keras.src.random.seed_generator`. `_Streams` replaces Python's module there. Should another version of Keras
draw in another way, `own_seeds` raises an error instead of training with other weights than those recorded.
"""

import contextlib
import random
import threading

from fer_utils.device import keras

seed_generator = keras.src.random.seed_generator

LARGEST_SEED = 2**32 - 1  # the largest that numpy and `keras.utils.set_random_seed` take


class _Streams(threading.local):
    """What Keras takes for Python's module `random`: that module, or within `own_seeds` this thread's own stream."""

    now = random

    def __getattr__(self, name):
        return getattr(self.now, name)


_STREAMS = seed_generator.python_random = _Streams()


def check_seed(seed):
    """Raises `ValueError` unless `seed` is a whole number from 0 to `LARGEST_SEED`."""
    if not isinstance(seed, int) or not 0 <= seed <= LARGEST_SEED:
        raise ValueError(f"the seed is {seed!r}; expected a whole number from 0 to {LARGEST_SEED}")


@contextlib.contextmanager
def own_seeds(seed, checked=True):
    """Within it, Keras draws the seeds of this thread's new layers as after `keras.utils.set_random_seed(seed)`.

    Python's, numpy's and the backend's own streams stay as they are.
    Raises `ValueError` unless `seed` is a whole number from 0 to `LARGEST_SEED`, and if this Keras draws in another
    way; the latter only if `checked`, since a network whose weights are loaded does without.
    """
    check_seed(seed)
    before = _STREAMS.now
    try:
        _STREAMS.now = random.Random(seed)
        if checked and keras.initializers.GlorotUniform().seed != random.Random(seed).randint(1, int(1e9)):
            raise ValueError(
                f"Keras {keras.__version__} draws the seeds of its layers in another way than 3.13 to 3.15, so a seed "
                "would give other weights than those recorded; install one of these: pip install 'keras<3.16'"
            )
        _STREAMS.now = random.Random(seed)  # from its beginning: one number was drawn to see where it comes from
        yield
    finally:
        _STREAMS.now = before
