"""Saves and loads files of facts: JSON that carries its own digest, so that a damaged or edited one is noticed."""

import hashlib
import json

from fer_utils.environment import PROJECT, atomic_path


class FactsError(ValueError):
    """A file of facts that is missing or damaged; the message names it and the command that writes it anew."""


def digest(content):
    """Returns the sha256 of bytes, 64 hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def digest_facts(facts):
    """Returns the sha256 of what JSON can hold, the same before it is written and after it was read."""
    return digest(json.dumps(facts, sort_keys=True).encode())


def save_facts(facts, path):
    """Writes the dict `facts`, with its digest, to the JSON file `path`, all or nothing."""
    with atomic_path(path) as temporary:
        whole = {**facts, "digest": digest_facts(facts)}
        temporary.write_text(json.dumps(whole, indent=1) + "\n", encoding="utf-8")


def load_facts(path, command):
    """Reads the dict in the JSON file `path`; None if there is no such file.

    Raises `FactsError` if it is damaged or was changed by hand; `command` is the one that writes it anew.
    """
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        same = facts.pop("digest", None) == digest_facts(facts)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise _describe(path, f"is damaged ({type(error).__name__})", command) from error
    if not same:
        raise _describe(path, "was changed since it was written", command)
    return facts


def require_facts(path, command):
    """Returns what `load_facts` does; a missing file is a `FactsError` too."""
    facts = load_facts(path, command)
    if facts is None:
        raise _describe(path, "is missing", command)
    return facts


def find_known(load, *arguments):
    """Returns what `load(*arguments)` finds, to be kept or written anew; None for a `FactsError`, which is printed."""
    try:
        return load(*arguments)
    except FactsError as error:
        print(error)
        return None


def _describe(path, what, command):
    name = path.relative_to(PROJECT).as_posix() if path.is_relative_to(PROJECT) else path.name
    return FactsError(f"{name} {what}; `{command}` writes it anew, or get it again with the course")
