"""Write a loss as code of either framework."""

from compare.graphs.losses import LossRecord

_TORCH = {
    ("cross_entropy", "logits"): "nn.CrossEntropyLoss",
    ("cross_entropy", "log_probabilities"): "nn.NLLLoss",
    ("binary_cross_entropy", "logits"): "nn.BCEWithLogitsLoss",
    ("binary_cross_entropy", "probabilities"): "nn.BCELoss",
    ("mse", "values"): "nn.MSELoss",
    ("mae", "values"): "nn.L1Loss",
    ("huber", "values"): "nn.HuberLoss",
    ("kl_div", "log_probabilities"): "nn.KLDivLoss",
    ("poisson", "logits"): "nn.PoissonNLLLoss",
    ("poisson", "values"): "nn.PoissonNLLLoss",
}
_KERAS = {
    "binary_cross_entropy": "BinaryCrossentropy",
    "mse": "MeanSquaredError",
    "mae": "MeanAbsoluteError",
    "huber": "Huber",
    "kl_div": "KLDivergence",
    "poisson": "Poisson",
    "log_cosh": "LogCosh",
    "hinge": "Hinge",
    "squared_hinge": "SquaredHinge",
}


def line(record: LossRecord, framework: str) -> str:
    """Return the line of code for this loss; its formula in words if the framework has none."""
    return _torch(record) if framework == "torch" else _keras(record)


def _number(value: float) -> str:
    return f"{value:.6g}"


def _torch(record: LossRecord) -> str:
    name = _TORCH.get((record.kind, record.takes))
    more, behind = [], ""
    if name is None:
        name = _TORCH.get((record.kind, "logits")) or _TORCH.get((record.kind, "log_probabilities"))
        if record.takes == "probabilities" and record.kind in ("cross_entropy", "kl_div"):
            return f"{'nn.NLLLoss' if record.kind == 'cross_entropy' else 'nn.KLDivLoss'}() of outputs.log()"
        if name is None:
            return f"{record.kind} of the outputs, written out"
    if record.smoothing:
        more.append(f"label_smoothing={_number(record.smoothing)}")
    if record.weights:
        more.append("weight=torch.tensor([...])")
    if record.positive:
        more.append("pos_weight=torch.tensor([...])")
    if record.ignore is not None and record.ignore != -100:
        more.append(f"ignore_index={record.ignore}")
    if record.kind == "huber" and record.delta != 1:
        more.append(f"delta={_number(record.delta)}")
    if name == "nn.PoissonNLLLoss" and record.takes == "values":
        more.append("log_input=False")
    if record.reduction in ("sum", "batch_mean") or (record.reduction == "example_mean" and record.kind == "kl_div"):
        batchmean = name == "nn.KLDivLoss" and record.reduction != "sum"
        more.append(f'reduction="{"batchmean" if batchmean else "sum"}"')
        behind = " / len(outputs)" if record.reduction == "batch_mean" and not batchmean else ""
    elif record.reduction == "sum_of_means":
        more.append('reduction="sum"')
        behind = " / outputs.shape[1]"
    return f"{name}({', '.join(more)}){behind}{_times(record)}"


def _keras(record: LossRecord) -> str:
    more, behind = [], ""
    name = _KERAS.get(record.kind, "")
    if record.kind == "cross_entropy":
        categorical = record.smoothing or record.rule == "categorical"
        name = "CategoricalCrossentropy" if categorical else "SparseCategoricalCrossentropy"
        if record.ignore is not None and record.ignore >= 0:
            more.append(f"ignore_class={record.ignore}")
    if "cross_entropy" in record.kind and record.takes == "logits":
        more.append("from_logits=True")
    if record.smoothing:
        more.append(f"label_smoothing={_number(record.smoothing)}")
    if record.kind == "huber":
        more.append(f"delta={_number(record.delta)}")
    if record.reduction in ("sum", "sum_of_means", "batch_mean"):
        more.append('reduction="sum"')
        summed = record.kind in ("cross_entropy", "kl_div")
        behind = " / len(outputs)" if record.reduction == "batch_mean" else ""
        behind += " * outputs.shape[-1]" if record.reduction in ("sum", "batch_mean") and not summed else ""
    if record.weights:
        behind += ", with class_weight={...} in fit" + ", over their mean in the batch" * (record.reduction == "mean")
    if record.positive:
        behind += ", with pos_weight (tf.nn.weighted_cross_entropy_with_logits)"
    return f"keras.losses.{name}({', '.join(more)}){behind}{_times(record)}"


def _times(record: LossRecord) -> str:
    return "" if record.factor == 1 else f" * {_number(record.factor)}"
