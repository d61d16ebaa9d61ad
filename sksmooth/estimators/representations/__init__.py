"""Many representations of the same samples, compared in one table."""
