"""Train a model of Keras or raw TensorFlow: by an optimizer of Keras's, on given gradients or those of its own loss."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from keras.backend import standardize_dtype

from compare.adapters import keras_optimizers
from compare.adapters.adapter import Unreadable, users_own
from compare.adapters.canonical import Canonical
from compare.adapters.changes import undo
from compare.adapters.fitting import SeenFit
from compare.adapters.keras_backend import tensor
from compare.adapters.keras_learner import KerasLearner, canonical_array, owners_of
from compare.adapters.learner import referred
from compare.adapters.loss_names import SEEN
from compare.adapters.patterns import Joined
from compare.adapters.trainer import Optimized, Stepped
from compare.graphs.node import Arrays
from compare.graphs.optimizers import gradient_at


class KerasTrainer:
    """See trainer.Trainer."""

    def __init__(self, adapter: Any, learner: KerasLearner) -> None:
        self.adapter, self.learner = adapter, learner
        self.seen: SeenFit | None = None
        self.optimizer: Any = None
        self._before: list[tuple[Any, np.ndarray]] = []
        self._kept: tuple[tuple[str, str], Any, list[tuple[Any, np.ndarray]]] | None = None

    def made(self, name: str, reference: str) -> Any:
        """Return the optimizer in its initial state: that of a compiled model may be impossible to copy. Raises
        Unreadable if there is none."""
        if self._kept is None or self._kept[0] != (name, reference) or name == SEEN:
            with keras_optimizers.exact_constants(), users_own():
                made = self._read(name, reference)
                made.build([variable for variable in self.variables() if variable.trainable])
            self._kept = (name, reference), made, [(each, np.array(each)) for each in made.variables]
        _, made, begun = self._kept
        for variable, value in begun:
            variable.assign(value)
        return made

    def _read(self, name: str, reference: str) -> Any:
        if name == SEEN:
            if self.seen is None or self.seen.optimizer is None:
                raise Unreadable("Its training function uses no optimizer of Keras's, and no other is known.")
            return keras_optimizers.optimizer_of(self.seen.optimizer, "The optimizer of the training function")
        if name:
            return keras_optimizers.BY_NAME[name]()
        found = referred(reference) if reference else getattr(self.adapter.model, "optimizer", None)
        if found is None:
            raise Unreadable(
                "The model was not compiled with an optimizer. Give one: --optimizer NAME, or a reference to it."
            )
        return keras_optimizers.optimizer_of(found, reference)

    def optimize(
        self, name: str, reference: str, gradients: Mapping[str, np.ndarray], steps: int, scale: float
    ) -> Optimized:
        """See Trainer.optimize."""
        canonical, joined = self.adapter.recorded()
        owners = {key: owner for key, owner in owners_of(canonical, joined).items() if key in gradients}
        variables = {id(owner): owner for owner in owners.values()}
        before = {number: np.array(owner) for number, owner in variables.items()}
        optimizer = self.made(name, reference)
        rates = []
        try:
            with keras_optimizers.exact_constants(), users_own():
                for number in range(steps):
                    if name == SEEN and self.seen is not None:
                        keras_optimizers.set_rate(optimizer, self.seen.rates, number)
                    rates.append(keras_optimizers.rate_of(optimizer))
                    slopes: dict[int, np.ndarray] = {}
                    for key, owner in owners.items():  # two names of one variable add up
                        slope = _native(key, gradient_at(gradients[key], number, scale), canonical, joined)
                        slopes[id(owner)] = slopes.get(id(owner), 0.0) + slope
                    given = [
                        tensor(np.asarray(slopes[each], standardize_dtype(variables[each].dtype))) for each in variables
                    ]
                    optimizer.apply(given, list(variables.values()))
            after = {key: canonical_array(key, np.array(owner), canonical, joined) for key, owner in owners.items()}
        finally:
            for number, owner in variables.items():
                owner.assign(before[number])
        record = keras_optimizers.record_of(optimizer, rates, owners)
        return Optimized(type(optimizer).__name__, record, after, tuple(owners))

    def begin(self, name: str, reference: str) -> None:
        """See Trainer.begin."""
        self.optimizer = self.made(name, reference)
        self._before = [(variable, np.array(variable)) for variable in self.variables()]

    def step(self, inputs: Mapping[str, np.ndarray], targets: np.ndarray, form: str, wanted: Sequence[str]) -> Stepped:
        """See Trainer.step."""
        recording, tape, loss, penalty, _, _ = self.learner.forward(inputs, targets, form)
        variables = [variable for variable in self.variables() if variable.trainable]
        found = tape.gradient([each for each in (loss, penalty) if each is not None], variables)
        given = [(g, v) for g, v in zip(found, variables, strict=True) if g is not None]
        if not given:
            raise Unreadable("Its loss depends on no variable that is trained.")
        self.adapter.set_weights(recording.statistics)
        with keras_optimizers.exact_constants(), users_own():
            self.optimizer.apply([g for g, _ in given], [v for _, v in given])
        canonical, joined = self.adapter.recorded()
        owners = owners_of(canonical, joined)
        after: Arrays = {
            key: canonical_array(key, np.array(owners[key]), canonical, joined) for key in wanted if key in owners
        }
        return Stepped(float(loss) + (0.0 if penalty is None else float(penalty)), after)

    def end(self) -> None:
        """See Trainer.end."""
        for variable, value in self._before:
            variable.assign(value)
        self.optimizer, self._before = None, []

    def variables(self) -> list[Any]:
        """Return all variables of the model, each once."""
        found = getattr(self.adapter.model, "variables", None)
        if found is None:  # a function over variables
            found = owners_of(*self.adapter.recorded()).values()
        return list({id(variable): variable for variable in found}.values())


def _native(key: str, array: np.ndarray, canonical: Canonical, joined: Joined) -> np.ndarray:
    """Return a weight's array in its variable's layout."""
    source = joined.sources[key]
    return np.ascontiguousarray(undo(canonical.weight_of[source.key].changes, undo(source.changes, array)))
