"""Features of the malaria use case."""
