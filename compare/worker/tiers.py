"""The tiers of shared/protocol.py that an implementation or its networks lack, and the error that names them."""

from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from shared.protocol import MODEL_TIERS, MODULE_TIERS, Tier

NEEDED_FOR: dict[Tier, str] = {
    "parity": "comparing its values",
    "resume": "going on in the middle of a run",
    "profile": "profiling and counting",
    "limits": "measuring the machine's limits",
    "idiomatic": "the idiomatic recipe",
    "ledger": "the ledger",
    "export": "exporting files",
}


class NotOfferedError(Exception):
    """A request for something that an implementation does not have."""


def _missing_text(whose: str, name: str, tier: Tier) -> str:
    needed = NEEDED_FOR[tier]
    return f"the implementation '{whose}' has no `{name}`, needed for {needed} (tier '{tier}' of shared/protocol.py)"


def refusing(whose: str, name: str, tier: Tier) -> Callable[..., NoReturn]:
    """Return a replacement for a missing method: it raises NotOfferedError."""

    def refuse(*_: object, **__: object) -> NoReturn:
        raise NotOfferedError(_missing_text(whose, name, tier))

    return refuse


def missing(thing: object, tiers: Mapping[Tier, tuple[str, ...]]) -> tuple[Tier, ...]:
    """Return the tiers that `thing` implements incompletely."""
    return tuple(tier for tier, names in tiers.items() if not all(hasattr(thing, name) for name in names))


def absent(thing: object, tiers: Mapping[Tier, tuple[str, ...]]) -> tuple[str, ...]:
    """Return the names of all tiers that `thing` lacks."""
    return tuple(name for names in tiers.values() for name in names if not hasattr(thing, name))


def filled(model: Any, whose: str) -> tuple[Any, tuple[Tier, ...]]:
    """Return the network with every missing method raising NotOfferedError, and the tiers that it lacks."""
    lacking = missing(model, MODEL_TIERS)
    for tier, names in MODEL_TIERS.items():
        for name in names:
            if not hasattr(model, name):
                setattr(model, name, refusing(whose, name, tier))
    if not hasattr(model, "device_name"):
        model.device_name = lambda: "cpu"
    if not hasattr(model, "peak_device_bytes"):
        model.peak_device_bytes = lambda: None
    return model, lacking


def offered(implementation: object, name: str) -> Any:
    """Return the implementation's export of that name. Raises NotOfferedError if there is none."""
    if hasattr(implementation, name):
        return getattr(implementation, name)
    (tier,) = (tier for tier, names in MODULE_TIERS.items() if name in names)
    raise NotOfferedError(_missing_text(getattr(implementation, "__name__", "?"), name, tier))
