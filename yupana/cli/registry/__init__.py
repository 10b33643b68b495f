"""Commands of models: training, registry, projects."""
