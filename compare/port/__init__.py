"""Where two models differ, why, and what makes them agree: the library behind `compare port`.

For tests of your own:

    from compare.port import assert_same

    def test_my_port(port):  # the fixture has workers that all tests share
        assert_same("my_torch.py:Net", "my_keras.py:build", input=(3, 224, 224), port=port)
"""

from compare.port.library import Port, assert_same
from compare.port.record import PortRecord

__all__ = ["Port", "PortRecord", "assert_same"]
