"""Feast definitions of the malaria use case."""

from feature_repo.malaria.monthly import LAYOUT
from yupana.tasks.forecast.dataset import definitions

OBJECTS = definitions.objects("malaria", LAYOUT, entity="series")
