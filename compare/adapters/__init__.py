"""What runs in the worker of a user's own model: each adapter reads one framework's models as graphs."""
