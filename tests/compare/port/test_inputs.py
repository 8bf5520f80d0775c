"""Sizes and data become arrays in canonical layout, or a clear error."""

from pathlib import Path

import numpy as np
import pytest

from compare.port.inputs import Shapes, made_up, parse_sizes, read
from shared.errors import InputError


@pytest.mark.parametrize(
    ("texts", "stated", "shapes"),
    [
        (["3x8x9"], (None, None), {"input": (2, 3, 8, 9)}),
        (["8x9x3"], (None, None), {"input": (2, 3, 8, 9)}),
        (["8x9x3"], (None, {"x": (3, 8, 9)}), {"input": (2, 3, 8, 9)}),
        ([], (None, {"x": (3, 8, 9)}), {"x": (2, 3, 8, 9)}),
        ([], ({"a": (4,)}, {"x": (4,)}), {"a": (2, 4)}),
        (["a=4", "b=5:0..9"], (None, None), {"a": (2, 4), "b": (2, 5)}),
    ],
)
def test_sizes(
    texts: list[str], stated: tuple[Shapes | None, Shapes | None], shapes: dict[str, tuple[int, ...]]
) -> None:
    assert {name: array.shape for name, array in made_up(parse_sizes(texts), stated).items()} == shapes


def test_integers_are_within_their_bounds() -> None:
    (array,) = made_up(parse_sizes(["500:3..5"]), (None, None)).values()
    assert array.dtype == np.int64
    assert set(array.ravel()) == {3, 4, 5}


@pytest.mark.parametrize("text", ["3x", "x3", "0x3", "-1", "a=", "3x4:5", "3:9..2", "99999999999", "a b=3"])
def test_sizes_that_are_none(text: str) -> None:
    with pytest.raises(InputError):
        parse_sizes([text])


def test_nothing_known_of_the_input() -> None:
    with pytest.raises(InputError, match="--input"):
        made_up([], (None, None))


def test_models_of_different_inputs() -> None:
    with pytest.raises(InputError, match="different inputs"):
        made_up([], ({"a": (3, 8, 8)}, {"a": (3, 9, 9)}))


def test_data_are_read_and_put_channels_first(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", images=np.arange(2 * 5 * 6 * 3, dtype=np.uint8).reshape(2, 5, 6, 3))
    found = read(tmp_path / "x.npz", (None, None))["images"]
    assert found.shape == (2, 3, 5, 6)
    assert found.dtype == np.float64
    assert found[0, 1, 0, 0] == 1


@pytest.mark.parametrize("arrays", [{}, {"x": np.array(["a"])}, {"x": np.ones(3)}, {"x": np.full((2, 2), np.nan)}])
def test_data_that_are_no_inputs(tmp_path: Path, arrays: dict[str, np.ndarray]) -> None:
    np.savez(tmp_path / "x.npz", **arrays)
    with pytest.raises(InputError):
        read(tmp_path / "x.npz", (None, None))


def test_a_file_that_is_no_archive(tmp_path: Path) -> None:
    (tmp_path / "x.npz").write_bytes(b"PK\x03\x04 nothing")
    with pytest.raises(InputError, match="cannot be read"):
        read(tmp_path / "x.npz", (None, None))


def test_data_that_are_no_arrays_get_a_sentence(tmp_path: Path) -> None:
    """The message is never NumPy's own advice, which is to load them as a program."""
    one, many = np.zeros((2, 4)), tmp_path / "many.npz"
    np.savez(tmp_path / "objects.npz", x=np.array([[{}], [{}]]))
    np.save(tmp_path / "single.npy", one)
    np.savez_compressed(many, x=np.zeros((2, 40 << 20), np.uint8))
    (tmp_path / "empty.npz").write_bytes(b"")
    (tmp_path / "pickle.npz").write_bytes(b"\x80\x04K\x01.")
    for name, said in (
        ("objects.npz", "x holds Python objects"),
        ("single.npy", "not an .npz file but a single array"),
        ("many.npz", "would unpack to"),
        ("empty.npz", "does not begin as a zip archive"),
        ("pickle.npz", "does not begin as a zip archive"),
        ("nothing.npz", "There is no file"),
    ):
        with pytest.raises(InputError, match=said) as caught:
            read(tmp_path / name, (None, None))
        assert "allow_pickle" not in str(caught.value)
