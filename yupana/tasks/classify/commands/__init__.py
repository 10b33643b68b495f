"""The commands of classifiers of texts."""

MODULES = {
    "texts": ("features", "split"),
    "fitting": ("fit",),
    "ask": ("ask",),
    "label": ("label",),
    "opinion": ("opinion",),
    "impact": ("impact",),
}
"""The modules of this package, in the order of the help, and the commands that each registers."""
