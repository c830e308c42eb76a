"""Checks of the exercises of notebook 09, blocks at equal cost."""

import math

from fer_utils.exercises.checking import Mistake, as_number, check, compare_numbers


@check("fill in the multiply-adds of both convolutions of the block together, a number")
def check_separable_cost(answer):
    """Multiply-adds of a 3x3 filter per map and a 1x1 convolution, from 64 to 128 maps at 12x12 places."""
    places, before, after = 12 * 12, 64, 128
    per_map, across = 9 * before, before * after
    mistakes = {
        "that is the plain 3x3 convolution, which reads all maps at nine places": places * 9 * before * after,
        "that is the 3x3 filters alone; the maps still have to be mixed": places * per_map,
        "that is the 1x1 convolution alone; before it each map has a 3x3 filter of its own": places * across,
        "that counts one place of the map; the block works at all of them": per_map + across,
        "the 3x3 filters stand before the mixing: there are as many as maps come in": places * (9 * after + across),
        "a row of the map is not the whole map": 12 * (per_map + across),
        "the two convolutions come one after the other: their costs add up": places * per_map * across,
    }
    compare_numbers(as_number(answer), places * (per_map + across), mistakes, tolerance=1e-6)
    return "a filter for each map that comes in, then one mixture for each map that goes out, at every place"


@check("fill in the width multiplier that halves the multiply-adds, a number between 0 and 1")
def check_half_cost_width(answer, cost_of_width):
    """The width at which `cost_of_width(width)` is half of what it is at width 1, to 2 %."""
    width = as_number(answer)
    if not 0 < width <= 1:
        raise Mistake("a width multiplier that saves work lies between 0 and 1")
    share = cost_of_width(width) / cost_of_width(1.0)
    if math.isclose(share, 0.5, rel_tol=0.02):
        return "most of the work goes with the square of the width, and the rest with the width itself"
    if math.isclose(width, math.sqrt(0.5), rel_tol=3e-3):
        raise Mistake("near: that would be it if all of the work went with the square of the width, and some does not")
    if width == 0.5:
        raise Mistake("half the width halves the maps that a layer reads and those that it gives: count again")
    raise Mistake(f"this leaves {share:.0%} of the multiply-adds, too {'many' if share > 0.5 else 'few'}")
