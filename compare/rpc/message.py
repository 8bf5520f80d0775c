"""The base of every message, and its form for sending."""

from collections.abc import Mapping
from typing import Any, Self

from pydantic import BaseModel, ConfigDict


class Message(BaseModel):
    """A frozen message that accepts no unknown field; it is sent with the name of its class."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    def __init_subclass__(cls, **options: Any) -> None:
        """Raise TypeError if another message of the same kind has that name: it would be read instead."""
        super().__init_subclass__(**options)
        siblings: list[type] = []
        for base in cls.__bases__:
            siblings += type.__subclasses__(base)
        alike = [one for one in siblings if one.__name__ == cls.__name__]
        if any(one.__module__ != cls.__module__ for one in alike):
            raise TypeError(f"two messages are called {cls.__name__}, the other in {alike[0].__module__}")

    def body(self) -> dict[str, Any]:
        """Return the content for sending, in JSON's types."""
        return {"kind": type(self).__name__, **self.model_dump(mode="json")}

    @classmethod
    def of_body(cls, body: Mapping[str, Any]) -> Self:
        """Return the message of a subclass that was sent as `body`. Raises KeyError if there is none of that name, and
        ValidationError if the content is invalid."""
        fields = {name: value for name, value in body.items() if name != "kind"}
        return {kind.__name__: kind for kind in cls.__subclasses__()}[body["kind"]].model_validate(fields)
