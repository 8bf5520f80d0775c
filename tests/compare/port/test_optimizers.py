"""Each framework's optimizers follow their records, and training is compared step by step.

Bad references to an optimizer are reported.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from slip import Slip
from training_slips import TRAINING, trained

from compare.graphs.optimizers import OptimizerRecord, after_steps, gradient_at
from compare.port import Port
from compare.port.optimizer_lines import line
from compare.port.optimizer_records import changed, differences, in_runs, rebased, set_aside
from compare.port.record import PortRecord
from compare.port.wanted import OPTIMIZERS
from compare.port.words import lines, notes
from shared.errors import InputError

PLAIN = trained("plain", "torch.optim.SGD(params, 0.01)", "keras.optimizers.SGD(0.01)")
ADAM = OptimizerRecord("adam", (0.1, 0.1), beta1=0.5, beta2=0.5, epsilon=0.0)


def found(slip: Slip, folder: Path, port: Port, **more: object) -> PortRecord:
    """Return the findings about a pair. `more` are other options."""
    for name, text in zip(("left.py", "right.py"), slip.files(), strict=True):
        (folder / name).write_text(text)
    options = {**slip.options(folder), **more}
    return port.check(f"{folder}/left.py:build", f"{folder}/right.py:build", **options)


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name == "adam" else [pytest.mark.long]) for name in OPTIMIZERS]
)  # long, because each compares two models
def test_with_its_defaults_every_optimizer_does_what_its_record_says(name: str, port: Port, tmp_path: Path) -> None:
    plain = replace(PLAIN, optimizers=("", ""), steps=0)
    record = found(plain, tmp_path, port, optimizer=name)
    assert record.learning is not None
    assert record.learning.asides == ()
    assert record.learning.steps == ()
    assert record.unexplained == ()
    assert record.causes  # defaults always differ
    assert all(cause.cause.startswith("optimizer.") and cause.rung == "steps" for cause in record.causes)
    assert 0 <= (record.causes[-1].after or 0) <= 1e-10 < (record.causes[0].before or 0)
    assert lines(record)[0].startswith(f"different in the optimizers alone: {len(record.causes)} cause")


@pytest.mark.long  # each compares two models
@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("Adam(params, weight_decay=0.1, amsgrad=True)", "Adam(amsgrad=True, clipnorm=0.01)"),
        ("NAdam(params, weight_decay=0.1, momentum_decay=0.01)", "Nadam(weight_decay=0.1)"),
        ("Adamax(params, 1e-2, weight_decay=0.1, eps=1e-3)", "Adamax(1e-2, epsilon=1e-3)"),
        ("RMSprop(params, centered=True, momentum=0.9, weight_decay=0.1)", "RMSprop(centered=True, momentum=0.9)"),
        ("Adagrad(params, 0.1, initial_accumulator_value=0.2)", "Adagrad(0.1, clipvalue=0.001)"),
        ("Adadelta(params, rho=0.8, eps=1e-3)", "Adadelta(rho=0.8, epsilon=1e-3, global_clipnorm=0.01)"),
        (
            "SGD(params, 0.1, momentum=0.9, dampening=0.3, weight_decay=0.1)",
            "SGD(0.1, momentum=0.8, nesterov=True, weight_decay=0.1)",
        ),
    ],
    ids=lambda text: text.partition("(")[0],
)
def test_with_its_options_every_optimizer_does_what_its_record_says(
    left: str, right: str, port: Port, tmp_path: Path
) -> None:
    record = found(trained("pair", f"torch.optim.{left}", f"keras.optimizers.{right}"), tmp_path, port)
    assert record.learning is not None
    assert record.learning.asides == ()
    assert record.unexplained == ()


def test_two_steps_of_adam_by_hand() -> None:
    done = after_steps(ADAM, {"w": np.array([1.0])}, [{"w": np.array([2.0])}, {"w": np.array([-2.0])}])
    # m: 1, -0.5; v: 2, 3. Corrected: 2 and -2/3; 4 and 4. So 1 - 0.1 * 2/2 + 0.1 * (2/3)/2.
    assert done["w"] == pytest.approx(1 - 0.1 + 0.1 / 3, rel=1e-14)


def test_clipping_by_the_norm_of_all_by_hand() -> None:
    record = OptimizerRecord("sgd", (1.0,), clipping="global_norm", clip=1.0)
    given = {"a": np.array([3.0]), "b": np.array([4.0])}
    done = after_steps(record, {"a": np.zeros(1), "b": np.zeros(1)}, [given])
    assert [float(done[name][0]) for name in "ab"] == pytest.approx([-0.6, -0.8])


def test_two_copies_of_a_bias_move_twice_and_decay_once_by_hand() -> None:
    record = OptimizerRecord("sgd", (0.5,), weight_decay=0.1)
    done = after_steps(record, {"b": np.array([2.0])}, [{"b": np.array([3.0])}], {"b": np.array([2.0])})
    # Each of two biases of 1 becomes 1 - 0.5 * (3 + 0.1 * 1).
    assert done["b"] == pytest.approx(2 * (1 - 0.5 * 3.1), rel=1e-14)


def test_nesterov_and_decay_of_either_form_by_hand() -> None:
    one = {"w": np.array([1.0])}
    record = OptimizerRecord("sgd", (0.1,), 0.5, nesterov=True, weight_decay=0.2)
    assert after_steps(record, one, [one])["w"] == pytest.approx(1 - 0.1 * 1.2 * 1.5, rel=1e-14)
    separate = replace(record, decay_form="decoupled", momentum_form="step")
    assert after_steps(separate, one, [one])["w"] == pytest.approx(1 * (1 - 0.1 * 0.2) - 0.1 * 1.5, rel=1e-14)


def test_gradients_change_in_sign_from_step_to_step() -> None:
    made = np.array([gradient_at(np.ones(14), step) for step in range(6)])
    assert (made.min(0) < 0).all()
    assert (made.max(0) > 0).all()


def test_a_changed_record_differs_in_nothing_any_more() -> None:
    other = replace(
        ADAM, rates=(0.2, 0.1), beta2=0.9, epsilon=1e-3, epsilon_place="inside", amsgrad=True, weight_decay=0.1,
        clipping="value", clip=0.5,
    )  # fmt: skip
    names = differences(ADAM, other)
    assert set(names) == {
        *("learning_rate", "schedule", "betas", "epsilon", "epsilon_place", "amsgrad", "weight_decay", "clipping"),
    }
    assert differences(ADAM, changed(other, ADAM, names)) == []
    assert differences(replace(ADAM, kind="adamax"), other)[0] == "kind"


def test_the_usual_group_is_the_one_that_is_like_the_other_optimizer() -> None:
    record = replace(ADAM, own={"a": {"rate": 0.1}})
    turned = rebased(record, replace(ADAM, rates=(0.01, 0.01)), ["a", "b"])
    assert turned.rates == pytest.approx((0.01, 0.01))
    assert turned.own == {"b": {"rate": pytest.approx(10.0)}}
    given = [{"a": np.ones(2), "b": np.ones(2)}] * 2
    before = {"a": np.zeros(2), "b": np.zeros(2)}
    done = [after_steps(each, before, given) for each in (record, turned)]
    assert all(np.allclose(done[0][name], done[1][name], rtol=1e-14) for name in "ab")


def test_what_no_option_changes_is_set_aside() -> None:
    left = replace(ADAM, clipping="global_norm", clip=1.0, clip_epsilon=1e-6)
    right, asides = set_aside(left, replace(left, clip_epsilon=0.0, rates=(0.1 * (1 + 3e-8), 0.1)))
    assert right == left
    assert len(asides) == 2


def test_rates_are_read_in_runs() -> None:
    assert in_runs([0.1] * 5 + [0.05] * 2 + [0.02]) == "0.1 (5 steps), 0.05 (2 steps), 0.02"
    assert in_runs([0.1, 0.2, 0.3, 0.4, 0.5]) == "0.1, 0.2, 0.3, 0.4, ..."


def test_lines_that_mend_an_optimizer() -> None:
    record = OptimizerRecord("sgd", (0.1,), 0.9, weight_decay=0.01, clipping="norm", clip=1.0)
    assert line(record, "momentum", "torch") == "torch.optim.SGD(parameters, lr=0.1, momentum=0.9, weight_decay=0.01)"
    assert "L2(0.005)" in line(record, "momentum", "keras")
    assert "clipnorm=1" in line(record, "momentum", "keras")
    assert line(record, "clipping", "torch").startswith("for p in model.parameters(): torch.nn.utils.clip_grad_norm_")
    assert "eps = 1e-07 / (1 - 0.5 ** t) ** 0.5" in line(
        replace(ADAM, epsilon=1e-7, epsilon_place="uncorrected"), "epsilon_place", "torch"
    ).replace('group["eps"]', "eps")


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("optimizer = 3", "is not an optimizer but int"),
        ("def optimizer(params):\n    return {}['absent']", "KeyError: 'absent'"),
        ("", "has no optimizer"),
    ],
)
def test_a_reference_that_is_no_optimizer(code: str, said: str, port: Port, tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(f"{code}\n")
    with pytest.raises(InputError, match="The left model") as raised:
        found(PLAIN, tmp_path, port, left_optimizer=f"{tmp_path}/own.py:optimizer")
    assert said in str(raised.value)


def test_what_cannot_be_trained_says_so(port: Port, tmp_path: Path) -> None:
    bare = replace(PLAIN, optimizers=("", ""))
    with pytest.raises(InputError, match="There is no optimizer 'adams'"):
        found(bare, tmp_path, port, optimizer="adams")
    with pytest.raises(InputError, match="must be from 1 to 1000"):
        found(bare, tmp_path, port, steps=-1)
    with pytest.raises(InputError, match="The optimizer of the left model: no/such"):
        found(bare, tmp_path, port, left_optimizer="no/such.py:optimizer")
    with pytest.raises(InputError, match="states no optimizer"):
        found(bare, tmp_path, port)
    (tmp_path / "empty.py").write_text("from torch import nn\n\n\ndef build():\n    return nn.Sequential(nn.ReLU())\n")
    model = f"{tmp_path}/empty.py:build"
    with pytest.raises(InputError, match="no parameter that both models train"):
        port.check(model, model, input=(4,), loss="mse", optimizer="sgd")


ODD = """import torch


class Odd(torch.optim.SGD):
    n = 0

    def step(self, closure=None):
        self.n += 1
        return super().step(closure) if self.n % 2 else None
"""


def test_an_optimizer_that_does_something_else_than_it_says_is_unexplained(port: Port, tmp_path: Path) -> None:
    pair = trained("odd", "Odd(params, 0.1)", "keras.optimizers.SGD(0.1)", own=(ODD, ""))
    record = found(pair, tmp_path, port, steps=4)
    assert record.verdict == "different"
    assert record.causes == ()
    assert [one.left for one in record.unexplained] == ["the optimizer"]
    assert record.learning is not None
    assert "Odd, does not do what its settings say" in record.learning.asides[0]
    assert "the steps of the optimizers for the same gradients differ by" in lines(record)[1]


def test_every_step_takes_the_next_examples_and_training_leaves_the_weights(port: Port, tmp_path: Path) -> None:
    pair = trained("still", "torch.optim.SGD(params, 1e-13)", "keras.optimizers.SGD(1e-13)")
    x = np.random.default_rng(0).standard_normal((27, 12))
    np.savez(tmp_path / "data.npz", x=x, labels=np.arange(27) % 5)
    record = found(pair, tmp_path, port, input=None, data=tmp_path / "data.npz", steps=4)
    assert record.learning is not None
    losses = [step.left_loss or 0 for step in record.learning.steps]
    assert len(set(losses[:3])) == 3
    assert losses[3] == pytest.approx(losses[0])  # three batches of eight, then the first again
    assert all((step.distance or 0) <= (step.bound or 0) for step in record.learning.steps)
    same = trained("far", "torch.optim.SGD(params, 0.5)", "keras.optimizers.SGD(0.5)")
    first, second = (found(same, tmp_path, port, steps=8) for _ in range(2))
    assert first.verdict == "same"
    assert first.learning is not None
    assert first.learning.steps == (second.learning and second.learning.steps)
    assert (first.learning.steps[-1].left_loss or 1) < 0.5 * (first.learning.steps[0].left_loss or 0)
    assert "the weights after 8 steps to" in lines(first)[0]
    assert any(note.startswith("Trained for 8 steps") for note in notes(first))


def test_a_function_may_take_arguments_and_give_a_dictionary(port: Port, tmp_path: Path) -> None:
    code = (
        "import torch\n\n\ndef make(model, lr, momentum=0.0):\n"
        "    opt = torch.optim.SGD(model.parameters(), lr, momentum)\n"
        "    schedule = torch.optim.lr_scheduler.ExponentialLR(opt, 0.5)\n"
        "    return {'optimizer': opt, 'lr_scheduler': {'scheduler': schedule}}\n"
    )
    (tmp_path / "own.py").write_text(code)
    record = found(PLAIN, tmp_path, port, left_optimizer=f"{tmp_path}/own.py:make(0.01, momentum=0.5)", steps=2)
    assert [cause.cause for cause in record.causes] == [
        "optimizer.schedule", "optimizer.momentum", "optimizer.momentum_form",
    ]  # fmt: skip


def test_the_pairs_of_training_are_many() -> None:
    assert len(TRAINING) >= 60
