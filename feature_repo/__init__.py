"""Feast definitions and the feature tables they read, one name a use case."""

from yupana.features.quick_feast import quick

quick()
