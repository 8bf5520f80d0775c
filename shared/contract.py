"""A contract as a file, `contract.json` in the folder of a network of the user's own: data, which are checked and never
executed. This module reads and writes it, derives it from an implementation's report, and compares the two.
"""

import json
import math
import re
from collections import Counter
from typing import Annotated, Literal

from pydantic import AfterValidator, FailFast, Field, FiniteFloat, ValidationError

from shared.choices import LossName, TaskName
from shared.description import Description, Parameter
from shared.models import Init, LayerSpec, ModelSpec, ParamSpec, Shape
from shared.record import Count, Positive, Record
from shared.task import TASKS

MAX_BYTES = 1 << 20
MOST_CLASSES, MOST_PARAMETERS, MOST_LAYERS = 1_000, 1 << 31, 10_000
NAME = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}"
RECURRENT = "/recurrent_kernel"  # the kernel that multiplies the previous state
ONES = ("gamma", "moving_variance")
ORDER = ("embeddings", "kernel", "recurrent_kernel", "bias", "gamma", "beta", "moving_mean", "moving_variance")
Size = Annotated[int, Field(ge=1, le=1 << 24)]
Sizes = Annotated[tuple[Size, ...], FailFast(), Field(min_length=1, max_length=4)]
Feature = tuple[Size, Size, Size]
Share = Annotated[FiniteFloat, Field(ge=0, lt=1)]


def _valid(spec: ModelSpec) -> ModelSpec:
    checked(spec)
    if spec.code is None:
        raise ValueError("it is not a network of the user's own: it has no code")
    return spec


OwnNetwork = Annotated[ModelSpec, AfterValidator(_valid)]  # in a record, which may come from a stranger


class _Parameter(Record):
    name: str
    shape: Sizes
    init: Init
    trainable: bool = True
    flattened: Feature | None = None


class _Layer(Record):
    name: str
    output_shape: Sizes
    flops: Count = 0
    flattened: Feature | None = None


class ContractFile(Record):
    """The content of `contract.json`. The architecture's name is that of the folder; `n_classes` is the number of
    outputs, whatever the task."""

    schema_version: Literal[1] = 1
    task: TaskName = "classification"
    loss: LossName | None = None  # None: the task's usual one
    input_shape: Annotated[tuple[Size, ...], FailFast(), Field(min_length=1, max_length=3)]
    vocabulary: Positive | None = None
    n_classes: Positive
    dropout: Share | None = None
    n_params: Positive
    n_trainable: Positive
    flops: Positive
    layers: Annotated[tuple[_Layer, ...], FailFast(), Field(min_length=1, max_length=MOST_LAYERS)]
    parameters: Annotated[tuple[_Parameter, ...], FailFast(), Field(min_length=1, max_length=MOST_LAYERS)]


def read(content: bytes, name: str) -> ModelSpec:
    """Return the contract of the network `name`. Raise ValueError, in words, if the content is not a contract."""
    try:
        found = ContractFile.model_validate_json(content)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"]))[:200]
        raise ValueError(f"{f'{where}: ' if where else ''}{first['msg'].rstrip('.')[:200]}") from None
    said = {key: getattr(found, key) for key in type(found).model_fields if key != "schema_version"}
    said["loss"] = found.loss or TASKS[found.task].losses[0]
    said["parameters"] = tuple(ParamSpec(**dict(one)) for one in found.parameters)
    said["layers"] = tuple(LayerSpec(**dict(one)) for one in found.layers)
    return checked(ModelSpec(name=name, **said))


def write(spec: ModelSpec) -> bytes:
    """Return the content of `contract.json`: a line for each layer and each parameter."""
    found = ContractFile(
        task=spec.task,
        loss=spec.loss if spec.loss != TASKS[spec.task].losses[0] else None,
        input_shape=spec.input_shape,
        vocabulary=spec.vocabulary,
        n_classes=spec.n_classes,
        dropout=spec.dropout,
        n_params=spec.n_params,
        n_trainable=spec.n_trainable,
        flops=spec.flops,
        layers=tuple(_Layer(**vars(layer)) for layer in spec.layers),
        parameters=tuple(_Parameter(**vars(parameter)) for parameter in spec.parameters),
    ).model_dump(mode="json", exclude_defaults=True)
    first = [key for key in ("task", "loss", "input_shape", "vocabulary") if key in found]
    lines = [' "schema_version": 1', *(f" {json.dumps(key)}: {json.dumps(found.pop(key))}" for key in first)]
    for key, value in found.items():
        if isinstance(value, list):
            rows = ",\n".join(f"  {json.dumps(row)}" for row in value)
            lines.append(f" {json.dumps(key)}: [\n{rows}\n ]")
        else:
            lines.append(f" {json.dumps(key)}: {json.dumps(value)}")
    return ("{\n" + ",\n".join(lines) + "\n}\n").encode()


def checked(spec: ModelSpec) -> ModelSpec:
    """Return the contract itself. Raise ValueError, in words, if its parts and its counts contradict each other."""
    layers, parameters = spec.layers, spec.parameters
    for kind, names in (("layer", [layer.name for layer in layers]), ("parameter", [p.name for p in parameters])):
        pattern = NAME if kind == "layer" else f"{NAME}/{NAME}"
        if wrong := [name for name in names if not re.fullmatch(pattern, name)]:
            raise ValueError(f"{wrong[0][:100]!r} is not a valid name for a {kind}")
        if len(set(names)) < len(names):
            twice = next(name for name, many in Counter(names).items() if many > 1)
            raise ValueError(f"the {kind} {twice} is there twice")
    if spec.dropout is not None and not any(layer.name.startswith("dropout") for layer in layers):
        raise ValueError("it has dropout, and no layer whose name begins with dropout: parity checks read those")
    known = {layer.name for layer in layers}
    if lost := next((p.name for p in parameters if p.name.rpartition("/")[0] not in known), None):
        raise ValueError(f"the parameter {lost} belongs to no layer: its layer needs that name")
    _check_outputs(spec)
    for what, said, counted in (
        ("n_params", spec.n_params, sum(math.prod(p.shape) for p in parameters)),
        ("n_trainable", spec.n_trainable, sum(math.prod(p.shape) for p in parameters if p.trainable)),
        ("flops", spec.flops, sum(layer.flops for layer in layers)),
    ):
        if said != counted or not counted:
            raise ValueError(f"{what} is {said:,}, and its parts add up to {counted:,}")
    if spec.n_params > MOST_PARAMETERS:
        raise ValueError(f"it has {spec.n_params:,} parameters, and {MOST_PARAMETERS:,} are possible")
    sized: list[tuple[ParamSpec | LayerSpec, int]] = [(p, p.shape[0]) for p in parameters]
    sized += [(one, one.output_shape[0]) for one in layers]
    for part, size in sized:
        if part.flattened and math.prod(part.flattened) != size:
            raise ValueError(f"{part.name}: a flatten of {_shape(part.flattened)} does not have {size:,} values")
    return spec


def _check_outputs(spec: ModelSpec) -> None:
    """Raise ValueError, in words, unless the loss and the number of outputs suit the task."""
    task, last = TASKS[spec.task], spec.layers[-1]
    if spec.vocabulary is not None and len(spec.input_shape) != 1:
        raise ValueError(f"tokens are a row of numbers, and its input is {_shape(spec.input_shape)}")
    if spec.loss not in task.losses:
        raise ValueError(f"its loss is {spec.loss}, and {task.title} has {' and '.join(task.losses)}")
    outputs = "classes" if task.classifies else "outputs"
    if not task.least_outputs <= spec.n_classes <= MOST_CLASSES:
        raise ValueError(
            f"it has {spec.n_classes:,} {outputs}, and {task.least_outputs} to {MOST_CLASSES:,} are possible"
        )
    if last.output_shape != (spec.n_classes,):
        raise ValueError(
            f"its last layer, {last.name}, gives {_shape(last.output_shape)}, and there are {spec.n_classes} {outputs}"
        )


def derived(
    name: str, found: Description, task: TaskName = "classification", loss: LossName | None = None
) -> ModelSpec:
    """Return the contract that an implementation's own network meets, for a task and its loss (None: the usual one).
    Raise ValueError, in words, if there is none.

    FLOPs are two for each multiply-add of a kernel, at each position of the layer's output. In a recurrent layer both
    kernels count at each step of its input. A vector with as many values as the feature map before it is its flatten;
    later layers keep the order until a dense layer.
    """
    by_layer: dict[str, list[Parameter]] = {}
    for parameter in found.parameters:
        by_layer.setdefault(parameter.name.rpartition("/")[0], []).append(parameter)
    layers: list[LayerSpec] = []
    parameters: list[ParamSpec] = []
    image = found.input_shape
    order: Shape | None = (
        (image[0], image[1], image[2]) if len(image) == 3 else None
    )  # that of the feature map which a vector may be a flatten of
    n_steps = image[0]  # of the sequence that the next layer is given
    for layer in found.layers:
        own = sorted(by_layer.pop(layer.name, []), key=_place)
        kernel = next((p.shape for p in own if p.name.endswith("/kernel")), None)
        positions, before = math.prod(layer.output_shape[:-1]), order
        if len(layer.output_shape) == 3:
            height, width, channels = layer.output_shape
            order = height, width, channels
        elif kernel is not None or (order and math.prod(order) != layer.output_shape[0]):
            order = None
        flattened = order if len(layer.output_shape) == 1 else None
        flops = 2 * math.prod(kernel) * positions if kernel else 0
        if recurrent := next((p.shape for p in own if p.name.endswith(RECURRENT)), None):
            flops = 2 * (math.prod(kernel or ()) + math.prod(recurrent)) * n_steps
        n_steps = layer.output_shape[0]
        layers.append(LayerSpec(layer.name, layer.output_shape, flops, flattened))
        of_kernel = before if before and len(layer.output_shape) == 1 else None
        for p in own:
            along = of_kernel if p.name.endswith("/kernel") else flattened
            along = along if along and math.prod(along) == p.shape[0] else None
            parameters.append(ParamSpec(p.name, p.shape, _init(p.name), p.trainable, along))
    if by_layer:
        layer_name = next(iter(by_layer))
        raise ValueError(f"the parameters of {layer_name} belong to no layer that is reported under that name")
    if not layers:
        raise ValueError("no layer is reported")
    return checked(
        ModelSpec(
            name=name,
            input_shape=found.input_shape,
            n_classes=layers[-1].output_shape[-1],
            parameters=tuple(parameters),
            layers=tuple(layers),
            n_params=sum(math.prod(p.shape) for p in parameters),
            n_trainable=sum(math.prod(p.shape) for p in parameters if p.trainable),
            flops=sum(layer.flops for layer in layers),
            dropout=found.dropout,
            task=task,
            loss=loss or TASKS[task].losses[0],
            vocabulary=_vocabulary(found),
        )
    )


def _vocabulary(found: Description) -> int | None:
    """Return the number of tokens: the rows of the first embedding. Raise ValueError if there is none."""
    if not found.tokens:
        return None
    rows = [parameter.shape[0] for parameter in found.parameters if parameter.name.endswith("/embeddings")]
    if not rows:
        raise ValueError("it takes tokens, and has no embedding")
    return rows[0]


def differences(spec: ModelSpec, found: Description) -> list[str]:
    """Return a clause for each difference between an implementation's own network and the contract."""
    said = [] if found.input_shape == spec.input_shape else [_other("the input", found.input_shape, spec.input_shape)]
    theirs: dict[str, tuple[int, ...]] = {layer.name: layer.output_shape for layer in found.layers}
    said += _compared("layer", theirs, {layer.name: layer.output_shape for layer in spec.layers})
    theirs = {parameter.name: parameter.shape for parameter in found.parameters}
    said += _compared("parameter", theirs, {parameter.name: parameter.shape for parameter in spec.parameters})
    trainable = {parameter.name: parameter.trainable for parameter in spec.parameters}
    said += [
        f"the parameter {parameter.name} is {'' if parameter.trainable else 'not '}trainable, in the contract "
        f"{'not' if parameter.trainable else 'it is'}"
        for parameter in found.parameters
        if parameter.trainable != trainable.get(parameter.name, parameter.trainable)
    ]
    if found.dropout != spec.dropout:
        said.append(f"its dropout is {_rate(found.dropout)}, in the contract {_rate(spec.dropout)}")
    if not said and frameworks_count(spec) and found.flops not in (None, spec.flops):
        said.append(f"its framework counts {found.flops or 0:,} FLOPs, and the contract has {spec.flops:,}")
    return said


def frameworks_count(spec: ModelSpec) -> bool:
    """Return whether frameworks count the FLOPs of `spec`: none counts every step of a recurrent layer."""
    return not any(parameter.name.endswith(RECURRENT) for parameter in spec.parameters)


def _compared(kind: str, theirs: dict[str, tuple[int, ...]], contract: dict[str, tuple[int, ...]]) -> list[str]:
    missing = [name for name in contract if name not in theirs]
    more = [name for name in theirs if name not in contract]
    said = [f"it has no {kind} {', '.join(missing)}"] if missing else []
    said += [f"the contract has no {kind} {', '.join(more)}"] if more else []
    return said + [
        _other(f"the {kind} {name}", shape, contract[name])
        for name, shape in theirs.items()
        if name in contract and shape != contract[name]
    ]


def _other(what: str, found: tuple[int, ...], said: tuple[int, ...]) -> str:
    return f"{what} is {_shape(found)}, in the contract {_shape(said)}"


def _shape(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))


def _rate(rate: float | None) -> str:
    return "none" if rate is None else f"{rate:g}"


def _place(parameter: Parameter) -> int:
    part = parameter.name.rpartition("/")[2]
    return ORDER.index(part) if part in ORDER else len(ORDER)


def _init(name: str) -> Init:
    part = name.rpartition("/")[2]
    return (
        "glorot_uniform"
        if part in ("kernel", "recurrent_kernel", "embeddings")
        else "ones"
        if part in ONES
        else "zeros"
    )
