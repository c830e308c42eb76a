"""Checks of the exercises: each takes a learner's answer and returns a `Verdict`, which says in words what is wrong.

One function per closed exercise, in the order of the notebooks. A check never raises for an answer, whatever it is, and
never gives the answer away; an empty cell (`None`) is told what is asked for. The worked solutions are in
`notebooks/solutions`.
"""

from typing import NamedTuple


class Verdict(NamedTuple):
    """Whether an answer is right, and what there is to say about it; a notebook shows it as one line of text."""

    right: bool
    words: str

    def __repr__(self):
        return f"{'Right' if self.right else 'Not yet'}: {self.words}"
