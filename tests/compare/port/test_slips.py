"""Slips in ported models are found and named, and equal models have no cause.

The default suite has a sample, `-m long` all of them.
"""

import hashlib
from pathlib import Path

import pytest
from slips import SLIPS, Slip, ask

from compare.port import Port, assert_same
from compare.port.words import lines
from shared.errors import InputError

SAMPLE, TRAINED = 8, 20  # one in so many, chosen by name, so additions change nothing
ALWAYS = {"equal: hard activations"}  # the only one that computes PyTorch's hardsigmoid backwards


def _in_sample(slip: Slip) -> bool:
    one_in = TRAINED if slip.steps or any(slip.fits) else SAMPLE
    return slip.name in ALWAYS or hashlib.sha256(slip.name.encode()).digest()[0] % one_in == 0


PAIRS = [pytest.param(slip, id=slip.name, marks=[] if _in_sample(slip) else [pytest.mark.long]) for slip in SLIPS]


@pytest.mark.parametrize("slip", PAIRS)
def test_a_slip_gets_its_right_answer(slip: Slip, port: Port, tmp_path: Path) -> None:
    answer = ask(slip, tmp_path / "pair", port)
    assert answer.right(slip), answer.said


def test_there_are_enough_of_both_kinds() -> None:
    assert len(SLIPS) >= 80
    assert len({slip.name for slip in SLIPS}) == len(SLIPS)
    assert sum(not slip.causes for slip in SLIPS) >= 25


def test_the_example_of_the_guide(port: Port) -> None:
    folder = Path(__file__).parents[3] / "examples" / "port"
    found = port.check(f"{folder}/my_torch.py:Net", f"{folder}/my_keras.py:build")
    assert [cause.cause for cause in found.causes] == ["padding.side", "batch_norm.epsilon", "batch_norm.momentum"]
    same = port.check(f"{folder}/my_torch.py:Net", f"{folder}/my_keras.py:mended", float32=True)
    assert same.verdict == "same"
    assert 0 < (same.float32_distance or 0) <= (same.float32_bound or 0)


def test_a_part_in_half_precision_is_seen_in_float32_alone(port: Port, tmp_path: Path) -> None:
    (tmp_path / "halves.py").write_text(
        "import torch\nfrom torch import nn\n"
        "class Whole(nn.Linear):\n"
        "    def __init__(self):\n        super().__init__(12, 16)\n"
        "class Half(Whole):\n"
        "    def forward(self, x):\n"
        "        y = super().forward(x)\n"
        "        return y.half().float() if x.dtype == torch.float32 else y\n"
    )
    found = port.check(f"{tmp_path}/halves.py:Whole", f"{tmp_path}/halves.py:Half", input=(12,), float32=True)
    assert (found.verdict, [cause.cause for cause in found.causes]) == ("different", ["precision"])
    assert lines(found)[0].startswith("different in float32 alone")


def test_assert_same_says_what_mends_it(port: Port, tmp_path: Path) -> None:
    slip = next(slip for slip in SLIPS if slip.name == "default epsilon")
    for name, text in zip(("left.py", "right.py"), slip.files(), strict=True):
        (tmp_path / name).write_text(text)
    with pytest.raises(AssertionError, match=r"(?s)batch_norm\.epsilon.*BatchNormalization\(epsilon=1e-05\)"):
        assert_same(f"{tmp_path}/left.py:build", f"{tmp_path}/right.py:build", input=(3, 12, 12), port=port)
    same = assert_same(f"{tmp_path}/left.py:build", f"{tmp_path}/left.py:build", input=(3, 12, 12), port=port)
    assert lines(same)[0].startswith("same: ")


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("import torch\ndef build():\n    return {}['absent']", "KeyError: 'absent'"),
        ("import torch\ndef build():\n    raise SystemExit(3)", "SystemExit: 3"),
        ("import torch\nbuild = 3", "is not a model but int"),
        ("import torch\n", "has no build"),
        ("import torch\nthis is no Python", "SyntaxError"),
        (
            "import torch\nclass build(torch.nn.Module):\n    def forward(self, x):\n        return x.nope()",
            "no attribute 'nope'",
        ),
        ("import torch\nclass build(torch.nn.Module):\n    def forward(self, x):\n        return 'text'", "no tensor"),
        ("import torch, os\ndef build():\n    os._exit(5)", "exited with code 5"),
    ],
)
def test_a_model_that_fails_is_shown_as_its_own_failure(code: str, said: str, port: Port, tmp_path: Path) -> None:
    (tmp_path / "bad.py").write_text(code)
    with pytest.raises(InputError, match="The left model") as raised:
        port.check(f"{tmp_path}/bad.py:build", f"{tmp_path}/bad.py:build", input=(3, 8, 8))
    assert said in str(raised.value)
    assert "compare/adapters" not in str(raised.value)
