"""Steps run once, and the event log."""
