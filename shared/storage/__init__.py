"""Files, folders and locks, here or on a store."""
