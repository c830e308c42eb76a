"""The checks of the exercises on right, plausible wrong and senseless answers; one table of cases per notebook."""

import functools
import inspect
import re
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest

from fer_utils import exercises
from fer_utils.exercises import Verdict
from fer_utils.models import lenet_like
from small_training import make_faces


class Case(NamedTuple):
    """One check: its name without `check_`, a function that makes its data, right answers, and wrong ones.

    `wrong` holds at least two pairs: a plausible wrong answer, and a word that the verdict on it must say and the
    verdicts on the others must not.
    """

    name: str
    make_data: Callable[[], tuple]
    right: list[Any]
    wrong: list[tuple[Any, str]]

    def judge(self, answer):
        return getattr(exercises, f"check_{self.name}")(answer, *_data_of(self.make_data))


@functools.cache
def _data_of(make_data):
    return make_data()


def no_data():
    return ()


@functools.cache
def faces():
    return make_faces()


# --- 01 data exploration ---

CASES_01 = []

# --- 02 baseline overfitting ---

CASES_02 = [
    Case(
        "quarter_width",
        lambda: (lenet_like,),
        right=[0.5, np.float32(0.5), np.array([0.5])],
        wrong=[
            (0.25, "both sides"),
            (0.75, "too many"),
            (171_000, "number of parameters"),
            (2, "larger"),
            (-1, "no width"),
        ],
    ),
]

# --- 03 data augmentation ---

CASES_03 = []

# --- 04 depth comparison ---

CASES_04 = []

# --- all of them ---

CASES = [*CASES_01, *CASES_02, *CASES_03, *CASES_04]
RIGHT = [pytest.param(case, answer, id=f"{case.name}-{i}") for case in CASES for i, answer in enumerate(case.right)]
WRONG = [pytest.param(case, answer, word, id=f"{case.name}-{word}") for case in CASES for answer, word in case.wrong]


def raise_an_error(*_):
    raise RuntimeError("out of order")


GARBAGE = {
    "text": "x",
    "nan": float("nan"),
    "infinity": float("inf"),
    "bool": True,
    "empty list": [],
    "ragged list": [[1], [1, 2]],
    "list of text": ["x", "y"],
    "empty dict": {},
    "wrong shape": np.zeros((3, 5, 2)),
    "nan array": np.full(7, np.nan),
    "empty array": np.zeros(0),
    "object": object(),
    "function that raises": raise_an_error,
    "function of nothing": lambda: 1,
    "function that gives nothing": lambda *_: None,
    "function that gives text": lambda *_: "x",
    "function that gives nan": lambda *_: float("nan"),
    "function that gives its argument": lambda *arguments: arguments[0] if arguments else 0,
    "type": dict,
    "huge": 10**400,
}
each_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


@pytest.mark.parametrize(("case", "answer"), RIGHT)
def test_right_answer_passes(case, answer):
    verdict = case.judge(answer)
    assert verdict.right and repr(verdict).startswith("Right: ") and verdict.words, verdict


@pytest.mark.parametrize(("case", "answer", "word"), WRONG)
def test_verdict_names_the_mistake(case, answer, word):
    verdict = case.judge(answer)
    assert not verdict.right and word in verdict.words, verdict
    others = [other for _, other in case.wrong if other != word]
    assert others and not any(other in verdict.words for other in others), f"not told apart: {verdict}"


@each_case
def test_unfilled_is_told_what_is_asked_for(case):
    verdict = case.judge(None)
    assert repr(verdict).startswith("Not yet: ") and len(verdict.words.split()) >= 6, verdict
    assert case.judge(...) == verdict
    assert "raises" not in verdict.words and "ends in" not in verdict.words


@pytest.mark.parametrize("kind", GARBAGE)
@each_case
def test_any_answer_gets_a_verdict(case, kind):
    verdict = case.judge(GARBAGE[kind])
    assert isinstance(verdict, Verdict) and not verdict.right and verdict.words, verdict


@each_case
def test_no_verdict_gives_the_answer_away(case):
    numbers = [answer for answer in case.right if isinstance(answer, int | float)]
    given = [None, *(answer for answer, _ in case.wrong)]
    texts = [case.judge(answer).words for answer in given]
    for number in numbers:
        spelled = "|".join(re.escape(text) for text in {f"{number:g}", f"{number:,}", str(number)})
        assert [text for text in texts if re.search(rf"(?<![\d.,])({spelled})(?![\d.,]*\d)", text)] == []


def test_every_check_is_tried():
    names = [name for name, _ in inspect.getmembers(exercises, inspect.isfunction) if name.startswith("check_")]
    assert sorted(f"check_{case.name}" for case in CASES) == names


# What the checks share.


def test_a_fault_of_a_check_becomes_words():
    broken = exercises.check("fill in a number")(lambda answer: 1 / 0)
    verdict = broken(1)
    assert not verdict.right and "ZeroDivisionError" in verdict.words and "fill in a number" in verdict.words
