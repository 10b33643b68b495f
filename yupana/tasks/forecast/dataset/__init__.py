"""What features are computed from, as it was known on a day, and training sets."""
