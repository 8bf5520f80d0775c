"""Messages arrive unchanged."""

import io
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from compare.rpc import wire

arrays = st.dictionaries(
    st.text(max_size=20),
    hnp.arrays(
        st.sampled_from(["<f4", "<f8", "<i8", "|u1", "|b1", ">f4"]),
        hnp.array_shapes(min_dims=0, max_dims=4, min_side=0),
    ),
    max_size=4,
)
bodies = st.dictionaries(st.text(), st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text())


@settings(max_examples=50, deadline=None)
@given(body=bodies, sent=arrays)
def test_a_frame_comes_back(body: dict[str, Any], sent: dict[str, np.ndarray]) -> None:
    stream = io.BytesIO()
    wire.write(stream, body, sent)
    stream.seek(0)
    frame = wire.read(stream)
    assert frame is not None
    assert frame[0] == body
    assert frame[1].keys() == sent.keys()
    for name, array in sent.items():
        received = frame[1][name]
        assert (received.dtype, received.shape) == (array.dtype, array.shape)
        assert received.tobytes() == array.tobytes()
    assert wire.read(stream) is None


def test_transposed_arrays_keep_their_values() -> None:
    stream = io.BytesIO()
    matrix = np.arange(6.0).reshape(2, 3).T
    wire.write(stream, {}, {"m": matrix})
    stream.seek(0)
    frame = wire.read(stream)
    assert frame is not None
    np.testing.assert_array_equal(frame[1]["m"], matrix)
    assert frame[1]["m"].flags.writeable


@given(cut=st.integers(1, 200))
def test_a_stream_that_ends_inside_a_frame(cut: int) -> None:
    stream = io.BytesIO()
    wire.write(stream, {"kind": "x"}, {"a": np.arange(10)})
    whole = stream.getvalue()
    with pytest.raises(EOFError):
        wire.read(io.BytesIO(whole[: max(1, len(whole) - cut)]))


def test_garbage_is_no_frame() -> None:
    with pytest.raises(ValueError, match="not one of our messages"):
        wire.read(io.BytesIO(b"hello, this is a log line"))
