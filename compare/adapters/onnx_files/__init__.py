"""`.onnx` files as canonical graphs: only their data is read, and none of it is executed."""
