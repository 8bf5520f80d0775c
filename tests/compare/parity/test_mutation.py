"""A sample of tests/support/faults.py is planted and found. `python tests/support/mutation.py` plants all of them."""

import pytest
from faults import FAULTS
from mutation import plant_all

SAMPLE = {
    "torch_impl": "Adam's betas swapped",
    "tf_impl": "epsilon hat",
    "tf_lowlevel_impl": "L2 in the gradient alone",
}


@pytest.mark.long
def test_a_sample_of_faults_is_found_and_named() -> None:
    chosen = [f for f in FAULTS if SAMPLE[f.package] == f.name]
    assert len(chosen) == len(SAMPLE)
    found = plant_all(chosen)
    assert [f.fault.name for f in found if not f.localised] == []


def test_every_fault_has_its_text() -> None:
    """The code changes over time. A fault whose text is gone would change nothing."""
    from mutation import HOME

    for fault in FAULTS:
        text = (HOME / fault.file).read_text()
        assert text.find(fault.old, text.index(fault.within)) >= 0, fault.name


def test_the_faults_are_many_and_everywhere() -> None:
    assert len(FAULTS) >= 60
    assert len({(f.file, f.old, f.new, f.within, f.model) for f in FAULTS}) == len(FAULTS)
    per_package = {package: sum(f.package == package for f in FAULTS) for package in SAMPLE}
    assert min(per_package.values()) >= 20
