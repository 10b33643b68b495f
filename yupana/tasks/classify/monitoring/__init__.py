"""What the monitor gets to know of a classifier: its texts, its confidence, its queue."""
