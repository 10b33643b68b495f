"""The malaria service."""
