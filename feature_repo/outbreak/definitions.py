"""Feast definitions of the outbreak use case."""

from feature_repo.outbreak.weekly import LAYOUT
from yupana.tasks.forecast.dataset import definitions

OBJECTS = definitions.objects("outbreak", LAYOUT, entity="district")
