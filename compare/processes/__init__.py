"""The parent's side of worker processes: start, request, end, and their environment."""
