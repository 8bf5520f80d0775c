"""One file a command: what it does, in order, and its exit code."""
