"""Networks as graphs of ONNX's operators, from any framework (docs/port.md)."""
