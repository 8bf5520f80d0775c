"""Networks of the user's own, in the worker: describe them, compare them with their contract, locate their errors."""

import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from compare.worker.tiers import NotOfferedError
from shared.contract import differences
from shared.description import CONTRACT, Description
from shared.models import Code, ModelSpec
from shared.own_code import CodeError

LAST_LINES = 8
MOST_DIFFERENCES = 6


class OwnCodeFailed(Exception):
    """The user's own network cannot be used: the reason, and the last lines of its own traceback; () if the reason is
    known."""

    def __init__(self, message: str, lines: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.message, self.lines = message, lines


def described(
    implementation: Any, code: Code, input_shape: tuple[int, ...] | None, tokens: bool = False, counted: bool = True
) -> Description:
    """Return the description of the implementation's network; FLOPs only if `counted`, which takes long. Raise
    OwnCodeFailed if it cannot be built and called."""
    if not hasattr(implementation, "describe"):
        name = getattr(implementation, "__name__", "?")
        raise NotOfferedError(f"the implementation '{name}' has no `describe`, needed for networks of the user's own")
    with blamed(code, "be built and called"):
        # An implementation of another package may not support tokens.
        taken = {"tokens": True} if tokens else {}
        found: Description = implementation.describe(code, input_shape, counted, **taken)
    return found


def check(implementation: Any, model: ModelSpec) -> None:
    """Raise OwnCodeFailed unless the implementation's network meets the contract."""
    assert model.code is not None, "only networks of the user's own are checked"
    found = described(implementation, model.code, model.input_shape, model.inputs == "tokens", counted=False)
    if wrong := differences(model, found):
        more = f"; and {len(wrong) - MOST_DIFFERENCES} more" if len(wrong) > MOST_DIFFERENCES else ""
        folder = Path(model.code.folder)
        raise OwnCodeFailed(
            f"{_file_of(implementation, folder)} is not as {folder.name}/{CONTRACT} says: "
            f"{'; '.join(wrong[:MOST_DIFFERENCES])}{more}. Fix it, or write the contract again: python -m compare "
            f"contract {folder.name}."
        )


@contextmanager
def blamed(code: Code | None, doing: str) -> Iterator[None]:
    """Raise OwnCodeFailed for errors in this context that pass through the files of `code`."""
    try:
        yield
    except CodeError as error:
        assert code is not None, "only networks of the user's own raise this"
        raise OwnCodeFailed(f"{Path(code.folder).name}: {error}") from None
    except (Exception, SystemExit) as error:
        if code is None:
            raise
        own = [f for f in traceback.extract_tb(error.__traceback__) if f.filename.startswith(f"{code.folder}/")]
        where = own[0].filename if own else str(error.filename) if isinstance(error, SyntaxError) else ""
        if not where.startswith(f"{code.folder}/"):
            raise
        traceback.print_exc(file=sys.stderr)  # the whole traceback goes to the worker's log
        lines = "".join([*traceback.format_list(own), *traceback.format_exception_only(error)]).rstrip().splitlines()
        message = f"{Path(code.folder).name}/{Path(where).name} failed when it was to {doing}. Its own last lines:"
        raise OwnCodeFailed(message, tuple(lines[-LAST_LINES:])) from None


def _file_of(implementation: Any, folder: Path) -> str:
    file = getattr(sys.modules.get(f"{implementation.describe.__module__}"), "FILE", "its code")
    return f"{folder.name}/{file}"
