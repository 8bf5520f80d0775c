"""The contract that every implementation must meet: data, batches, models, weights, training, results.

It uses NumPy and the standard library, with pydantic for what is written to disk. Nothing here imports a framework, an
implementation or the harness.
"""
