"""The commands that the outbreak use case adds: `yupana outbreak …`."""

MODULES = {"challenge": ("challenge",), "replay": ("replay",)}
"""The modules of this package, and the commands that each registers."""
