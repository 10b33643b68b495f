"""Slips of a contract, each with file, line and mend."""
