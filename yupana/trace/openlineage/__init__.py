"""The event log told as OpenLineage, for Marquez, OpenMetadata and others that read it."""
