"""Train in JAX as shared/protocol.py specifies. Every step is a function of arrays that returns new ones."""

import os
from collections.abc import Callable
from typing import Any

import flax
import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from jax_impl.counting import count_flops
from jax_impl.layers import BatchNorm
from jax_impl.models import MODELS
from jax_impl.optimizers import STEPS, Arrays, State, matched
from jax_impl.profile import by_operation
from shared.protocol import Build
from shared.training import SGD, Adam, AdamW
from shared.weights import Weights

Batch = tuple[jax.Array, jax.Array]


class JaxModel:
    """An `nnx.Module`, split into its structure and its arrays by name, with its optimizer.

    The arrays are of three kinds: `parameters`, `statistics` (moving), and `chance`, the states of random numbers.
    """

    def __init__(self, build: Build) -> None:
        self.spec, self.train = build.model, build.train
        self.dtype = jnp.dtype(build.train.dtype)
        arguments: dict[str, Any] = build.train.network_arguments
        if self.spec.dropout is not None:
            arguments |= {"seed": build.train.seed}
        module = MODELS[self.spec.name](self.dtype, **arguments)
        self.structure, *states = nnx.split(module, nnx.Param, nnx.BatchStat, ...)
        self.trees = tuple(jax.tree.structure(state) for state in states)
        self.parameters, self.statistics, self.chance = (by_name(state) for state in states)
        self.module = module  # for its settings only: its arrays keep the initial values
        if build.weights is None:
            raise ValueError("this implementation has no initial weights of its own")
        self.load(build.weights)
        self.moments, self.optimize = matched(build.train, self.parameters)
        compiled: Any = jax.jit if build.mode == "graph" else lambda function, **_: function
        # Each new array reuses the memory of the one it replaces.
        self.update = compiled(self._update, donate_argnums=(0, 1, 2, 3))
        self.forward = compiled(self._forward)

    def put(self, images: np.ndarray, labels: np.ndarray) -> Batch:
        return self._put(images), jnp.array(labels)

    def _put(self, images: np.ndarray) -> jax.Array:
        return jnp.array(images, self.dtype)  # (N, H, W, C), copied

    def fetch_batch(self, batch: Batch) -> tuple[np.ndarray, np.ndarray]:
        images, labels = batch
        return self.fetch(images), self.fetch(labels)

    def train_step(self, batch: Batch, learning_rate: float) -> tuple[jax.Array, jax.Array]:
        rate = np.asarray(learning_rate, self.dtype)
        changed, loss, logits = self.update(self.parameters, self.statistics, self.chance, self.moments, *batch, rate)
        self.parameters, self.statistics, self.chance, self.moments = changed
        return loss, logits

    def _update(
        self,
        parameters: Arrays,
        statistics: Arrays,
        chance: Arrays,
        moments: State,
        images: jax.Array,
        labels: jax.Array,
        rate: jax.Array,
    ) -> tuple[tuple[Arrays, Arrays, Arrays, State], jax.Array, jax.Array]:
        (loss, (logits, statistics, chance)), gradients = self._differentiated(
            parameters, statistics, chance, images, labels
        )
        parameters, moments = self.optimize(parameters, moments, gradients, rate)
        return (parameters, statistics, chance, moments), loss, logits

    def _differentiated(
        self, parameters: Arrays, statistics: Arrays, chance: Arrays, images: jax.Array, labels: jax.Array
    ) -> Any:
        """Return the loss with the logits, the changed statistics and the random states, and the parameters'
        gradients."""

        def loss_of(parameters: Arrays) -> tuple[jax.Array, tuple[jax.Array, Arrays, Arrays]]:
            module = self._merged(parameters, statistics, chance)
            logits = module(images, training=True)
            _, _, *moved = nnx.split(module, nnx.Param, nnx.BatchStat, ...)
            return cross_entropy(labels, logits), (logits, *map(by_name, moved))

        return jax.value_and_grad(loss_of, has_aux=True)(parameters)

    def _merged(self, *kinds: Arrays) -> Any:
        """Return the module with these arrays."""
        states = (
            jax.tree.unflatten(tree, [arrays[name] for name in sorted(arrays)])
            for tree, arrays in zip(self.trees, kinds, strict=True)
        )
        return nnx.merge(self.structure, *states)

    def sync(self) -> None:
        jax.block_until_ready((self.parameters, self.statistics, self.chance, self.moments))

    def fetch(self, tensor: jax.Array) -> np.ndarray:
        return np.array(tensor)  # a copy, because JAX may reuse the array's memory

    def logits(self, images: np.ndarray) -> np.ndarray:
        return self.fetch(self.forward(self.parameters, self.statistics, self.chance, self._put(images)))

    def _forward(self, parameters: Arrays, statistics: Arrays, chance: Arrays, images: jax.Array) -> jax.Array:
        return self._merged(parameters, statistics, chance)(images)

    def loss_and_gradients(self, batch: Batch) -> tuple[float, Weights]:
        (loss, _), gradients = jax.jit(self._differentiated)(self.parameters, self.statistics, self.chance, *batch)
        return float(loss), self._exported(gradients)

    def activations(self, images: np.ndarray, training: bool = False) -> Weights:
        def outputs(*arrays: Any) -> tuple[Arrays, Arrays]:
            *kinds, batch = arrays
            module, seen = self._merged(*kinds), dict[str, jax.Array]()
            module(batch, training, seen.setdefault)
            *_, chance = nnx.split(module, nnx.Param, nnx.BatchStat, ...)
            return seen, by_name(chance)

        found, self.chance = jax.jit(outputs)(self.parameters, self.statistics, self.chance, self._put(images))
        return {layer.name: self.fetch(found[layer.name]) for layer in self.spec.layers}

    def weights(self) -> Weights:
        return self._exported(self.parameters | self.statistics)

    def _exported(self, arrays: Arrays) -> Weights:
        """Return NumPy arrays in the contract's order."""
        return {p.name: self.fetch(arrays[p.name]) for p in self.spec.parameters if p.name in arrays}

    def load(self, weights: Weights) -> None:
        for kind in (self.parameters, self.statistics):
            kind.update({name: jnp.array(weights[name], self.dtype) for name in kind})

    def optimizer_state(self) -> Weights:
        moments = {kind: self._exported(of_one) for kind, of_one in self.moments.items() if kind != STEPS}
        return {f"{name}/{kind}": value for kind, of_one in moments.items() for name, value in of_one.items()}

    def state(self) -> dict[str, np.ndarray]:
        return {f"{kind}:{name}": self.fetch(_data(value)) for kind, name, value in self._everything()}

    def restore(self, state: dict[str, np.ndarray]) -> None:
        for kind, name, value in list(self._everything()):
            given = jnp.array(state[f"{kind}:{name}"])
            self._kinds()[kind][name] = jax.random.wrap_key_data(given) if _is_key(value) else given

    def _kinds(self) -> dict[str, Arrays]:
        """Return everything that training changes."""
        own = {"parameters": self.parameters, "statistics": self.statistics, "chance": self.chance}
        return own | {f"optimizer {kind}": of_one for kind, of_one in self.moments.items()}

    def _everything(self) -> list[tuple[str, str, jax.Array]]:
        return [(kind, name, value) for kind, of_one in self._kinds().items() for name, value in of_one.items()]

    def settings(self) -> dict[str, str]:
        arrays = (self.parameters | self.statistics).values()
        found = {
            "dtype": " and ".join(sorted({str(array.dtype) for array in arrays})),
            "device": " and ".join(sorted({device.platform for array in arrays for device in array.devices()})),
            "threads": os.environ["PJRT_NPROC"],
            "TF32": "off",  # a CPU has no TF32
            "deterministic": "on",
            "jax": jax.__version__,
            "flax": flax.__version__,
        }
        for name, layer in vars(self.module).items():
            if isinstance(layer, BatchNorm):
                found[f"{name}: epsilon"] = f"{layer.epsilon:.12g}"
                found[f"{name}: weight of the new statistics"] = f"{layer.momentum:.12g}"
            elif isinstance(layer, nnx.Dropout):
                found[f"{name}: rate"] = f"{layer.rate:.12g}"
        match self.train.optimizer:
            case Adam() | AdamW() as spec:
                found |= {"optimizer": spec.name, "amsgrad": "off"}
                constants = ("beta1", "beta2", "epsilon", "weight_decay")
            case SGD() as spec:
                found |= {"optimizer": "sgd", "dampening": "0", "nesterov": "off"}
                constants = ("momentum", "weight_decay")
        return found | {name.replace("_", " "): f"{getattr(spec, name):.12g}" for name in constants}

    def count_parameters(self) -> tuple[int, int]:
        learned, moving = (sum(a.size for a in kind.values()) for kind in (self.parameters, self.statistics))
        return learned + moving, learned

    def count_by_layer(self) -> dict[str, int]:
        counts: dict[str, int] = {}
        for name, array in (self.parameters | self.statistics).items():
            layer = name.partition("/")[0]
            counts[layer] = counts.get(layer, 0) + array.size
        return counts

    def count_flops(self) -> int:
        image = jnp.zeros((1, *self.spec.input_shape), self.dtype)
        return count_flops(self._forward, self.parameters, self.statistics, self.chance, image)

    def profile(self, work: Callable[[], None]) -> dict[str, float]:
        return by_operation(work)


def by_name(state: nnx.State) -> Arrays:
    """Return the arrays of a state by canonical name: `conv1/kernel` is `module.conv1.kernel`."""
    return {"/".join(map(str, path)): variable.get_value() for path, variable in nnx.to_flat_state(state)}


def cross_entropy(labels: jax.Array, logits: jax.Array) -> jax.Array:
    """Return the mean over the batch of the cross-entropy of logits (N, classes) with labels (N,)."""
    log_p = jax.nn.log_softmax(logits)
    return -jnp.mean(jnp.take_along_axis(log_p, labels[:, None], axis=1))


def _is_key(array: jax.Array) -> bool:
    return bool(jnp.issubdtype(array.dtype, jax.dtypes.prng_key))


def _data(array: jax.Array) -> jax.Array:
    return jax.random.key_data(array) if _is_key(array) else array
