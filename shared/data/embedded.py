"""The data sets that come with a library that is installed anyway: there is nothing to fetch."""

from collections.abc import Callable

from shared.data import digits, photographs
from shared.data.raw import RawImages

EMBEDDED: dict[str, Callable[[], RawImages]] = {"digits": digits.read, "photographs": photographs.read}
