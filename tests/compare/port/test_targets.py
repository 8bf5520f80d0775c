"""Targets of two losses, from data or made up to fit both."""

from pathlib import Path

import numpy as np
import pytest

from compare.adapters.loss_names import INDICES, ONE_HOT, VALUES
from compare.port import inputs, targets
from compare.port.wanted import Wanted
from shared.errors import InputError

OUTPUTS = np.zeros((2, 5))
ANY = (ONE_HOT, INDICES, VALUES)


@pytest.mark.parametrize(
    ("forms", "expected"),
    [
        (((INDICES,), (ONE_HOT,)), [(INDICES, ONE_HOT)]),
        (((INDICES,), (VALUES,)), [(INDICES, ONE_HOT)]),
        (((VALUES,), (VALUES,)), [(VALUES, VALUES)]),
        (((VALUES,), ANY), [(VALUES, VALUES)]),
        (((INDICES,), ANY), [(INDICES, ONE_HOT), (INDICES, INDICES)]),
    ],
)
def test_both_losses_get_targets_that_they_take(
    forms: tuple[tuple[str, ...], tuple[str, ...]], expected: list[tuple[str, str]]
) -> None:
    found = targets.choices(forms, None, OUTPUTS)
    assert [forms for _, *forms in found] == [list(pair) for pair in expected]
    by_number = found[0][0].dtype.kind == "i"
    assert by_number == (expected[0][0] != VALUES)


def test_losses_that_say_nothing_are_tried_with_all_forms() -> None:
    found = targets.choices((ANY, ANY), None, OUTPUTS)
    assert [forms for _, *forms in found][-1] == [VALUES, VALUES]
    assert {tuple(taken) for _, *taken in found} >= {(ONE_HOT, INDICES), (INDICES, INDICES)}
    square = targets.choices(((INDICES, ONE_HOT), (INDICES,)), None, np.zeros((5, 5)))
    assert square[0][1] == ONE_HOT  # numbers would count as values


def test_made_up_targets_are_of_several_classes_and_probabilities() -> None:
    classes = targets.choices(((INDICES,), (INDICES,)), None, np.zeros((2, 3, 4, 4)))[0][0]
    assert classes.shape == (2, 4, 4)
    assert set(classes.flat) == {0, 1, 2}
    values = targets.choices(((VALUES,), (VALUES,)), None, OUTPUTS)[0][0]
    assert values.sum(1) == pytest.approx(1)
    assert values.min() > 0
    one = targets.choices((ANY, ANY), None, np.zeros((3, 1)))[0]
    assert one[0].shape == (3, 1)
    assert one[1:] == (VALUES, VALUES)


@pytest.mark.parametrize(
    ("given", "outputs", "shape", "kind"),
    [
        (np.array([1, 2, 0, 4]), (2, 5), (2,), "i"),
        (np.array([[1], [2]]), (2, 5), (2,), "i"),
        (np.eye(5)[:2], (2, 5), (2, 5), "f"),
        (np.array([1, 0]), (2, 1), (2, 1), "f"),
        (np.zeros((2, 6, 7, 3)), (2, 3, 6, 7), (2, 3, 6, 7), "f"),
        (np.zeros((2, 6, 7), np.int64), (2, 3, 6, 7), (2, 6, 7), "i"),
    ],
)
def test_targets_from_data_are_brought_into_canonical_layout(
    given: np.ndarray, outputs: tuple[int, ...], shape: tuple[int, ...], kind: str
) -> None:
    found = targets.choices((ANY, ANY), given, np.zeros(outputs))[0][0]
    assert (found.shape, found.dtype.kind) == (shape, kind)


@pytest.mark.parametrize(
    ("given", "said"),
    [(np.array([0, 9]), "class 9"), (np.zeros((2, 3)), r"shape \(2, 3\) for outputs of shape \(2, 5\)")],
)
def test_targets_from_data_that_do_not_fit_are_refused(given: np.ndarray, said: str) -> None:
    with pytest.raises(InputError, match=said):
        targets.choices((ANY, ANY), given, OUTPUTS)


def test_targets_are_no_input_unless_a_model_says_so(tmp_path: Path) -> None:
    path = tmp_path / "data.npz"
    np.savez(path, x=np.ones((3, 4)), labels=np.array([0, 1, 2]))
    assert list(inputs.read(path, [None, None])) == ["x"]
    found = targets.read(path, [None, None])
    assert found is not None
    assert found.tolist() == [0, 1, 2]
    assert targets.read(path, [{"x": (4,), "labels": ()}, None]) is None
    np.savez(path, x=np.ones((3, 4)), targets=np.array([0.0, np.nan, 2.0]))
    with pytest.raises(InputError, match="finite numbers"):
        targets.read(path, [None, None])


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        (Wanted("crossentropy"), "There is no loss 'crossentropy'. Choose one of cross_entropy"),
        (Wanted(left_loss="nothing"), "The loss of the left model: nothing names no"),
        (Wanted(right_loss="absent.py:loss"), "absent.py is not there"),
    ],
)
def test_a_loss_that_cannot_be_one_is_refused(wanted: Wanted, said: str) -> None:
    with pytest.raises(InputError, match=said):
        wanted.check()
    assert not Wanted().anything
