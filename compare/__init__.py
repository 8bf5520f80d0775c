"""The harness: it starts a worker process for each implementation, trains, evaluates, tabulates, reports.

It imports shared/ and never a framework; only compare/worker/, which runs in the worker processes, imports an
implementation.
"""
