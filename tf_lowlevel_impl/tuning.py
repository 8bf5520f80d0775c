"""How the same computation can be carried out faster, as shared/protocol.py has it: nothing here changes what it is."""

from typing import Literal

from pydantic import BaseModel, ConfigDict


class Tuning(BaseModel):
    """`shapes` is what a graph is traced for: any batch size, or each batch size again (`static`). `optimizer` is this
    suite's Adam in single operations, raw ones or Keras's, or TensorFlow's single kernel for it, given an epsilon with
    which its formula is the paper's (`fused`)."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    shapes: Literal["any", "static"] = "any"
    optimizer: Literal["operations", "fused"] = "operations"
