"""Citizens' complaints by topic: what complaints add to the kit, which is their spec."""

from yupana.core import spec
from yupana.tasks.classify.usecases import ClassifyUseCase

USE_CASE = ClassifyUseCase(spec.load("complaints"))
"""The complaints service."""
