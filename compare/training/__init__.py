"""A study: its options, its plan, the runs, checkpoints, and its report."""
