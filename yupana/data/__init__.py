"""The lake: contracts, files as they came, staging, publication and history."""
