"""Kubeflow pipelines, one module a use case."""
