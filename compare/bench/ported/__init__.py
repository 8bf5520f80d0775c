"""`compare port --bench`: the times of a user's two models, pass by pass and layer by layer.

Each model has a process of its own. They take turns as in a bench of the suite's networks.
"""
