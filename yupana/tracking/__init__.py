"""MLflow runs and registry, BentoML model store, and the DVC exchange."""
