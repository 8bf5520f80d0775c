"""The parent's side of processes: start a worker, ask it, end it, and the environment that it gets."""
