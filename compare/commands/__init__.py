"""The commands, a module each: the steps of a command, in order, and its exit code."""
