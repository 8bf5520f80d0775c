"""Decide whether the implementations are the same function, and if not, which one differs.

For tests of your own:

    from compare.parity import assert_parity

    def test_the_network_is_the_same(parity):  # the fixture has workers that all tests share
        assert_parity("cnn_same", parity=parity, steps=50)

`climb` and `consensus` are the ladder itself, for arrays from elsewhere. Arrays are given by implementation, rung and
tensor.
"""

from compare.parity.ladder import Bound, Ladder, Reading, climb, consensus
from compare.parity.library import Parity, assert_parity
from compare.parity.result import ParityResult

__all__ = ["Bound", "Ladder", "Parity", "ParityResult", "Reading", "assert_parity", "climb", "consensus"]
