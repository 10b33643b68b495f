"""Forecasts of past weeks, made as they would have been made then, and scored."""
