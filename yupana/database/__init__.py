"""The platform database."""
