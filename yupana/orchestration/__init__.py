"""Steps: what runs, in which order, and what is already done. Imports no engine."""
