"""The command line: declarations only."""
