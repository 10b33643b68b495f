"""The commands that complaints have under their name: `yupana complaints …`."""

MODULES = {"opinion": ("opinion",)}
"""`yupana complaints opinion`: what is complained about, as `yupana opinion complaints`."""
