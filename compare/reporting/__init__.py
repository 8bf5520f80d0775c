"""Output for users: the screen, progress, tables, plots, pages, and files for other tools."""
