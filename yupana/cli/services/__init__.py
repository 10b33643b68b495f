"""Commands of prediction services: deployments, keys, usage, the log of answers."""
