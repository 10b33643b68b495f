"""Personal data in free text: found, masked, and kept sealed where the law lets it be kept."""
