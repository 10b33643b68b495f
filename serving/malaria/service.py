"""BentoML service: monthly malaria forecasts by parasite and district."""

from yupana.serving.service import prediction_service

Malaria = prediction_service("malaria")
