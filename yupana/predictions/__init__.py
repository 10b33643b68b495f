"""The prediction log, its export to the lake, usage, and feedback."""
