"""Messages and their names."""

import pytest

from compare.rpc.message import Message


def test_no_two_messages_of_one_kind_have_one_name() -> None:
    """Once both modules are imported, one would be read as the other."""

    class Reply(Message):
        """A kind of message."""

    def named(name: str, module: str, kind: type) -> type:
        return type(name, (kind,), {"__module__": module})

    first = named("Fitted", "one", Reply)
    with pytest.raises(TypeError, match="two messages are called Fitted, the other in one"):
        named("Fitted", "another", Reply)
    assert named("Fitted", "another", first)  # of another kind
