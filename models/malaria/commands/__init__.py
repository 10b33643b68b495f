"""The commands that the malaria use case adds: `yupana malaria …`."""

MODULES = {"compare": ("compare",)}
