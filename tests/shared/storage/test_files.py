"""Foreign files are checked before they are read."""

import os
from pathlib import Path

import pytest

from shared.errors import InputError
from shared.storage import files


def test_the_content_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"12345")
    assert files.read(tmp_path / "file", 5, "Advice.") == b"12345"
    assert files.sha256(tmp_path / "file") == "5994471abb01112afcc18159f6cc74b4f511b99806da59b3caf5a9c173cacfc5"


def test_what_is_not_read(tmp_path: Path) -> None:
    """Reading a pipe would wait. A file may be larger than memory without using space on the disk."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    with (tmp_path / "large").open("wb") as stream:
        stream.truncate(1 << 40)
    for name, said in (
        ("pipe", "is not a file"),
        ("folder", "is not a file"),
        ("nothing", "cannot be read: No such file or directory"),
        ("no\0name", "cannot be read: embedded null byte"),
        ("large", "has 1,099,511,627,776 bytes, and such a file has at most 5"),
    ):
        with pytest.raises(InputError, match=f"{said}.* Advice.$"):
            files.read(tmp_path / name, 5, "Advice.")


@pytest.mark.skipif(not os.access("/proc/kmsg", os.R_OK), reason="only root may read the kernel's messages")
def test_what_only_looks_like_a_file_is_not_waited_for(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/proc/kmsg")
    with pytest.raises(InputError, match=r"link cannot be read: .* Advice.$"):
        files.check(tmp_path / "link", 5, "Advice.")
    with pytest.raises(OSError, match="It is not a file"):
        files.opened(Path("/dev/zero"))
