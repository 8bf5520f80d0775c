"""The ledger of differences: every row asked of the frameworks, shown in the terminal and on a page, and searched."""
