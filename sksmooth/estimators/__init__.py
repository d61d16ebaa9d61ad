"""The estimators, and comparisons of them."""
