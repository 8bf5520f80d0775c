"""The ledger of differences: the frameworks answer every row, which the terminal and a page show and a search finds."""
