"""Read raw TensorFlow by watching one call: a tf.Module, a function over variables, or a SavedModel."""

import inspect
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from compare.adapters import tensorflow_arithmetic, tensorflow_layers, tensorflow_parts
from compare.adapters.adapter import Unreadable
from compare.adapters.canonical import Canonical
from compare.adapters.changes import undo
from compare.adapters.layouts import Form
from compare.adapters.patterns import Joined, joined
from compare.adapters.plain import plain
from compare.adapters.pruned import pruned
from compare.adapters.statistics import statistics_of, with_statistics
from compare.adapters.steps import Weight
from compare.adapters.tensorflow_arrays import held, put
from compare.adapters.tensorflow_operations import add
from compare.adapters.tensorflow_watch import Watch, array, differentiable, exact
from compare.graphs.node import Recording

# These modules register themselves when they are imported.
TABLES = (tensorflow_arithmetic, tensorflow_layers, tensorflow_parts)


class TensorFlowAdapter:
    """An adapter for a callable tf.Module, or a Python function; its weights are the variables that it has."""

    framework = "tensorflow"

    def __init__(
        self, module: Any, call: Callable[..., Any] | None = None, stated: Any = None, evaluates_only: str = ""
    ) -> None:
        """`call` is called instead of the module itself. `stated` are the TensorSpecs of its inputs by name, if it
        states them. `evaluates_only` is the name of a file without a training mode."""
        self.model, self._evaluates_only = module, evaluates_only
        self.signature: Any = None  # of a SavedModel: computes it as a whole
        self._call = call or _callable(module)
        self._stated: dict[str, Any] = dict(stated or {})
        self._canonical: Canonical | None = None
        self._joined: Joined | None = None
        # The means and variances that evaluation uses, by the node that uses them.
        self._kept: dict[str, dict[str, Weight]] = {}
        self._variables = _named_variables(module, self._call)
        types = {variable.dtype for _, variable in self._variables if variable.dtype.is_floating}
        # The variables of raw TensorFlow have the type that the code gave them.
        self.precisions = tuple(sorted({each.name for each in types}, reverse=True)) or ("float64", "float32")

    def stated_inputs(self) -> dict[str, tuple[int, ...]] | None:
        """Return the shape of one example of every input, in canonical layout and in order; None if none is stated."""
        found = {}
        for name, spec in self._stated.items():
            shape = spec.shape.as_list()[1:] if spec.shape.rank else []
            if spec.shape.rank is None or None in shape:
                return None
            found[name] = tuple((1, *shape)[axis] for axis in Form(len(shape) + 1, len(shape) > 2).order[1:])
        return found or None

    def record(self, inputs: Mapping[str, np.ndarray], training: bool, tape: Any = None) -> Recording:
        """Call the module in evaluation or training mode, and record the call. The variables are restored. `tape`
        records what gradients need. Raises Unreadable if it cannot be called."""
        if training and self._evaluates_only:
            message = "holds a network for evaluation: its signature cannot be called in training mode."
            raise Unreadable(f"{self._evaluates_only} {message}")
        watch = Watch(training, add)
        for name, variable in self._variables:
            weight = Weight(name, partial(held, variable), variable.assign, fill=partial(put, variable))
            watch.hold(variable, weight)
        tensors = {}
        for name, each in inputs.items():
            tensors[name] = tf.constant(self._native(name, each))
            watch.input(name, tensors[name], self.is_moved(name, each))
        with _unchanged(self._variables):
            with watch.watching(), differentiable(tape, tensors.values()):
                outputs = self._try(tensors, training)
            after = {name: {r: w.changed(w.read()) for r, w in roles.items()} for name, roles in self._kept.items()}
        flat = [each for each in tf.nest.flatten(outputs) if isinstance(each, tf.Tensor)]
        watch.trace.outputs = tuple(watch.trace.value(each) for each in flat)
        pruned(watch.trace)
        canonical = self._canonical = Canonical(watch.trace, array)
        made = joined(canonical.recording)
        self._joined = made.without_arrays() if tape is None else made
        if tape is None:  # gradients need the values
            canonical.drop_arrays()
        if training:
            return with_statistics(made.recording, self._kept, after)
        self._kept = statistics_of(made, canonical)
        return made.recording

    def _native(self, name: str, each: np.ndarray) -> np.ndarray:
        native = Form(each.ndim, self.is_moved(name, each)).native(each)
        return np.asarray(native, tf.as_dtype(self._type(name, native)).as_numpy_dtype, "C")

    def native(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return inputs in canonical layout as the module takes them."""
        return {name: self._native(name, each) for name, each in inputs.items()}

    def called(self, tensors: Mapping[str, Any], training: bool) -> Any:
        """Return the module's output for tensors in its own layout, as its users call it."""
        if self.signature is not None:
            return self.signature(**dict(zip(self._stated, tensors.values(), strict=True)))
        return self._try(tensors, training)

    def set_weights(self, weights: Mapping[str, np.ndarray]) -> None:
        """Give the module weights by "NODE/ROLE" of the last recording, in canonical layout. Raises Unreadable if one
        does not fit."""
        canonical, made = self.recorded()
        own = {}
        for name, value in weights.items():
            node, _, role = name.rpartition("/")
            kept = self._kept.get(node, {}).get(role)
            if name in made.sources or kept is None or kept.write is None:
                own[name] = value
            else:  # training keeps it, but does not use it
                kept.write(undo(kept.changes, value))
        canonical.set_weights(made.unjoined(own))

    def apply(self, node: str, inputs: list[np.ndarray], training: bool) -> np.ndarray:
        """Return the output of one node of the last recording for other inputs. Raises Unreadable if it cannot be
        called alone."""
        canonical, made = self.recorded()
        with _unchanged(self._variables), exact():
            return made.apply(node, inputs, lambda name, given: canonical.apply(name, given, training, tf.constant))

    def save_weights(self, path: Path) -> None:
        """Write the variables by their names and read them back. Raises Unreadable for another suffix, or if the file
        does not contain the variables."""
        import h5py  # type: ignore[import-untyped]

        if not path.name.endswith(".weights.h5"):
            raise Unreadable(f"{path.name}: TensorFlow's weights are written to a file that ends with .weights.h5.")
        with h5py.File(path, "w") as file:
            file.attrs["variables"] = json.dumps([name for name, _ in self._variables])
            for name, variable in self._variables:
                file.create_dataset(name, data=variable.numpy())
        with h5py.File(path) as file:
            same = all(np.array_equal(file[name][()], variable.numpy()) for name, variable in self._variables)
        if not same:
            raise Unreadable(f"{path.name}: what is read back differs from the module's variables.")

    def recorded(self) -> tuple[Canonical, Joined]:
        """Return the last recording, before and after joining operations that belong together."""
        if self._canonical is None or self._joined is None:
            raise Unreadable("The module must be recorded first.")
        return self._canonical, self._joined

    def is_moved(self, name: str, given: np.ndarray) -> bool:
        """Whether an input's channels are moved last: for images, unless the stated sizes say otherwise."""
        if given.ndim < 4:
            return self._convolves_sequences(given)
        spec = self._stated.get(name)
        if spec is None or spec.shape.rank != given.ndim:
            return True
        moved = given.transpose((0, *range(2, given.ndim), 1)).shape
        return bool(spec.shape.is_compatible_with(moved)) or not spec.shape.is_compatible_with(given.shape)

    def _convolves_sequences(self, given: np.ndarray) -> bool:
        """Whether a value (N, C, T) goes to a convolution over T, whose kernel (width, C, out) takes its channels."""
        if given.ndim != 3:
            return False
        shapes = [tuple(variable.shape) for _, variable in self._variables]
        return any(len(shape) == 3 and shape[1] == given.shape[1] != given.shape[2] for shape in shapes)

    def _type(self, name: str, given: np.ndarray) -> Any:
        if given.dtype.kind in "iu":
            return self._stated[name].dtype if name in self._stated else given.dtype
        return given.dtype if given.dtype.name in self.precisions else tf.dtypes.as_dtype(self.precisions[0])

    def _try(self, tensors: Mapping[str, Any], training: bool) -> Any:
        try:
            parameters = inspect.signature(self._call).parameters
        except (TypeError, ValueError):
            parameters = {}  # type: ignore[assignment]
        more: dict[str, Any] = {}
        for name in ("training", "is_training", "train"):
            if name in parameters:
                more[name] = training
                break
        try:
            if self._stated and len(self._stated) == len(tensors):
                if set(self._stated) != set(tensors):  # the other model's names differ: they are matched by position
                    tensors = dict(zip(self._stated, tensors.values(), strict=True))
                return self._call(**tensors, **more)
            return self._call(*tensors.values(), **more)
        except Unreadable:
            raise
        except Exception as error:
            shapes = [tuple(each.shape) for each in tensors.values()]
            text = f"The module cannot be called with inputs of shape {shapes}: {plain(error)}"
            raise Unreadable(text) from error


def is_network(found: Any) -> bool:
    """Whether this is a function of tensors: a tf.function, or one that needs an argument and reaches variables."""
    if isinstance(getattr(found, "python_function", None), Callable):  # type: ignore[arg-type]
        return True
    if not inspect.isroutine(found):
        return False
    try:
        parameters = inspect.signature(found).parameters.values()
    except (TypeError, ValueError):
        return False
    needs = any(each.default is each.empty and each.kind == each.POSITIONAL_OR_KEYWORD for each in parameters)
    return needs and bool(_named_variables(found, found))


def _callable(module: Any) -> Callable[..., Any]:
    if callable(module):
        return module  # type: ignore[no-any-return]
    for name in ("call", "forward", "predict"):
        if callable(getattr(module, name, None)):
            return getattr(module, name)  # type: ignore[no-any-return]
    raise Unreadable(f"{type(module).__name__} cannot be called: give it a method __call__(self, x).")


def _named_variables(module: Any, call: Any) -> list[tuple[str, Any]]:
    """Return every variable with the path of attributes that leads to it; a function's, with their names in it."""
    found: dict[int, tuple[str, Any]] = {}
    if isinstance(module, tf.Module):
        for path, variable in module._flatten(predicate=_is_variable, with_path=True):
            found.setdefault(id(variable), (".".join(str(each) for each in path), variable))
    elif hasattr(module, "_trackable_children"):
        found |= {id(variable): (path, variable) for path, variable in _tracked(module, "", set())}
    for name, value in _reached(module if inspect.isroutine(module) else call):
        for place, each in enumerate(tf.nest.flatten(value) if isinstance(value, list | tuple | dict) else [value]):
            if _is_variable(each):
                several = isinstance(value, list | tuple | dict)
                found.setdefault(id(each), (f"{name}.{place}" if several else name, each))
            elif isinstance(each, tf.Module):
                for path, variable in each._flatten(predicate=_is_variable, with_path=True):
                    inner = ".".join((name, *(str(part) for part in path)))
                    found.setdefault(id(variable), (inner, variable))
    return list(found.values())


def _tracked(place: Any, path: str, seen: set[int]) -> Iterator[tuple[str, Any]]:
    """Yield the variables of a loaded SavedModel by the paths of attributes that they were saved under."""
    if id(place) in seen:
        return
    seen.add(id(place))
    for name, child in place._trackable_children().items():
        inner = f"{path}.{name}" if path else name
        if _is_variable(child):
            yield inner, child
        elif hasattr(child, "_trackable_children"):
            yield from _tracked(child, inner, seen)


def _is_variable(value: Any) -> bool:
    return isinstance(value, tf.Variable)


def _reached(function: Any) -> Iterator[tuple[str, Any]]:
    """Yield what a Python function can name: its globals and its closure."""
    function = getattr(function, "python_function", function)
    try:
        kept = inspect.getclosurevars(inspect.unwrap(function))
    except TypeError:
        return
    yield from kept.nonlocals.items()
    yield from kept.globals.items()


@contextmanager
def _unchanged(variables: list[tuple[str, Any]]) -> Iterator[None]:
    """Restore the variables afterwards."""
    before = [(variable, held(variable)) for _, variable in variables]
    try:
        yield
    finally:
        for variable, value in before:
            if not np.array_equal(held(variable), value, equal_nan=value.dtype.kind == "f"):
                variable.assign(value)
