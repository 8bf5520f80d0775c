"""Networks as graphs of ONNX's operators, whatever framework they come from (docs/port.md)."""
