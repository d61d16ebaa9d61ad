"""Labelled samples: how they are read, encoded and drawn."""
