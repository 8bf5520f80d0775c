"""The verdict claims no more than what was computed."""

from pathlib import Path

import pytest

from compare.port import Port, PortRecord
from compare.port.words import lines, verdict
from shared.errors import InputError

HEAD = """
import torch
from torch import nn

class Net(nn.Module):
    order = 1
    when = False

    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(6, 4)

    def forward(self, x):
        x = self.fc(x)
        found = torch.tanh(x), torch.sigmoid(x)
        return found[:: self.order if self.training >= self.when else 1]
"""
SWAPPED = "class Swapped(Net):\n    order = -1\nclass SwappedInTraining(Swapped):\n    when = True\n"


@pytest.fixture
def nets(tmp_path: Path) -> str:
    """A file with networks of two outputs, whose order depends on the class and on the mode."""
    (tmp_path / "nets.py").write_text(HEAD + SWAPPED)
    return f"{tmp_path}/nets.py"


def compare(nets: str, right: str, port: Port) -> PortRecord:
    return port.check(f"{nets}:Net", f"{nets}:{right}", input=(6,))


def test_models_that_differ_in_training_for_no_known_reason_are_different(nets: str, port: Port) -> None:
    found = compare(nets, "SwappedInTraining", port)
    assert found.causes == ()
    assert found.output_distance == 0
    assert (found.training_distance or 0) > 1e-3
    assert found.verdict == "different"
    assert "no known cause explains it" in lines(found)[0]
    assert "in training mode by" in lines(found)[0]


def test_causes_that_fall_short_do_not_explain_everything(nets: str, port: Port) -> None:
    """Of five outputs not every order is tried."""
    five = HEAD.replace("torch.sigmoid(x)", "torch.sigmoid(x), torch.relu(x), torch.exp(x), torch.sin(x)")
    Path(nets).write_text(five)
    (Path(nets).parent / "more.py").write_text(five.replace("self.fc(x)", "self.fc(x / 255)") + SWAPPED)
    found = port.check(f"{nets}:Net", f"{nets.replace('nets', 'more')}:Swapped", input=(6,))
    assert found.verdict == "different"
    assert found.left_over is not None
    assert found.bound is not None
    assert found.left_over > found.bound
    assert len(found.causes) == 1
    assert "1 cause found, but it does not explain everything: with it fixed" in verdict(found)


@pytest.mark.parametrize(("times", "claimed"), [(0.5, True), (2.0, False)])
def test_everything_is_explained_if_what_is_left_is_within_the_bound(
    times: float, claimed: bool, port: Port, tmp_path: Path
) -> None:
    (tmp_path / "norm.py").write_text(
        "from torch import nn\n"
        "def build(eps=1e-5):\n"
        "    return nn.Sequential(nn.Linear(4, 3), nn.LayerNorm(3, eps=eps))\n"
    )
    found = port.check(f"{tmp_path}/norm.py:build", f"{tmp_path}/norm.py:build(1e-2)", input=(4,))
    assert found.bound is not None
    said = verdict(found.model_copy(update={"left_over": times * found.bound}))
    assert said.startswith("different: 1 cause")
    assert ("explains everything" in said) is claimed


EXPORTED = """

class Program:
    def __reduce__(self):
        return open, ({made!r}, "w")

def exported():
    import io, zipfile
    net = nn.Linear(6, 4)
    torch.export.save(torch.export.export(net, (torch.zeros(2, 6),)), {path!r})
    program = io.BytesIO()
    torch.save(Program(), program)
    with zipfile.ZipFile({path!r}) as before, zipfile.ZipFile({hostile!r}, "w") as after:
        for name in before.namelist():
            after.writestr(name, program.getvalue() if name.endswith("sample_inputs/model.pt") else before.read(name))
    return net
"""


def test_an_exported_program_is_read_as_data(tmp_path: Path, port: Port) -> None:
    """Its format holds pickles, which could be any program."""
    made, path, hostile = (str(tmp_path / name) for name in ("made", "net.pt2", "hostile.pt2"))
    (tmp_path / "exporting.py").write_text(HEAD + EXPORTED.format(made=made, path=path, hostile=hostile))
    own = f"{tmp_path}/exporting.py:exported"
    port.check(own, own, input=(6,))
    assert port.check(path, own, input=(6,)).verdict == "same"
    with pytest.raises(InputError, match="holds Python objects besides tensors, which are not read"):
        port.check(hostile, own, input=(6,))
    assert not Path(made).exists()
