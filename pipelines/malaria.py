"""The malaria training pipeline on Kubeflow."""

from yupana.tasks.forecast.pipeline import TrainingPipeline

PIPELINE = TrainingPipeline("malaria")
