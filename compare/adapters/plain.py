"""Put an exception's message in plain words."""

import re


def plain(error: Exception) -> str:
    """Return what an error says, without colours and without the tensors that Keras lists behind it."""
    text = re.sub(r"\x1b\[[0-9;]*m", "", str(error)).split("Arguments received by")[0]
    return " ".join(text.split()) or type(error).__name__
