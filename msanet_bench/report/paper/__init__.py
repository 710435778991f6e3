"""The table for a paper: chosen rows and columns, as Markdown, LaTeX or comma-separated values."""
