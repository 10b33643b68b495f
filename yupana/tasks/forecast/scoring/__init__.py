"""Proper scores of quantile forecasts, in all and by group."""
