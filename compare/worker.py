"""The worker process: imports one implementation, and answers requests about it until its input ends.

Started as `python -m compare.worker PACKAGE` with its environment already set (compare/environment.py).
Requests come on standard input and answers go to what was standard output; anything else that is printed goes to
standard error, which is the worker's log.
"""

import gc
import importlib
import os
import sys
import traceback
from typing import BinaryIO, cast

from compare import messages, wire
from compare.environment import describe
from compare.jobs import Bench, Diverged
from compare.parent import die_with_parent_if_asked
from shared.protocol import Implementation


def main() -> None:
    die_with_parent_if_asked()
    requests = sys.stdin.buffer
    answers = _take_over_stdout()
    try:
        implementation = cast(Implementation, importlib.import_module(sys.argv[1]))
        environment = describe(implementation.framework())
    except Exception as error:  # whatever it is, the harness is told before this process ends
        _send(answers, _failed(error))
        raise SystemExit(1) from None
    gc.freeze()  # a framework's million objects are there for good, and are not gone through for each network
    _send(answers, messages.Ready(environment=environment))
    serve(Bench(implementation), requests, answers)


def serve(bench: Bench, requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer requests in their order until there are no more."""
    while (frame := wire.read(requests)) is not None:
        body, arrays = frame
        try:
            answer, sent = bench.do(messages.REQUEST.validate_python(body), arrays)
        except Exception as error:  # whatever it is, the harness is told, and the worker goes on
            _send(answers, _failed(error))
        else:
            _send(answers, answer, sent)


def _send(answers: BinaryIO, answer: messages.Answer, arrays: wire.Arrays | None = None) -> None:
    wire.write(answers, answer.model_dump(mode="json"), arrays or {})


def _take_over_stdout() -> BinaryIO:
    """Keep standard output for answers alone: what frameworks print there goes to standard error."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return answers


def _failed(error: Exception) -> messages.Failed:
    first, *_ = str(error).strip().splitlines() or [""]
    return messages.Failed(
        error=f"{type(error).__name__}: {first}",
        traceback=traceback.format_exc(),
        diverged=isinstance(error, Diverged),
    )


if __name__ == "__main__":
    main()
