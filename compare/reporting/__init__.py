"""What people see: the screen, progress, tables, plots, pages, and files for other tools."""
