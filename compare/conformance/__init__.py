"""The tests that every implementation must pass, shipped: `pytest --pyargs compare.conformance --implementation NAME`.

Everything is compared with networks in NumPy that share no code with any implementation (reference.py).
"""
