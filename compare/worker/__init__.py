"""The worker process, with one framework."""
