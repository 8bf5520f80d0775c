"""Numbers of things in messages."""


def number_of(n: int, noun: str) -> str:
    """Return `n` and the noun, with an s unless n is 1: "1 epoch", "1,000 epochs"."""
    return f"{n:,} {noun}{'s' * (n != 1)}"
