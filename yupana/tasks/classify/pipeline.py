"""The training pipeline on Kubeflow: split → fit → evaluate → register.

Each component does one step in its own process, by the function of the step's `yupana` command,
and passes its first reference on.
"""

from dataclasses import dataclass
from pathlib import Path

from kfp import compiler, dsl

from yupana.training.components import IMAGE, Place, evaluate


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def split(use_case: str) -> str:
    from yupana.console.process import component
    from yupana.tasks.classify.commands import texts

    return component(lambda: texts.split(use_case))


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def fit(use_case: str, rows: str) -> str:
    from yupana.console.process import component
    from yupana.tasks.classify.commands import fitting

    return component(lambda: fitting.fit(use_case, rows))


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def register(use_case: str, candidate: str, evaluation: str) -> str:
    from yupana.config.settings import settings
    from yupana.console.options import emit
    from yupana.console.process import component
    from yupana.training import candidate_steps as steps

    return component(lambda: emit(steps.register(settings(), use_case, candidate), False))


@dataclass(frozen=True)
class TrainingPipeline:
    """The pipeline of a use case.

    Attributes:
        use_case: its name, which the pipeline bears too.
        learns: tasks that a GPU helps; none here.
    """

    use_case: str
    learns: tuple[str, ...] = ()

    def compile_to(self, path: Path, place: Place = lambda task: None) -> None:
        """Write the pipeline as the YAML that Kubeflow reads.

        It takes the arguments of every training pipeline, and uses none of them: a classifier has
        no past days, no tuned options and no origins.

        Args:
            place: given each task, for what its pod asks for.
        """
        name = self.use_case

        @dsl.pipeline(name=name, description=f"Train and register the classifier {name}")
        def graph(as_of: str = "", tuning: str = "", backtest_origins: str = "") -> str:
            rows = split(use_case=name)
            candidate = fit(use_case=name, rows=rows.output)
            scored = evaluate(use_case=name, candidate=candidate.output)
            version = register(
                use_case=name, candidate=candidate.output, evaluation=scored.output
            )
            for task in (rows, candidate, scored, version):
                # What is done already the event log knows better than a hash of the arguments.
                task.set_caching_options(False)
                place(task)
            return version.output

        path.parent.mkdir(parents=True, exist_ok=True)
        compiler.Compiler().compile(graph, str(path))
