"""`compare bench --inference`: what a network costs that only answers, in every way that it can be served.

Each way is a process of its own, which imports what serving it needs. They take turns as in a bench of training steps.
"""
