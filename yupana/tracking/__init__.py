"""MLflow runs and registry, model cards, projects, the model store, and the DVC exchange."""
