"""The tests that every implementation is held to, shipped: `pytest --pyargs compare.conformance --implementation NAME`.

Everything is compared with networks in NumPy that share no code with any implementation (reference.py).
"""
