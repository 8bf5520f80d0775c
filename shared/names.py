"""Looking things up by name, with a useful answer when the name is wrong."""

from collections.abc import Collection
from difflib import get_close_matches

from shared.errors import InputError


def check_name(what: str, name: str, known: Collection[str]) -> str:
    """Return `name` if it is among `known`; else raise an InputError that names the nearest match."""
    if name in known:
        return name
    nearest = get_close_matches(name.lower(), list(known), n=1, cutoff=0.5)
    hint = f" Did you mean '{nearest[0]}'?" if nearest else ""
    raise InputError(f"There is no {what} '{name}'.{hint} Known: {', '.join(known)}.")
