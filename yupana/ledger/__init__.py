"""The audit ledger: a chain of events that cannot be rewritten without being found out."""
