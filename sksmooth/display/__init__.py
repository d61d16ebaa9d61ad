"""Display results: plots, pages and reports."""
