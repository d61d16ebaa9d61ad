"""Forecasts of the error with more samples."""
