"""Forecasts of counts by entity and period, as quantiles, for entities with groups."""

from yupana.tasks.forecast.task import TASK

__all__ = ["TASK"]
