"""Models, one module a use case, and the networks and baselines they are made of."""
