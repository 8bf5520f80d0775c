"""`compare port --bench`: what two models of a user's take, pass by pass and layer by layer.

Each model has a process of its own. They take turns as in a bench of the suite's networks.
"""
