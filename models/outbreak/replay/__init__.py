"""Past years replayed week by week, as they were known then, with and without planted faults."""
