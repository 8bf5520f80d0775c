"""Move every ReLU after the max-pooling that follows it.

The two commute, forward and backward. ReLU keeps the order of values above 0, so a window has the same maximum at the
same place. If no value is above 0, no gradient passes either way. ReLU then processes a quarter of the values.
"""

from typing import Any

import torch.nn.functional as F
from torch import Tensor, fx, nn

from torch_impl.layers import BatchNorm


def pooled_first(module: nn.Module) -> fx.GraphModule:
    """Return `module` with its ReLUs after its poolings. The layers and their parameters are shared, not copied."""
    whole = _Untapped(module)
    graph = _Tracer().trace(whole)
    for pool in [node for node in graph.nodes if node.target is F.max_pool2d]:
        relu: Any = pool.args[0]
        if relu.target is F.relu and len(relu.users) == 1:
            pool.replace_input_with(relu, relu.args[0])
            with graph.inserting_after(pool):
                after = graph.call_function(F.relu)
            pool.replace_all_uses_with(after)
            after.args = (pool,)
            graph.erase_node(relu)
    return fx.GraphModule(whole, graph)


class _Untapped(nn.Module):
    """A network without its argument `tap`, which a graph cannot have."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.network(x)
        return logits


class _Tracer(fx.Tracer):
    """Traces into the network but not into its layers, which behave differently in training and in evaluation."""

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return isinstance(m, BatchNorm) or super().is_leaf_module(m, module_qualified_name)
