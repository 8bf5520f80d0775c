"""Output folders: writing, reading, the manifest, tables as files."""
