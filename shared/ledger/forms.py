"""The forms of the ledger's rows in an implementation: plain functions that can be read and pasted."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Any

import numpy as np

from shared.ledger.row import Answer, Answers, Half

Form = Callable[..., Any]


class Forms(Mapping[str, Answers]):
    """One implementation's answers by row, filled by decorators over functions of a row's inputs.

    The functions are shown to users unchanged. They therefore use the framework alone, and have no state. `as_default`
    makes a float type the framework's default while a function runs; `to_numpy` converts its result.
    """

    def __init__(
        self, as_default: Callable[[str], AbstractContextManager[None]], to_numpy: Callable[[Any], np.ndarray]
    ) -> None:
        self._as_default, self._to_numpy = as_default, to_numpy
        self._forms: dict[str, dict[Half, Answer]] = {}

    def own(self, *rows: str) -> Callable[[Form], Form]:
        """Register a function as the own form of these rows."""
        return self._register(rows, ("own",))

    def aligned(self, *rows: str) -> Callable[[Form], Form]:
        """Register a function as the aligned form of these rows."""
        return self._register(rows, ("aligned",))

    def both(self, *rows: str) -> Callable[[Form], Form]:
        """Register a function as both forms of these rows: this implementation needs no change."""
        return self._register(rows, ("own", "aligned"))

    def __getitem__(self, row: str) -> Answers:
        forms = self._forms[row]
        return Answers(forms["own"], forms["aligned"])

    def __iter__(self) -> Iterator[str]:
        return iter(self._forms)

    def __len__(self) -> int:
        return len(self._forms)

    def _register(self, rows: tuple[str, ...], halves: tuple[Half, ...]) -> Callable[[Form], Form]:
        def register(form: Form) -> Form:
            for row in rows:
                for half in halves:
                    if half in self._forms.setdefault(row, {}):
                        raise ValueError(f"the {half} form of {row} is registered twice")
                    self._forms[row][half] = self._answer(form)
            return form

        return register

    def _answer(self, form: Form) -> Answer:
        def answer(arrays: Mapping[str, np.ndarray]) -> np.ndarray:
            floats = [str(array.dtype) for array in arrays.values() if array.dtype.kind == "f"]
            with self._as_default(floats[0] if floats else "float64"):
                return self._to_numpy(form(**arrays))

        return answer
