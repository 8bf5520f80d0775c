"""`compare bench --inference`: the cost of a network that only answers, in every way that it can be served.

Each way has its own process, which imports what serving it needs. They take turns as in a bench of training steps.
"""
