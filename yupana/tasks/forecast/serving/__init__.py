"""The standard routes of a forecast service."""
