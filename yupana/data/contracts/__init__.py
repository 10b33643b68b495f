"""Data contracts (ODCS 3): reading one, and the columns, rules and places that it states."""
