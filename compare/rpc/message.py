"""What every message is."""

from pydantic import BaseModel, ConfigDict


class Message(BaseModel):
    """A frozen message that accepts no unknown field."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)
