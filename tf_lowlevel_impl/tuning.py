"""Options that make the same computation faster, as shared/protocol.py specifies. None changes what is computed."""

from typing import Literal

from pydantic import BaseModel, ConfigDict


class Tuning(BaseModel):
    """TensorFlow's performance options.

    - `shapes`: a graph is traced once for any batch size, or again for each batch size (`static`).
    - `optimizer`: this suite's Adam in single operations, raw ones or Keras's, or TensorFlow's single kernel for it
      (`fused`). The kernel gets an epsilon with which its formula is the paper's.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    shapes: Literal["any", "static"] = "any"
    optimizer: Literal["operations", "fused"] = "operations"
