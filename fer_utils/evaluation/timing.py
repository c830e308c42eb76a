"""Measures speeds: a stopwatch that takes what is compared in turns, the matrix product as a machine's ceiling."""

import statistics
import time

from fer_utils.device import keras

MATRIX = 3000  # rows and columns of the matrices, large enough for the full speed
ROUNDS = 3


def multiply_matrices(precision):
    """Returns a function that multiplies two large matrices in `precision`, a Keras dtype policy."""
    kind = keras.DTypePolicy(precision).compute_dtype
    matrix = keras.ops.cast(keras.random.normal((MATRIX, MATRIX), seed=0), kind)
    return lambda: float(keras.ops.cast(keras.ops.matmul(matrix, matrix)[0, 0], "float32"))


def time_in_turns(actions, rounds):
    """Measures {name: median seconds} of calling each of `actions` (name to function) once a round."""
    seconds = {name: [] for name in actions}
    for _ in range(rounds):
        for name, action in actions.items():
            start = time.perf_counter()
            action()
            seconds[name].append(time.perf_counter() - start)
    return {name: statistics.median(values) for name, values in seconds.items()}


def count_in_turns(actions, seconds):
    """Measures {name: median calls a second} of each of `actions`, called for some `seconds` in each of `ROUNDS`."""
    rates = {name: [] for name in actions}
    for _ in range(ROUNDS):
        for name, action in actions.items():
            start, calls = time.perf_counter(), 0
            while (elapsed := time.perf_counter() - start) < seconds or not calls:
                action()
                calls += 1
            rates[name].append(calls / elapsed)
    return {name: statistics.median(values) for name, values in rates.items()}
