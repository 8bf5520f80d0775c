"""Compare two models from your own programs and tests."""

from collections.abc import Sequence
from contextlib import ExitStack, nullcontext
from pathlib import Path
from types import TracebackType

from compare.port.check import compare_models
from compare.port.inputs import parse_sizes
from compare.port.record import PortRecord, record_of
from compare.port.result import Request, Weights
from compare.port.wanted import Wanted
from compare.port.words import lines
from compare.port.workers import ModelWorkers
from shared.storage import temporary

Sizes = Sequence[int] | str | Sequence[str] | None


class Port:
    """Workers for several comparisons, one after the other. Use it in a `with`."""

    def __init__(self, timeout_s: float = 300.0) -> None:
        self.timeout_s = timeout_s

    def __enter__(self) -> "Port":
        self._stack = ExitStack()
        logs = self._stack.enter_context(temporary.folder("port"))
        self._workers = self._stack.enter_context(ModelWorkers(logs, self.timeout_s, lambda _: None))
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stack.__exit__(kind, error, at)

    def check(
        self,
        left: str,
        right: str,
        input: Sizes = None,
        data: Path | None = None,
        weights: Weights = "left",
        float32: bool = False,
        loss: str = "",
        left_loss: str = "",
        right_loss: str = "",
        optimizer: str = "",
        left_optimizer: str = "",
        right_optimizer: str = "",
        steps: int = 0,
        fit: tuple[str, str] = ("", ""),
        pythons: tuple[Path | None, Path | None] = (None, None),
        backends: tuple[str, str] = ("", ""),
    ) -> PortRecord:
        """Compare two models, as `python -m compare port` does with the same options, and return what was found.

        `input` is the shape of one example, such as (3, 224, 224), or a text that --input takes. `data` is --data,
        `weights` --weights, `steps` --steps (0 for none). `float32` is --precision both. `loss` and `optimizer` are
        names; with `left_` or `right_` they are references. `fit` are the training functions of --fit. `pythons` are
        --left-python and --right-python; `backends` are --left-backend and --right-backend. Raises InputError if the
        models cannot be compared."""
        wanted = Wanted(loss, left_loss, right_loss, optimizer, left_optimizer, right_optimizer, steps, *fit)
        wanted.check()
        sizes = tuple(parse_sizes(_texts(input)))
        request = Request(
            left,
            right,
            sizes,
            data,
            weights,
            float32=float32,
            wanted=wanted,
            pythons=pythons,
            backends=backends,
        )
        return record_of(compare_models(request, self._workers))


def assert_same(
    left: str,
    right: str,
    input: Sizes = None,
    data: Path | None = None,
    weights: Weights = "left",
    port: Port | None = None,
    loss: str = "",
    left_loss: str = "",
    right_loss: str = "",
    optimizer: str = "",
    left_optimizer: str = "",
    right_optimizer: str = "",
    steps: int = 0,
    fit: tuple[str, str] = ("", ""),
) -> PortRecord:
    """Compare two models as Port.check does, and return what was found. With a loss their gradients are compared too,
    with an optimizer or steps their training.

    Raises AssertionError, with the causes and their fixes, unless the models are the same function. Raises InputError
    if they cannot be compared. `port` supplies workers that are already running (the pytest fixture of that name);
    without it, workers are started for this comparison alone.
    """
    __tracebackhide__ = True  # pytest then shows the calling line
    with nullcontext(port) if port is not None else Port() as own:
        learning = loss, left_loss, right_loss, optimizer, left_optimizer, right_optimizer, steps, fit
        record = own.check(left, right, input, data, weights, False, *learning)
    if record.verdict != "same":
        raise AssertionError("\n".join(lines(record)))
    return record


def _texts(given: Sizes) -> list[str]:
    if given is None:
        return []
    if isinstance(given, str):
        return [part for part in given.split(",") if part]
    if all(isinstance(each, int) for each in given):
        return ["x".join(map(str, given))]
    return [str(each) for each in given]
