"""`.onnx` files as canonical graphs: their data alone is read, and none of it is executed."""
