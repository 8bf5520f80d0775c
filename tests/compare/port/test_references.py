"""References are read without importing anything, and invalid ones get a clear error."""

import os
from pathlib import Path

import pytest

from compare.adapters.references import BadReference, parse


def test_a_call_with_plain_values(tmp_path: Path) -> None:
    path = tmp_path / "net.py"
    path.write_text("raise SystemExit('imported')")
    found = parse(f"{path}:models.Net(3, sizes=[1, 2], name='a:b')")
    assert (found.module, found.name, found.called) == (str(path), "models.Net", True)
    assert (found.args, found.kwargs) == ((3,), (("sizes", [1, 2]), ("name", "a:b")))


def test_a_module_without_a_call() -> None:
    found = parse("torchvision.models:resnet50")
    assert (found.module, found.name, found.called) == ("torchvision.models", "resnet50", False)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "names no model"),
        ("my_net", "names no model"),
        ("nowhere.py:build", "not there"),
        ("a b:build", "neither a file ending in .py nor a module"),
        ("models:build(open('x'))", "plain values"),
        ("models:build(**{})", "plain values"),
        ("models:build(1)+(2)", "plain values"),
        ("models:build(1)(2)", "plain values"),
        ("models:build(" + "(" * 400 + ")" * 400 + ")", "plain values"),
        ("net.pt", "holds weights, not a model"),
        ("net.h5", "old format"),
        ("net.keras", "does not exist"),
        ("saved_model.pb", "Give the folder"),
        (".", "no SavedModel"),
    ],
)
def test_what_is_no_reference_gets_a_sentence(text: str, said: str) -> None:
    with pytest.raises(BadReference, match=said):
        parse(text)


@pytest.mark.skipif(not os.access("/proc/kmsg", os.R_OK), reason="only root may read the kernel's messages")
@pytest.mark.parametrize(
    "name", ["net.py", "net.keras", "net.onnx", "net.pt2", "net/saved_model.pb", "net/variables/a"]
)
def test_what_would_be_waited_for_is_no_model(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.parent.name == "variables":
        (tmp_path / "net" / "saved_model.pb").write_bytes(b"")
    path.symlink_to("/proc/kmsg")
    given = f"{path}:build" if path.suffix == ".py" else str(tmp_path / name.partition("/")[0])
    with pytest.raises(BadReference, match="cannot be read"):
        parse(given)
