"""The command line: only declarations."""
