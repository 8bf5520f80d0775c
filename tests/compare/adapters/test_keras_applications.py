"""Networks written by others are read as canonical graphs."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from patience import GENEROUS_S

ROOT = Path(__file__).parents[3]


@pytest.mark.long
@pytest.mark.parametrize(
    ("name", "size", "convolutions", "normalisations"),
    [
        ("ResNet50", 64, 53, 53),
        ("VGG16", 64, 13, 0),
        ("MobileNetV2", 64, 52, 52),
        ("DenseNet121", 64, 120, 121),
        ("EfficientNetB0", 64, 81, 49),
        ("InceptionV3", 96, 94, 94),
    ],
)
def test_the_graph_computes_what_the_network_does(name: str, size: int, convolutions: int, normalisations: int) -> None:
    script = ROOT / "tests" / "support" / "keras_zoo.py"
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_WAIT_POLICY": "PASSIVE"}
    done = subprocess.run(
        [sys.executable, script, name, str(size)],
        capture_output=True,
        text=True,
        timeout=GENEROUS_S,
        env=environment,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["kinds"]["Conv"] == convolutions
    assert found["kinds"].get("BatchNormalization", 0) == normalisations
    assert not any(":" in kind for kind in found["kinds"])
    assert found["far"] < 1e-12
    assert found["output"] < 1e-15
    assert found["statistics"] == 2 * normalisations
    assert found["unchanged"]
