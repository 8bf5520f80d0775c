"""The worker's side for a user's own model: each adapter reads one framework's models as graphs."""
