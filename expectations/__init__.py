"""Data contracts (Open Data Contract Standard), one folder a data set."""
