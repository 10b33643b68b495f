"""From an answer back to its sources, and from a source to what rests on it."""
