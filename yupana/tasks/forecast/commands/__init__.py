"""The commands of forecasts."""

MODULES = {
    "features": ("features", "split"),
    "fitting": ("fit", "pool"),
    "tune": ("tune",),
    "backtest": ("backtest",),
    "reproduce": ("reproduce",),
    "predict": ("predict",),
    "nowcast": ("nowcast",),
    "ask": ("ask",),
    "impact": ("impact",),
    "norms": ("norms",),
}
"""The modules of this package, in the order of the help, and the commands that each registers."""
