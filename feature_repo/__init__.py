"""Feast definitions and the feature tables they read, one name a use case."""
