"""Audits, quality, conventions and changes of data, all read from its contract."""
