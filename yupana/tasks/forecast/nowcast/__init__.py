"""How late counts are reported, and what the newest periods will hold."""
