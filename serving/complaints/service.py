"""BentoML service: complaints received, classified, and followed by whom they concern."""

from yupana.serving.service import prediction_service

Complaints = prediction_service("complaints")
