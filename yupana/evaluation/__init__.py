"""Proper scores of probabilistic forecasts."""
