"""The matched optimizers as functions of parameters, state and gradients. Their formulas are in shared/training.py.

Parameters, gradients and each part of the state are dictionaries of arrays by the parameters' canonical names.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp

from shared.training import SGD, Adam, AdamW, TrainSpec

Arrays = dict[str, jax.Array]
State = dict[str, Arrays]  # m and v, or velocity; and the number of finished steps
Update = Callable[[Arrays, State, Arrays, jax.Array], tuple[Arrays, State]]
STEPS = "steps"


def matched(train: TrainSpec, parameters: Arrays) -> tuple[State, Update]:
    """Return the matched optimizer's initial state and its update function."""

    def zeros() -> Arrays:
        return {name: jnp.zeros_like(p) for name, p in parameters.items()}

    match train.optimizer:
        case Adam() | AdamW() as spec:
            steps = {STEPS: jnp.zeros((), jnp.int64)}
            return {"m": zeros(), "v": zeros(), STEPS: steps}, _adam(spec)
        case SGD() as spec:
            return {"velocity": zeros()}, _momentum(spec)
        case None:
            raise ValueError("the idiomatic recipe has an optimizer of its own, and this implementation has no such")


def _adam(spec: Adam | AdamW) -> Update:
    """Return Adam's update, with coupled or decoupled weight decay. Epsilon is added to the root of the corrected
    second moment."""
    beta1, beta2 = spec.beta1, spec.beta2

    def update(parameters: Arrays, state: State, gradients: Arrays, rate: jax.Array) -> tuple[Arrays, State]:
        done = state[STEPS][STEPS] + 1
        # In float32, 1 - 0.999^t would carry an error of 1e-5 in the first steps.
        corrections = [1 - beta ** done.astype(jnp.float64) for beta in (beta1, beta2)]
        moved: Arrays = {}
        m, v = dict(state["m"]), dict(state["v"])
        for name, given in parameters.items():
            p, g = given, gradients[name]
            if isinstance(spec, AdamW):
                p = given - rate * spec.weight_decay * given
            elif spec.weight_decay:
                g = g + spec.weight_decay * given
            m[name] = beta1 * m[name] + (1 - beta1) * g
            v[name] = beta2 * v[name] + (1 - beta2) * g * g
            m_hat, v_hat = (
                moment / correction.astype(p.dtype)
                for moment, correction in zip((m[name], v[name]), corrections, strict=True)
            )
            moved[name] = p - rate * m_hat / (jnp.sqrt(v_hat) + spec.epsilon)
        return moved, {"m": m, "v": v, STEPS: {STEPS: done}}

    return update


def _momentum(spec: SGD) -> Update:
    """Return the update of gradient descent whose velocity does not absorb the learning rate."""

    def update(parameters: Arrays, state: State, gradients: Arrays, rate: jax.Array) -> tuple[Arrays, State]:
        moved, velocity = {}, dict(state["velocity"])
        for name, p in parameters.items():
            g = gradients[name] + spec.weight_decay * p if spec.weight_decay else gradients[name]
            velocity[name] = spec.momentum * velocity[name] + g
            moved[name] = p - rate * velocity[name]
        return moved, {"velocity": velocity}

    return update
