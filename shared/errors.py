"""Errors that are the user's to mend, and the one for a name that is not known."""

from collections.abc import Collection
from difflib import get_close_matches


class InputError(Exception):
    """Something the user gave cannot be used.

    The message is one paragraph that says what is wrong, where, and what to do about it. The command line prints
    it on stderr and exits with code 2, without a traceback.
    """


def check_name(what: str, name: str, known: Collection[str]) -> str:
    """Return `name` if it is among `known`; else raise an InputError that names the nearest match."""
    if name in known:
        return name
    nearest = get_close_matches(name.lower(), list(known), n=1, cutoff=0.5)
    hint = f" Did you mean '{nearest[0]}'?" if nearest else ""
    raise InputError(f"There is no {what} '{name}'.{hint} Known: {', '.join(known)}.")
