"""What runs in the worker of somebody's own model: each adapter reads one framework's models as graphs."""
