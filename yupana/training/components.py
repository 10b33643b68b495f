"""What the training pipelines of all kinds share on Kubeflow: the image, and how a candidate is
evaluated."""

from collections.abc import Callable

from kfp import dsl

IMAGE = "yupana:latest"

Place = Callable[[dsl.PipelineTask], None]
"""Given each task, for what its pod asks for."""


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def evaluate(use_case: str, candidate: str) -> str:
    from yupana.config.settings import settings
    from yupana.console.options import emit
    from yupana.console.process import component
    from yupana.training import candidate_steps as steps

    return component(lambda: emit(steps.evaluate(settings(), use_case, candidate), False))
