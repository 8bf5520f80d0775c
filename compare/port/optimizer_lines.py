"""Write an optimizer as code of either framework."""

from compare.graphs.optimizers import OptimizerRecord
from compare.port.optimizer_records import in_runs, parts

_TORCH = {
    "sgd": "SGD",
    "adam": "Adam",
    "rmsprop": "RMSprop",
    "adagrad": "Adagrad",
    "adadelta": "Adadelta",
    "adamax": "Adamax",
    "nadam": "NAdam",
}
_KERAS = {**_TORCH, "nadam": "Nadam"}


def line(record: OptimizerRecord, name: str, framework: str) -> str:
    """Return the line of code for this optimizer. If the framework has no option for it, return what to do in every
    step. `name` is the setting that was changed."""
    torch = framework == "torch"
    if name == "epsilon_place" and (said := _place(record, torch)):
        return said
    if name == "schedule":
        what = "a scheduler of torch.optim.lr_scheduler" if torch else "a schedule of keras.optimizers.schedules"
        return f"{what} that gives {in_runs(record.rates)}"
    if name == "momentum_form":
        return "multiply what momentum keeps by the new rate over the old one whenever the rate changes"
    if name == "momentum_decay" and not torch:
        return "Keras's Nadam has 0.96 ** t built in: momentum_decay=1.0 in torch.optim.NAdam"
    if name == "own":
        keys = ", ".join(list(record.own)[:3])
        if not record.own:
            return "one group of parameters" if torch else "no exclude_from_weight_decay"
        if torch:
            own = ", ".join(f"{name} {value:.6g}" for name, value in next(iter(record.own.values())).items())
            return f"a group of parameters of its own for {keys}: {own.replace('rate', 'lr times')}"
        if any("rate" in own for own in record.own.values()):
            return f"an optimizer of its own for {keys}: Keras has one learning rate for all"
        return f"optimizer.exclude_from_weight_decay for {keys}"
    if name == "wholes":
        return _of_parts(record, torch)
    if torch and name == "clipping":
        return _torch_clipping(record)
    if not torch and record.weight_decay and record.decay_form == "coupled":
        half = f"{record.weight_decay / 2:.6g}"
        return f"{_keras(record)}, and kernel_regularizer=keras.regularizers.L2({half}) for its coupled weight decay"
    return _torch(record) if torch else _keras(record)


def _of_parts(record: OptimizerRecord, torch: bool) -> str:
    """Return what to do for a norm of several weights together, or of each part of one."""
    if record.wholes:
        where = "before the step" if torch else "before optimizer.apply, in a train_step of your own"
        return f"multiply the gradients of {parts(record)} by min(1, {record.clip:.6g} / their common norm) {where}"
    if torch:
        clip = f"min(1, {record.clip:.6g} / part.norm())"
        return f"for part in p.grad.chunk(3): part.mul_({clip}) before the step, of each parameter p that holds three"
    return "a variable for each part, as three Dense layers for queries, keys and values"


def _place(record: OptimizerRecord, torch: bool) -> str:
    """Return what to do for an epsilon in another place, for which there is no option."""
    e = f"{record.epsilon:.6g}"
    if record.kind == "adam" and record.epsilon_place == "uncorrected" and torch:
        return f'group["eps"] = {e} / (1 - {record.beta2:.6g} ** t) ** 0.5 in step t, from 1'
    if record.kind == "adam" and not torch:
        return f"optimizer.epsilon = {e} * (1 - {record.beta2:.6g} ** t) ** 0.5 in step t, from 1"
    where = "under the root" if record.epsilon_place == "inside" else "behind the root"
    return f"no option puts epsilon {where}: write the step by hand, or make epsilon next to nothing on both sides"


def _torch_clipping(record: OptimizerRecord) -> str:
    if not record.clipping:
        return "no clip_grad_norm_ or clip_grad_value_ before the step"
    if record.clipping == "value":
        return f"torch.nn.utils.clip_grad_value_(model.parameters(), {record.clip:.6g}) before the step"
    if record.clipping == "norm":
        return f"for p in model.parameters(): torch.nn.utils.clip_grad_norm_([p], {record.clip:.6g}) before the step"
    return f"torch.nn.utils.clip_grad_norm_(model.parameters(), {record.clip:.6g}) before the step"


def _constants(record: OptimizerRecord, betas: str, rho: str, epsilon: str) -> list[str]:
    """Return the arguments that both frameworks have, under the names that one of them uses."""
    r, said = record, list[str]()
    if r.kind in ("sgd", "rmsprop") and r.momentum:
        said.append(f"momentum={r.momentum:.6g}")
    if r.nesterov:
        said.append("nesterov=True")
    if r.kind in ("adam", "adamax", "nadam"):
        said.append(betas.format(r.beta1, r.beta2))
    if r.kind in ("rmsprop", "adadelta"):
        said.append(f"{rho}={r.beta2:.6g}")
    if r.kind != "sgd":
        said.append(f"{epsilon}={r.epsilon:.6g}")
    said += ["amsgrad=True"] * r.amsgrad + ["centered=True"] * r.centered
    if r.kind == "adagrad":
        said.append(f"initial_accumulator_value={r.accumulator:.6g}")
    return said


def _torch(record: OptimizerRecord) -> str:
    r, more = record, [f"lr={max(record.rates):.6g}"]
    decoupled = r.weight_decay and r.decay_form == "decoupled" and r.kind == "adam"
    name = "AdamW" if decoupled else _TORCH[r.kind]
    rho = "alpha" if r.kind == "rmsprop" else "rho"
    more += _constants(r, "betas=({:.6g}, {:.6g})", rho, "eps")
    if r.kind == "nadam":
        more.append(f"momentum_decay={r.momentum_decay:.6g}")
    if r.weight_decay:
        more.append(f"weight_decay={r.weight_decay:.6g}")
    elif name == "AdamW":
        more.append("weight_decay=0")
    behind = ", and p *= 1 - lr * weight_decay before the step" if _by_hand(r) else ""
    return f"torch.optim.{name}(parameters, {', '.join(more)}){behind}"


def _by_hand(record: OptimizerRecord) -> bool:
    return bool(record.weight_decay) and record.decay_form == "decoupled" and record.kind not in ("adam", "nadam")


def _keras(record: OptimizerRecord) -> str:
    r, more = record, [f"learning_rate={max(record.rates):.6g}"]
    decoupled = r.weight_decay and r.decay_form == "decoupled"
    name = "AdamW" if decoupled and r.kind == "adam" else _KERAS[r.kind]
    more += _constants(r, "beta_1={:.6g}, beta_2={:.6g}", "rho", "epsilon")
    if decoupled:
        more.append(f"weight_decay={r.weight_decay:.6g}")
    if r.clipping:
        word = {"norm": "clipnorm", "global_norm": "global_clipnorm", "value": "clipvalue"}[r.clipping]
        more.append(f"{word}={r.clip:.6g}")
    return f"keras.optimizers.{name}({', '.join(more)})"
