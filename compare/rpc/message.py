"""What every message is, and how it travels."""

from collections.abc import Mapping
from typing import Any, Self

from pydantic import BaseModel, ConfigDict


class Message(BaseModel):
    """A frozen message that accepts no unknown field; it travels with the name of its class."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    def body(self) -> dict[str, Any]:
        """What travels, in JSON's types."""
        return {"kind": type(self).__name__, **self.model_dump(mode="json")}

    @classmethod
    def of_body(cls, body: Mapping[str, Any]) -> Self:
        """The message below this class that travelled as `body`. Raises KeyError if there is none of that name, and
        ValidationError if it is not one."""
        fields = {name: value for name, value in body.items() if name != "kind"}
        return {kind.__name__: kind for kind in cls.__subclasses__()}[body["kind"]].model_validate(fields)
