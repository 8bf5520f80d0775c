"""Workers in another Python: its requirements, and the packages added to its path."""

import json
import subprocess
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from compare import own_packages
from shared.errors import InputError

OURS = ("compare", "shared")
# The packages that read messages, which a framework's environment may lack.
NEEDED = ("pydantic", "pydantic_core", "annotated_types", "typing_inspection", "typing_extensions")
LEAST = (3, 11)
PROBE = """import json, sys
from importlib.util import find_spec
names = json.loads(sys.argv[1])
found = [name for name in names if find_spec(name)]
print(json.dumps([sys.version_info[:2], sys.implementation.cache_tag, found]))
"""
LONGEST_S = 60.0


@dataclass(frozen=True)
class Interpreter:
    """Another Python, and the packages that it lacks and is given."""

    python: Path
    given: tuple[str, ...]

    def path(self, home: Path) -> str:
        """Create the folder in `home` for its path, and return that path."""
        folder = home / "path"
        folder.mkdir(exist_ok=True)
        for name in OURS:
            _link(folder, own_packages.HOME / name)
        for name in self.given:
            spec = find_spec(name)
            assert spec is not None
            assert spec.origin is not None
            origin = Path(spec.origin)
            _link(folder, origin.parent if origin.name == "__init__.py" else origin)
        return str(folder)


def _link(folder: Path, target: Path) -> None:
    link = folder / target.name
    if not link.exists():
        link.symlink_to(target)


def interpreter(python: Path) -> Interpreter:
    """Check a Python. Raises InputError unless it can run a worker."""
    names = ("numpy", *NEEDED)
    try:
        done = subprocess.run(
            [python, "-c", PROBE, json.dumps(names)], capture_output=True, text=True, timeout=LONGEST_S, check=True
        )
        version, tag, found = json.loads(done.stdout)
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        raise InputError(
            f"{python} does not run as a Python: {_why(error)}. Give the path of an interpreter."
        ) from None
    if tuple(version) < LEAST:
        said = ".".join(map(str, version))
        raise InputError(f"{python} is Python {said}, and a worker needs {'.'.join(map(str, LEAST))} or later.")
    if "numpy" not in found:
        raise InputError(f"{python} has no NumPy. Install it there, beside the framework.")
    lacking = tuple(name for name in NEEDED if name not in found)
    if lacking and tag != sys.implementation.cache_tag:
        raise InputError(
            f"{python} has no {lacking[0]}, and this Python's is built for another version. Install it: "
            f"{python} -m pip install pydantic"
        )
    return Interpreter(python, lacking)


def _why(error: Exception) -> str:
    if isinstance(error, subprocess.CalledProcessError):
        return (str(error.stderr).strip().splitlines() or [f"it exited with code {error.returncode}"])[-1]
    return str(getattr(error, "strerror", None) or type(error).__name__)
