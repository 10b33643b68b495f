"""The complaints training pipeline on Kubeflow."""

from yupana.tasks.classify.pipeline import TrainingPipeline

PIPELINE = TrainingPipeline("complaints")
