"""Reading a pickle executes nothing, whatever its content."""

import contextlib
import copyreg
import os
import pickle
import warnings
from collections.abc import Callable
from pathlib import Path

import cifar_files
import numpy as np
import pytest
from alarm import alarm
from cifar_files import FOLDER
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.data import inert_pickle
from shared.data.cifar import NAMES
from shared.data.dataset import Damaged
from shared.errors import InputError

TINY, CONTENTS = cifar_files.make()
BATCH = CONTENTS["data_batch_1"]
ROWS, LABELS = cifar_files.arrays()["data_batch_1"]


class Made:
    """An object whose pickle makes it by a call."""

    def __init__(self, function: Callable[..., object], *args: object) -> None:
        self.made = (function, args)

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return self.made


def hidden_in_a_batch(evil: object) -> bytes:
    """Return a valid batch, except for one of its file names."""
    fields = {b"labels": LABELS, b"data": ROWS, b"filenames": [b"cat.png", [{b"deep": (evil,)}]]}
    return pickle.dumps(fields, protocol=2)


# A whole pickle and its error message, by what it would execute.
HOSTILE = {
    "os.system": (pickle.dumps(Made(os.system, "true"), protocol=2), "names 'posix.system'"),
    "os.system, protocol 0": (b"cposix\nsystem\n(S'true'\ntR.", "names 'posix.system'"),
    "os.system, protocol 4": (pickle.dumps(Made(os.system, "true"), protocol=4), "the instruction FRAME"),
    "STACK_GLOBAL": (b"\x80\x04\x8c\x05posix\x8c\x06system\x93\x8c\x04true\x85R.", "instruction SHORT_BINUNICODE"),
    "STACK_GLOBAL, plain": (b"\x80\x02X\5\0\0\0posixX\6\0\0\0system\x93U\4true\x85R.", "instruction STACK_GLOBAL"),
    "eval of Python 2": (b"\x80\x02c__builtin__\neval\nX\3\0\0\x001+1\x85R.", "names '__builtin__.eval'"),
    "hidden in a batch": (hidden_in_a_batch(Made(os.system, "true")), "names 'posix.system'"),
    "exec": (hidden_in_a_batch(Made(exec, "1")), "names '__builtin__.exec'"),
    "a class of ours": (hidden_in_a_batch(Made(Path, "/etc")), "names 'pathlib.Path'"),
    "INST": (b"(S'true'\niposix\nsystem\n.", "the instruction INST"),
    "OBJ": (b"(cposix\nsystem\nU\4trueo.", "the instruction OBJ"),
    "NEWOBJ": (b"\x80\x02csubprocess\nPopen\nU\4true\x85\x81.", "the instruction NEWOBJ"),
    "numpy's own": (b"\x80\x02cnumpy\nfromfile\nU\x09/dev/null\x85R.", "names 'numpy.fromfile'"),
    "by way of a known name": (b"\x80\x02cnumpy.dtype\n__class__\nU\1x\x85R.", "names 'numpy.dtype.__class__'"),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    cifar_files.write(tmp_path / FOLDER, CONTENTS)
    return tmp_path / FOLDER


@pytest.mark.parametrize("case", HOSTILE)
def test_an_ordinary_unpickler_sets_off_the_alarm(case: str) -> None:
    """The alarm works, and the pickles are really hostile."""
    failures = (pickle.UnpicklingError, AttributeError, ImportError, TypeError)  # all after the look-up
    with alarm() as heard, warnings.catch_warnings(), contextlib.suppress(*failures):
        warnings.simplefilter("ignore")
        pickle.loads(HOSTILE[case][0], encoding="bytes")
    assert "pickle.find_class" in heard


def test_the_alarm_hears_a_command() -> None:
    with alarm() as heard:
        pickle.loads(HOSTILE["hidden in a batch"][0], encoding="bytes")
    assert "os.system" in heard


@pytest.mark.parametrize("case", HOSTILE)
def test_nothing_is_executed(folder: Path, case: str) -> None:
    """This holds even if a hostile file has the right hash."""
    content, message = HOSTILE[case]
    dataset = cifar_files.with_content(TINY, folder, content)
    with alarm() as heard, pytest.raises(InputError, match=f"data_batch_1 holds a pickle .*{message}"):
        dataset.read(folder.parent)
    assert heard == []


@pytest.mark.parametrize("content", [b"P1\n.", b"\x80\x02U\x011Q."])
def test_objects_kept_elsewhere_are_not_asked_for(content: bytes) -> None:
    with pytest.raises(Damaged, match=r"the instruction (BIN)?PERSID"):
        inert_pickle.loads(content, NAMES)


@pytest.mark.parametrize("code", [7, 300, 70_000])
def test_extensions_are_refused_even_where_they_were_used_before(code: int) -> None:
    """An ordinary unpickler caches them, and returns them without calling `find_class` again."""
    copyreg.add_extension("posix", "system", code)
    try:
        content = pickle.dumps(Made(os.system, "true"), protocol=2)
        with alarm() as heard:
            pickle.loads(content)
        assert "os.system" in heard
        with alarm() as heard, pytest.raises(Damaged, match=r"the instruction EXT[124]"):
            inert_pickle.loads(content, NAMES)
        assert heard == []
    finally:
        copyreg.remove_extension("posix", "system", code)


@pytest.mark.parametrize("number", [b"r\xff\xff\xff\x7f", b"p999999999\n", b"q\xff"])
def test_a_high_number_takes_no_memory(number: bytes) -> None:
    with pytest.raises(Damaged, match=r"numbers an object [0-9,]+ with fewer objects before it"):
        inert_pickle.loads(b"\x80\x02}" + number + b".", NAMES)


@pytest.mark.parametrize(
    "content", [b"", b"\x80", b"\x80\x02", b"\x80\x02}", b".", b"0.", b"\x80\x02T\xff\xff\xff\x7f", b"\xff"]
)
def test_nonsense(content: bytes) -> None:
    with pytest.raises(Damaged, match="holds no readable pickle: "):
        inert_pickle.loads(content, NAMES)


def test_what_is_known_is_recorded_and_not_made() -> None:
    made = inert_pickle.loads(pickle.dumps(np.zeros((2, 3), np.uint8), protocol=2), NAMES)
    assert isinstance(made, inert_pickle.Recorded)
    assert made.name == "numpy._core.multiarray._reconstruct"
    kind, shape, letter = made.args
    assert isinstance(kind, inert_pickle.Recorded)
    assert (kind.name, kind.args, shape, letter) == ("numpy.ndarray", (), (0,), b"b")
    assert isinstance(made.state, tuple)
    assert made.state[1] == (2, 3)
    assert made.state[4] == bytes(6)


@pytest.mark.parametrize("name", [b"numpy\nndarray\n", b"_codecs\nencode\n"])
@pytest.mark.parametrize("state", [b"}U\5stateK\1s", b"N}X\4\0\0\0nameK\1s\x86", b"N}X\x08\0\0\0__call__K\1s\x86"])
def test_a_state_changes_nothing_that_is_ours(name: bytes, state: bytes) -> None:
    """A state can set attributes, even of functions and classes, and would last until the next file is read."""
    with contextlib.suppress(Damaged):
        inert_pickle.loads(b"\x80\x02c" + name + state + b"b.", NAMES)
    text = pickle.dumps(b"as before", protocol=2)
    assert inert_pickle.loads(text, NAMES) == b"as before"
    fresh = inert_pickle.loads(b"\x80\x02cnumpy\nndarray\n.", NAMES)
    assert isinstance(fresh, inert_pickle.Recorded)
    assert (fresh.name, fresh.args, fresh.state) == ("numpy.ndarray", (), None)


def read_or_refuse(folder: Path, content: bytes) -> None:
    """Read `content` as a batch. It gives valid arrays or an InputError, and executes nothing."""
    dataset = cifar_files.with_content(TINY, folder, content)
    with alarm() as heard:
        try:
            raw = dataset.read(folder.parent)
        except InputError:
            raw = None
    assert heard == []
    if raw is not None:
        assert (raw.x_train.shape, raw.x_train.dtype) == ((20, 32, 32, 3), np.uint8)
        assert raw.y_train.max() <= 9


fuzz = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

# Instructions of a hostile pickle. Many are refused alone, and each must be refused in any combination.
PIECES = [
    *(b"cposix\nsystem\n", b"cnumpy\nndarray\n", b"cnumpy.core.multiarray\n_reconstruct\n", b"c_codecs\nencode\n"),
    *(b"(", b"t", b")", b"\x85", b"\x86", b"\x87", b"R", b"b", b"o", b"\x81", b"\x93", b"Q", b"0", b"1", b"2"),
    *(b"]", b"}", b"a", b"e", b"s", b"u", b"N", b"\x88", b"\x89", b"K\x03", b"U\4true", b"X\6\0\0\0latin1"),
    *(b"q\0", b"q\1", b"h\0", b"h\1", b"r\2\0\0\0", b"U\4data", b"U\6labels", b"iposix\nsystem\n", b"P1\n", b"\x82\1"),
]
start_of_raw = BATCH.index(b"T" + (4 * 3072).to_bytes(4, "little")) + 5
places = st.one_of(st.integers(0, start_of_raw), st.integers(start_of_raw + 4 * 3072, len(BATCH) - 1))


@given(content=st.binary(max_size=200))
@fuzz
def test_any_bytes(folder: Path, content: bytes) -> None:
    read_or_refuse(folder, content)


@given(pieces=st.lists(st.sampled_from(PIECES), max_size=20))
@fuzz
def test_any_instructions(folder: Path, pieces: list[bytes]) -> None:
    read_or_refuse(folder, b"\x80\x02" + b"".join(pieces) + b".")


@given(
    changes=st.lists(st.tuples(places, st.integers(0, 3), st.binary(max_size=3) | st.sampled_from(PIECES)), max_size=3)
)
@fuzz
def test_any_changes_to_a_batch(folder: Path, changes: list[tuple[int, int, bytes]]) -> None:
    content = BATCH
    for place, n_removed, inserted in changes:
        content = content[:place] + inserted + content[place + n_removed :]
    read_or_refuse(folder, content)
