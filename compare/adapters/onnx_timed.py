"""Run an ONNX file by ONNX Runtime, as a service does. Its nodes are not timed, because ONNX Runtime joins them."""

import os
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from compare.adapters.adapter import Unreadable
from compare.adapters.onnx_files.runtime import WHOLE
from compare.adapters.passes import Repeated, Run
from compare.rpc.timing_messages import Pass
from shared.choices import Mode


class OnnxPasses:
    """See passes.Passes."""

    mode: Mode = "graph"

    def __init__(self, adapter: Any, mode: Mode | None) -> None:
        if mode not in (None, "graph"):
            raise Unreadable(f"An ONNX file has no mode '{mode}', only graph.")
        try:
            import onnxruntime
        except ImportError:
            raise Unreadable("An ONNX file is timed in ONNX Runtime: pip install 'compare[onnx]'.") from None
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = int(os.environ["COMPARE_THREADS"])
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self.in_words = f"ONNX Runtime {onnxruntime.__version__}"
        self._adapter = adapter
        self._session = onnxruntime.InferenceSession(str(adapter.path), options, ["CPUExecutionProvider"])
        self._kinds = {each.name: each.type.tensor_type.elem_type for each in adapter.model.graph.input}

    def forward(self, inputs: Mapping[str, np.ndarray]) -> Run:
        """See Passes.forward."""
        last = self._adapter.last
        arrays = {
            name: np.ascontiguousarray(np.moveaxis(array, 1, -1) if last and array.ndim > 2 else array)
            for name, array in inputs.items()
        }
        arrays = {name: array.astype(WHOLE.get(self._kinds[name], np.float32)) for name, array in arrays.items()}

        def run() -> Any:
            return self._session.run(None, arrays)[0]

        run()
        return run

    def training(self, inputs: Mapping[str, np.ndarray], targets: np.ndarray) -> Run:
        """Raise Unreadable: it has no training step."""
        raise Unreadable("An ONNX file cannot be trained.")

    def begin(self, what: Pass) -> None:
        """See Passes.begin."""

    def watch(self, inputs: Mapping[str, np.ndarray]) -> Mapping[str, Callable[[], Repeated]]:
        """See Passes.watch: return no nodes."""
        return {}
