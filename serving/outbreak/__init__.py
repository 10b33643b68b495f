"""The service of the outbreak use case."""
