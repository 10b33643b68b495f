"""Delta tables: reading, versions, commits, upkeep and the list of data sets."""
