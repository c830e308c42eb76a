"""Checks an exercise: a learner's answer in, a `Verdict` out, which says in words what is wrong.

A check never raises for an answer, whatever it is, and never gives the answer away; an empty cell (`None`) is told what
is asked for. There is a module of checks per notebook; the worked solutions are in `notebooks/solutions`.
"""

import functools
import math
import textwrap
from typing import NamedTuple

import numpy as np

LINE = 96  # characters that fit beside a prompt; a longer line would be cut within a word


class Verdict(NamedTuple):
    """Whether an answer is right, and what there is to say about it; a notebook shows it as text."""

    right: bool
    words: str

    def __repr__(self):
        return textwrap.fill(f"{'Right' if self.right else 'Not yet'}: {self.words}", LINE)


class Mistake(Exception):
    """What is wrong with an answer, in words."""


class Unfilled(Exception):
    """There is no answer yet."""


def check(asked):
    """Makes a check of a function that returns words about a right answer and raises `Mistake` for any other.

    `asked` is the verdict where nothing is filled in yet: None, `...`, or a list without anything in it.
    """

    def decorate(judge):
        @functools.wraps(judge)
        def judge_safely(answer, *data):
            try:
                refuse_unfilled(answer)
                return Verdict(True, judge(answer, *data))
            except Unfilled:
                return Verdict(False, asked)
            except Mistake as mistake:
                return Verdict(False, str(mistake))
            except Exception as error:  # a check is no place to fail, however strange the answer is
                return Verdict(False, f"your answer ends in {type(error).__name__} ({error}); {asked}")

        return judge_safely

    return decorate


def refuse_unfilled(answer):
    """Raises `Unfilled` for None, `...`, and a list, tuple, dict or set that is empty or holds one of the two."""
    if isinstance(answer, list | tuple | dict | set):
        parts = list(answer.values() if isinstance(answer, dict) else answer)
    else:
        parts = [answer]
    if not parts or any(part is None or part is ... for part in parts):
        raise Unfilled


def put_in_words(answer):
    """Says what `answer` is, in a few words.

    >>> put_in_words(np.zeros((3, 7))), put_in_words("Happy"), put_in_words(0.25)
    ('an array of shape (3, 7)', 'the text Happy', 'the number 0.25')
    """
    if isinstance(answer, np.ndarray) and answer.ndim:
        return f"an array of shape {answer.shape}"
    if isinstance(answer, str):
        return f"the text {answer}"
    if isinstance(answer, list | tuple | dict | set):
        return f"a {type(answer).__name__} of {len(answer)}"
    if isinstance(answer, int | float | np.number) and not isinstance(answer, bool):
        return f"the number {answer:g}"
    return "a function" if callable(answer) else f"a value of type {type(answer).__name__}"


def list_values(values):
    """Lists the numbers in words.

    >>> list_values({26, 5, 1})
    '1, 5 and 26'
    """
    *first, last = (f"{value:g}" for value in sorted(values))
    return f"{', '.join(first)} and {last}" if first else last


def as_number(answer):
    """Returns `answer` as a float; a `Mistake` unless it is one finite number."""
    is_value = hasattr(answer, "dtype") or np.isscalar(answer)
    values = np.asarray(answer if is_value else None)
    if values.size != 1 or values.dtype.kind not in "iuf":
        raise Mistake(f"a single number is asked for, and this is {put_in_words(answer)}")
    number = float(values.reshape(()))
    if not math.isfinite(number):
        raise Mistake(f"a finite number is asked for, and this is {number}")
    return number


def as_share(answer):
    """Returns `answer` as a float from 0 to 1; a `Mistake` for a percentage or anything else."""
    share = as_number(answer)
    if 1 < share <= 100:
        raise Mistake("a share between 0 and 1 is asked for, and this looks like a percentage: divide by 100")
    if not 0 <= share <= 1:
        raise Mistake(f"a share lies between 0 and 1, and this is {put_in_words(answer)}")
    return share


def as_array(answer, shape):
    """Returns `answer` as an array of `shape`; a `Mistake` unless it is one, of finite numbers."""
    values = np.asarray(answer)
    if values.dtype.kind not in "biuf" or values.shape != tuple(shape):
        found = put_in_words(values if values.ndim and values.dtype.kind in "biuf" else answer)
        raise Mistake(f"an array of shape {tuple(shape)} is asked for, and this is {found}")
    if not np.isfinite(values).all():
        raise Mistake("some of the numbers are not finite")
    return values


def call(function, *arguments):
    """Calls the learner's `function`; a `Mistake` if it is no function or raises, `Unfilled` if it is a stub."""
    if not callable(function):
        raise Mistake(f"a function is asked for (its name, without brackets), and this is {put_in_words(function)}")
    try:
        result = function(*arguments)
    except Exception as error:
        raise Mistake(f"your function raises {type(error).__name__}: {error}") from error
    refuse_unfilled(result)
    return result


def compare_numbers(number, expected, mistakes, tolerance=0.005):
    """Raises the `Mistake` that leads to `number`, if it is not `expected`; `tolerance` is a share of the number.

    `mistakes` maps words about a mistake to the number that it leads to.
    """
    if math.isclose(number, expected, rel_tol=tolerance):
        return
    for words, value in mistakes.items():
        if math.isclose(number, value, rel_tol=tolerance):
            raise Mistake(words)
    raise Mistake(f"that is too {'large' if number > expected else 'small'}")


def compare_arrays(values, expected, mistakes, agreement=0.99):
    """Raises the `Mistake` that leads to the array `values`, if fewer than `agreement` of them are those `expected`.

    `mistakes` maps words about a mistake to the array that it leads to.
    """

    def share_equal(others):
        return np.mean(np.isclose(values, others, rtol=1e-3, atol=1e-4))

    if share_equal(expected) >= agreement:
        return
    for words, others in mistakes.items():
        if np.shape(others) == np.shape(expected) and share_equal(others) >= agreement:
            raise Mistake(words)
    raise Mistake(f"{1 - share_equal(expected):.0%} of the numbers are others than those asked for")
