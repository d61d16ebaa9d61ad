"""Pages: results rendered as HTML."""
