"""Keras's optimizers: by name, by reference, or from a compiled model; and their records, from the configuration."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
from keras import ops

from compare.adapters.adapter import Unreadable
from compare.adapters.keras_backend import exact_constants
from compare.adapters.shortest import shortest
from compare.graphs.optimizers import OptimizerRecord

__all__ = ["BY_NAME", "exact_constants", "optimizer_of", "rate_of", "record_of", "set_rate"]

BY_NAME: dict[str, Any] = {
    "sgd": keras.optimizers.SGD,
    "rmsprop": keras.optimizers.RMSprop,
    "adam": keras.optimizers.Adam,
    "adamw": keras.optimizers.AdamW,
    "adagrad": keras.optimizers.Adagrad,
    "adadelta": keras.optimizers.Adadelta,
    "adamax": keras.optimizers.Adamax,
    "nadam": keras.optimizers.Nadam,
}
_KINDS = {
    "SGD": "sgd",
    "RMSprop": "rmsprop",
    "Adam": "adam",
    "AdamW": "adam",
    "Adagrad": "adagrad",
    "Adadelta": "adadelta",
    "Adamax": "adamax",
    "Nadam": "nadam",
}
_SETTINGS = (
    *("momentum", "nesterov", "beta_1", "beta_2", "rho", "epsilon", "amsgrad", "centered", "initial_accumulator_value"),
    *("weight_decay", "clipnorm", "global_clipnorm", "clipvalue"),
    *("use_ema", "gradient_accumulation_steps", "loss_scale_factor"),
)
_PLACES = {"adam": "uncorrected", "rmsprop": "inside", "adagrad": "inside", "adadelta": "inside"}


def optimizer_of(found: Any, text: str) -> Any:
    """Return a new optimizer like the one that a reference or a compiled model names. Raises Unreadable if none is."""
    if isinstance(found, str):
        found = keras.optimizers.get(found)
    elif callable(found) and not isinstance(found, keras.optimizers.Optimizer):
        found = found()
    if not isinstance(found, keras.optimizers.Optimizer):
        raise Unreadable(
            f"{text} is not an optimizer but {type(found).__name__}: give one of keras.optimizers, or a function that "
            "returns one."
        )
    if not found.built:
        return found
    try:
        made = type(found).from_config(found.get_config())
    except (NotImplementedError, TypeError, ValueError) as error:
        raise Unreadable(
            f"The optimizer has already taken steps, and cannot be rebuilt: {error}. Give a new one."
        ) from None
    for name in ("_exclude_from_weight_decay", "_exclude_from_weight_decay_names"):
        if hasattr(found, name):
            object.__setattr__(made, name, getattr(found, name))
    return made


def rate_of(optimizer: Any) -> float:
    """Return the learning rate of the next step."""
    return shortest(ops.convert_to_numpy(optimizer.learning_rate))


def set_rate(optimizer: Any, rates: Sequence[float], number: int) -> None:
    """Give an optimizer the rate of a loop's step, if a callback may have set it; a schedule is left alone."""
    schedule = keras.optimizers.schedules.LearningRateSchedule
    if rates and not isinstance(getattr(optimizer, "_learning_rate", None), schedule):
        optimizer.learning_rate = rates[min(number, len(rates) - 1)]


def record_of(optimizer: Any, rates: list[float], variables: Mapping[str, Any]) -> OptimizerRecord | None:
    """Return an optimizer's record; None if it is unknown. `variables` are what it trains, by NODE/ROLE."""
    name = type(optimizer).__name__
    config: dict[str, Any] = {
        each: getattr(optimizer, each, None) for each in _SETTINGS
    }  # a schedule need not have a configuration
    strange = any(config.get(each) for each in ("use_ema", "gradient_accumulation_steps", "loss_scale_factor"))
    if name not in _KINDS or not type(optimizer).__module__.startswith("keras.") or strange:
        return None
    kind = _KINDS[name]
    clipping = next((n for n in ("clipnorm", "global_clipnorm", "clipvalue") if config.get(n)), "")
    decay = float(config.get("weight_decay") or 0.0)
    own = {
        key: {"weight_decay": 0.0}
        for key, variable in variables.items()
        if decay and isinstance(variable, keras.Variable) and not optimizer._use_weight_decay(variable)
    }
    return OptimizerRecord(
        kind,
        tuple(rates),
        float(config.get("momentum") or 0.0),
        bool(config["nesterov"]),
        momentum_form="step",
        beta1=float(config["beta_1"] or 0.0),
        beta2=float(config["beta_2"] or config["rho"] or 0.0),
        epsilon=float(config["epsilon"] or 0.0),
        epsilon_place=_PLACES.get(kind, "outside"),
        amsgrad=bool(config["amsgrad"]),
        centered=bool(config["centered"]),
        momentum_decay=1.0,
        weight_decay=decay,
        decay_form="decoupled",
        clipping={"clipnorm": "norm", "global_clipnorm": "global_norm", "clipvalue": "value"}.get(clipping, ""),
        clip=float(config[clipping]) if clipping else 0.0,
        accumulator=float(config["initial_accumulator_value"] or 0.0),
        own=own,
    )
