"""The features by what they tell of, as explanations name them."""

from __future__ import annotations

from yupana.tasks.forecast.entities import ENTITY
from yupana.tasks.forecast.feature_groups import Group

GROUPS = (
    Group(
        "recent_cases", "Casos recientes del distrito", "Recent cases of the district",
        ("cases_lag_", "mean_8", "mean_26", "weeks_without_case"),
    ),
    Group(
        "neighbours", "Casos recientes de la provincia", "Recent cases of the province",
        ("province_lag_",),
    ),
    Group(
        "department", "Casos recientes del departamento", "Recent cases of the department",
        ("department_lag_",),
    ),
    Group("season", "Época del año", "Time of the year", ("week_sin", "week_cos", "event_time")),
    Group(
        "place", "Lugar (nivel habitual, población)", "Place (usual level, population)",
        (ENTITY, "mean_52", "mean_104", "province_population"),
    ),
    Group("climate", "Clima de los últimos meses", "Weather of the last months",
          ("temperature", "precipitation")),
    Group("reporting", "Parte ya notificada", "Share reported so far", ("completeness",)),
)  # fmt: skip
