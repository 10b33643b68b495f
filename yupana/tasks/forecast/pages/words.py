"""What pages and checks call a period."""

from yupana.tasks.forecast.frequency import MONTH, WEEK

WORDS = {
    WEEK.name: {
        "one": "semana", "many": "semanas", "newest": "la última semana", "known": "conocida",
        "all": "todas las semanas pronosticadas", "first": "las primeras semanas pronosticadas",
        "same": "las mismas semanas", "those": "esas semanas", "each": "cada semana",
        "none": "ninguna semana", "this": "la semana",
        "of_before": "de la semana anterior", "closed": "semanas ya cerradas",
        "tests": "las semanas de prueba", "from_known": "de la última semana conocida",
        "fewer": "menos semanas adelante",
    },
    MONTH.name: {
        "one": "mes", "many": "meses", "newest": "el último mes", "known": "conocido",
        "all": "todos los meses pronosticados", "first": "los primeros meses pronosticados",
        "same": "los mismos meses", "those": "esos meses", "each": "cada mes",
        "none": "ningún mes", "this": "el mes",
        "of_before": "del mes anterior", "closed": "meses ya cerrados",
        "tests": "los meses de prueba", "from_known": "del último mes conocido",
        "fewer": "menos meses adelante",
    },
}  # fmt: skip
"""What a period is called in Spanish."""
