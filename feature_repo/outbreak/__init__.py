"""Features of the outbreak use case."""
