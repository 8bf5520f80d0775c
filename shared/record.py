"""The base of all records: frozen, written to and read from JSON, and read from files that may come from anywhere. Each
field therefore states its permitted values. If a file has many errors only the first is reported: each costs a
kilobyte, and a file of a few megabytes can have millions."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    FailFast,
    Field,
    FiniteFloat,
    model_validator,
)
from pydantic_core import PydanticCustomError

MOST_TEXTS = 1_000_000  # of a folder, the files
TIME_FORMAT = "%Y-%m-%dT%H:%M:%SZ"  # UTC

Count = Annotated[int, Field(ge=0, le=2**63 - 1)]
Positive = Annotated[int, Field(ge=1, le=2**63 - 1)]
Share = Annotated[FiniteFloat, Field(ge=0, le=1)]
Seconds = Annotated[FiniteFloat, Field(ge=0, le=1e9)]
Times = Annotated[tuple[Annotated[FiniteFloat, Field(ge=1e-9, le=1e9)], ...], FailFast()]  # in seconds
Numbers = Annotated[tuple[FiniteFloat, ...], FailFast()]
Counts = Annotated[tuple[Count, ...], FailFast()]


class Record(BaseModel):
    """A frozen record that accepts no unknown field."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    @model_validator(mode="before")
    @classmethod
    def _first_unknown_field(cls, given: Any) -> Any:
        if isinstance(given, dict) and not given.keys() <= (fields := cls.model_fields).keys():
            _refuse(next(name for name in given if name not in fields))
        return given


def _refuse(unknown: object) -> None:
    if unknown is not None:
        raise PydanticCustomError("unknown_field", "it has no field {name}", {"name": repr(unknown)[:80]})


def _of_texts(given: Any) -> Any:
    if isinstance(given, Mapping):
        if len(given) > MOST_TEXTS:
            raise PydanticCustomError("too_long", "there are more than {most} texts", {"most": MOST_TEXTS})
        wrong = next((name for name, value in given.items() if not isinstance(value, str)), None)
        if wrong is not None:
            raise PydanticCustomError("string_type", "{name} should be a text", {"name": repr(wrong)[:80]})
    return given


def _moment(text: str) -> str:
    datetime.strptime(text, TIME_FORMAT)
    return text


Moment = Annotated[str, AfterValidator(_moment)]
Texts = Annotated[dict[str, str], BeforeValidator(_of_texts)]
