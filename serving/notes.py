"""Caveats and reasons not to answer, Spanish and English."""

from __future__ import annotations

from datetime import date

Note = dict[str, str]

STALE_WEEKS = 2
"""Weeks without data from which an answer says so."""


def note(code: str, es: str, en: str) -> Note:
    return {"code": code, "es": es, "en": en}


POOLED = note(
    "pooled",
    "Distrito sin historia en el entrenamiento: pronóstico conjunto de todos los distritos.",
    "District without history in training: pooled forecast of all districts.",
)
TRIAL = note(
    "trial",
    "Modelo a prueba: no está aprobado para decidir.",
    "Model on trial: not approved for decisions.",
)
NO_CHANNEL = note(
    "no_channel",
    "Historia demasiado corta para el canal endémico: sin nivel de alerta.",
    "History too short for the endemic channel: no alert level.",
)
RECORDED = note(
    "recorded",
    "Pronóstico guardado, hecho con lo que se sabía en ese día.",
    "Recorded forecast, made from what was known on that day.",
)
INCOMPLETE = note(
    "incomplete_reports",
    "Las últimas semanas aún no están completas: el modelo lo tiene en cuenta, con más "
    "incertidumbre.",
    "The newest weeks are not complete yet: the model takes it into account, less surely.",
)
UNKNOWN = note(
    "unknown_district",
    "Sin datos recientes de este distrito. Use el código INEI de un distrito bajo vigilancia.",
    "No recent data of this district. Use the INEI code of a district under surveillance.",
)
NOT_RECORDED = note(
    "not_recorded",
    "No hay un pronóstico guardado de ese día. Pida uno más reciente, o que la plataforma lo "
    "haga: yupana predict outbreak --as-of DÍA.",
    "No forecast of that day is recorded. Ask for a later day, or have the platform make it: "
    "yupana predict outbreak --as-of DAY.",
)


def stale(data_as_of: date, weeks: int) -> Note:
    """The data end some weeks before the day that is asked for."""
    return note(
        "stale_data",
        f"Los datos terminan el {data_as_of}, {weeks} semanas antes del día pedido.",
        f"The data end on {data_as_of}, {weeks} weeks before the day that was asked for.",
    )


def too_stale(data_as_of: date, weeks: int) -> Note:
    """All weeks of the forecast are over on the day that is asked for."""
    return note(
        "stale_data",
        f"Los datos terminan el {data_as_of}, {weeks} semanas antes del día pedido: todo lo que "
        f"se puede pronosticar ya pasó. Publique datos más recientes, o pida un día hasta 8 "
        f'semanas después de los datos: "as_of": "{data_as_of}".',
        f"The data end on {data_as_of}, {weeks} weeks before the day that was asked for: all that "
        f"can be forecast is over. Publish newer data, or ask for a day up to 8 weeks after the "
        f'data: "as_of": "{data_as_of}".',
    )
