"""How good a classifier is: pooled over held-out groups, by label, and where it declines."""
