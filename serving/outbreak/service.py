"""BentoML service: weekly dengue forecasts by district, with uncertainty and a trace.

The addresses are those of its kind, `yupana.tasks.forecast.serving.routes`, and the shared ones,
`yupana.serving.routes`.
"""

from yupana.serving.service import prediction_service

Outbreak = prediction_service("outbreak")
