"""Save unexplained pairs for a closer look: the inputs, both outputs, and a script that shows them."""

import io
from collections.abc import Sequence
from typing import Any

import numpy as np

from compare.port.explain import Unexplained

SCRIPT = '''"""Shows what compare port could not explain: python show.py"""
from pathlib import Path

import numpy as np

for path in sorted(Path(__file__).parent.glob("*.npz")):
    kept = np.load(path)
    print(kept["left_name"], "and", kept["right_name"], "for", [kept[name].shape for name in kept if "input" in name])
    if kept["left"].shape == kept["right"].shape:
        print(np.c_[kept["left"].ravel(), kept["right"].ravel(), kept["right"].ravel() - kept["left"].ravel()][:10])
    else:
        print("shapes", kept["left"].shape, "and", kept["right"].shape)
'''


def files(found: Sequence[Unexplained]) -> dict[str, bytes]:
    """Return the files on unexplained pairs, by their paths in the output folder; none if there are no such pairs."""
    made = {f"unexplained/{number}.npz": _archive(one) for number, one in enumerate(found, 1)}
    return made | ({"unexplained/show.py": SCRIPT.encode()} if made else {})


def _archive(one: Unexplained) -> bytes:
    arrays: dict[str, Any] = {f"input{number}": array for number, array in enumerate(one.inputs)}
    arrays |= {"left_name": np.array(one.left), "right_name": np.array(one.right)}
    arrays |= dict(zip(("left", "right"), one.outputs, strict=False))
    stream = io.BytesIO()
    np.savez(stream, **arrays)
    return stream.getvalue()
