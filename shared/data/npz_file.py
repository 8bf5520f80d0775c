"""Take arrays out of an .npz file that may come from anywhere: nothing in it is executed or waited for, and sizes are
checked before anything is unpacked."""

import math
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from shared.data.own import FREE_BYTES, MAX_RATIO
from shared.errors import InputError
from shared.storage import files

MOST_SAID = 200  # characters of names, which may have any length
ZIP_STARTS = (b"PK\x03\x04", b"PK\x05\x06")  # of an archive, and of an empty one
Choose = Callable[[Sequence[str]], Sequence[str]]


def read(path: Path, choose: Choose, layout: str) -> dict[str, np.ndarray]:
    """Return the arrays in `path` whose names `choose` picks from all names. It may raise InputError.

    Raises InputError, which ends with `layout`, if the file cannot be read, or one of those arrays is damaged, holds
    Python objects, or is larger than the file can hold.
    """
    try:
        if not path.is_file():
            raise InputError(f"There is no file {path}. Give the path of an .npz file. {layout}")
        with files.opened(path) as stream:
            start = stream.read(len(np.lib.format.MAGIC_PREFIX))
            if start == np.lib.format.MAGIC_PREFIX:
                raise InputError(f"{path} is not an .npz file but a single array. {layout}")
            if not start.startswith(ZIP_STARTS):  # NumPy would read such a file as a pickle
                raise InputError(f"{path} cannot be read as an .npz file: it does not begin as a zip archive. {layout}")
            stream.seek(0)
            with np.load(stream, allow_pickle=False) as archive:
                names = choose(archive.files)
                _check(path, archive, names, layout)
                arrays = {name: archive[name] for name in names}
    except InputError:
        raise
    except OSError as error:
        raise InputError(f"{path} cannot be read as an .npz file: {error.strerror or error}. {layout}") from None
    except Exception as error:  # zipfile, zlib, tokenize and NumPy each have their own for a damaged file
        said = str(error)[:MOST_SAID].rstrip(".") or "it is damaged"
        raise InputError(f"{path} cannot be read as an .npz file: {said}. {layout}") from None
    if other := [name for name, array in arrays.items() if not isinstance(array, np.ndarray)]:
        raise InputError(f"{path}: {' and '.join(other)[:MOST_SAID]} is not a NumPy array. {layout}")
    return arrays


def _check(path: Path, archive: "np.lib.npyio.NpzFile", wanted: Sequence[str], layout: str) -> None:
    """Check sizes before anything is unpacked: a few bytes of a zip archive can stand for very many, and an array can
    state any size. Raises InputError if a stated size is impossible or out of proportion. Also raises the errors of
    NumPy and zipfile for damaged files.
    """
    assert archive.zip is not None
    members = archive.zip.infolist()
    names = [member.filename.removesuffix(".npy") for member in members]
    if len(set(names)) < len(names):
        raise InputError(f"{path} has an array twice. Write the file again.")
    for member, name in zip(members, names, strict=True):
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise InputError(f"{path} is compressed in a way that NumPy does not write. Write the file again.")
        if member.file_size > max(FREE_BYTES, MAX_RATIO * member.compress_size):
            raise InputError(
                f"{path}: {name[:MOST_SAID]} would unpack to {member.file_size:,} bytes, more than {MAX_RATIO} times "
                "its size in the file, which images do not. Write it without compression (numpy.savez) if that is "
                "meant."
            )
    for name in wanted:
        member = members[names.index(name)]
        with archive.zip.open(member) as stream:
            version = np.lib.format.read_magic(stream)
            header = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
            shape, _, dtype = header.get(version, np.lib.format.read_array_header_2_0)(stream)
        if dtype.hasobject:
            raise InputError(
                f"{path}: {name[:MOST_SAID]} holds Python objects, which are not read: they could be programs. Write "
                f"it again with a plain type, as numpy.array({name[:MOST_SAID]}.tolist()) does. {layout}"
            )
        if math.prod(shape) * dtype.itemsize > member.file_size:
            raise InputError(
                f"{path}: {name[:MOST_SAID]} claims shape {shape} and type {dtype}, which is more than the "
                f"{member.file_size:,} bytes that the file holds of it. Write the file again."
            )
