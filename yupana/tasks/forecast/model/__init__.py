"""The pooled forecaster, its members and the baselines that it must beat."""
