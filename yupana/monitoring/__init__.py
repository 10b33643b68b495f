"""Evidently reports on what was answered."""
