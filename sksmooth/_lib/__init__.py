"""Helpers for all packages, and access to other libraries."""
