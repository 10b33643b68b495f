"""Commands of data sets: contracts, ingests, streams, versions, quality."""
