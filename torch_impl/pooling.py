"""A network in which every ReLU comes after the max-pooling that follows it, instead of before.

The two commute, in both directions. ReLU keeps the order of what is above 0, so the largest of a window is the same
value at the same place. If nothing is above 0, no gradient passes either way. What changes is that ReLU sees a quarter
of the values.
"""

from typing import Any

import torch.nn.functional as F
from torch import Tensor, fx, nn

from torch_impl.layers import BatchNorm


def pooled_first(module: nn.Module) -> fx.GraphModule:
    """`module` with its ReLUs after its poolings. It has the same layers with the same parameters, not copies."""
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
    """A network without the argument that a graph could not have: who listens to its layers."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.network(x)
        return logits


class _Tracer(fx.Tracer):
    """Looks into the network but not into its layers: what those do in training and in evaluation is not the same."""

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return isinstance(m, BatchNorm) or super().is_leaf_module(m, module_qualified_name)
