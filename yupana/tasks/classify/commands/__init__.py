"""The commands of text classifiers."""

MODULES = {
    "label": ("label",),
}
"""The modules of this package, in the order of the help, and the commands that each registers."""
