"""Forests as expansions in geometric wavelets."""
