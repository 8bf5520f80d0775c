"""scikit-learn's data files, read without it, equal what it reads."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_sample_images
from sklearn.model_selection import train_test_split

from shared.data import embedded, shipped
from shared.errors import InputError


@settings(max_examples=50, deadline=None)
@given(
    counts=st.lists(st.integers(2, 40), min_size=2, max_size=12),
    share=st.floats(0.2, 0.6),
    seed=st.integers(0, 2**32 - 1),
)
def test_the_split_is_that_of_scikit_learn(counts: list[int], share: float, seed: int) -> None:
    labels = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(counts)), counts))
    n_test = max(len(counts), int(share * len(labels)))
    if len(labels) - n_test < len(counts):
        return  # scikit-learn refuses a part smaller than the number of classes
    expected = train_test_split(np.arange(len(labels)), test_size=n_test, stratify=labels, random_state=seed)
    found = shipped.stratified_split(labels, n_test, seed)
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_the_photographs_are_those_of_scikit_learn(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[np.ndarray] = []
    pieces = embedded._pieces
    monkeypatch.setattr(embedded, "_pieces", lambda photograph: (seen.append(photograph), pieces(photograph))[1])
    embedded.photographs()
    for ours, theirs in zip(seen, load_sample_images().images, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_neither_imports_it() -> None:
    code = "import sys; from shared.data.embedded import digits, photographs; digits(), photographs(); "
    code += "assert 'sklearn' not in sys.modules and 'scipy' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_file_that_is_missing() -> None:
    with pytest.raises(InputError, match=r"data/nothing\.csv of scikit-learn"):
        shipped.path("data", "nothing.csv")
