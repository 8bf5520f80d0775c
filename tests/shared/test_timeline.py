"""Dividing time among overlapping operations."""

import random

import pytest

from shared.timeline import time_by_name


def test_one_after_another_each_has_its_own() -> None:
    assert time_by_name([("a", 0, 10), ("b", 10, 5), ("a", 20, 1)]) == {"a": 11, "b": 5}


def test_at_once_they_share() -> None:
    """From 0 to 4 a alone, from 4 to 10 a and b, from 10 to 12 b alone."""
    assert time_by_name([("a", 0, 10), ("b", 4, 8)]) == {"a": 4 + 3, "b": 3 + 2}


def test_two_of_one_name_have_two_shares() -> None:
    assert time_by_name([("a", 0, 9), ("a", 0, 9), ("b", 0, 9)]) == {"a": 6, "b": 3}


def test_nothing_took_no_time() -> None:
    assert time_by_name([]) == {}
    assert sum(time_by_name([("a", 3, 0)]).values()) == 0


def test_the_sum_is_the_time_in_which_anything_went_on() -> None:
    by = random.Random(0)
    events = [(by.choice("abc"), by.randrange(1_000), by.randrange(30)) for _ in range(60)]
    busy = set().union(*(range(start, start + duration) for _, start, duration in events))
    assert sum(time_by_name(events).values()) == pytest.approx(len(busy))
