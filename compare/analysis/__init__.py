"""Figures from records: timing, accuracy, equivalence, differences between studies."""
