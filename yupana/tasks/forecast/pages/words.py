"""What pages call a period."""

from yupana.tasks.forecast.frequency import MONTH, WEEK

WORDS = {
    WEEK.name: {
        "one": "semana", "many": "semanas", "newest": "la última semana", "known": "conocida",
        "all": "todas las semanas pronosticadas", "first": "las primeras semanas pronosticadas",
        "same": "las mismas semanas", "those": "esas semanas", "each": "cada semana",
        "none": "ninguna semana",
    },
    MONTH.name: {
        "one": "mes", "many": "meses", "newest": "el último mes", "known": "conocido",
        "all": "todos los meses pronosticados", "first": "los primeros meses pronosticados",
        "same": "los mismos meses", "those": "esos meses", "each": "cada mes",
        "none": "ningún mes",
    },
}  # fmt: skip
"""What a period is called in Spanish."""
