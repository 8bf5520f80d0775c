"""What runs in a worker process, beside one framework."""
