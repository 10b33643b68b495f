"""The training pipeline on Kubeflow: split → fit each member → pool → backtest and evaluate →
register.

Each component does one step in its own process, by the function of the step's `yupana` command,
and passes its first reference on. It is compiled when it is run: `kfp.local` runs it on one
machine, task by task; a cluster gets the same pipeline with what its pods ask for
(`yupana/training/cluster.py`), and fits the members side by side.
"""

from dataclasses import dataclass
from pathlib import Path

from kfp import compiler, dsl

from yupana.training.components import IMAGE, Place, evaluate


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def split(use_case: str, as_of: str) -> str:
    from datetime import datetime

    from yupana.console.process import component
    from yupana.tasks.forecast.commands import features

    day = datetime.fromisoformat(as_of) if as_of else None
    return component(lambda: features.split(use_case, day))


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def fit_network(use_case: str, rows: str, tuning: str) -> str:
    from yupana.console.process import component
    from yupana.tasks.forecast.commands import fitting

    return component(lambda: fitting.fit(use_case, rows, "network", tuning))


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def fit_regressions(use_case: str, rows: str) -> str:
    from yupana.console.process import component
    from yupana.tasks.forecast.commands import fitting

    return component(lambda: fitting.fit(use_case, rows, "regressions"))


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def pool(use_case: str, rows: str, network: str, regressions: str) -> str:
    from yupana.console.process import component
    from yupana.tasks.forecast.commands import fitting

    return component(lambda: fitting.pool(use_case, rows, [network, regressions]))


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def backtest(use_case: str, candidate: str, origins: str) -> str:
    from yupana.console.process import component
    from yupana.tasks.forecast.commands import candidate_backtest

    return component(lambda: candidate_backtest.backtest(use_case, candidate, origins))


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def register(use_case: str, candidate: str, tried: str, evaluation: str) -> str:
    from yupana.config.settings import settings
    from yupana.console.options import emit
    from yupana.console.process import component
    from yupana.training import candidate_steps as steps

    return component(lambda: emit(steps.register(settings(), use_case, candidate, tried), False))


@dataclass(frozen=True)
class TrainingPipeline:
    """The pipeline of a use case.

    Attributes:
        use_case: its name, which the pipeline bears too.
        learns: tasks that a GPU helps.
    """

    use_case: str
    learns: tuple[str, ...] = ("fit-network", "backtest")

    def compile_to(self, path: Path, place: Place = lambda task: None) -> None:
        """Write the pipeline as the YAML that Kubeflow reads.

        Its arguments are all text, empty = default: `as_of` (ISO date; train on what was known
        then alone), `tuning` (reference of options), `backtest_origins` (START:END:STEP).

        Args:
            place: given each task, for what its pod asks for.
        """
        name = self.use_case

        @dsl.pipeline(name=name, description=f"Train and register the forecaster {name}")
        def graph(as_of: str = "", tuning: str = "", backtest_origins: str = "") -> str:
            rows = split(use_case=name, as_of=as_of)
            network = fit_network(use_case=name, rows=rows.output, tuning=tuning)
            regressions = fit_regressions(use_case=name, rows=rows.output)
            pooled = pool(
                use_case=name, rows=rows.output, network=network.output,
                regressions=regressions.output,
            )  # fmt: skip
            tried = backtest(use_case=name, candidate=pooled.output, origins=backtest_origins)
            scored = evaluate(use_case=name, candidate=pooled.output)
            version = register(
                use_case=name, candidate=pooled.output, tried=tried.output,
                evaluation=scored.output,
            )  # fmt: skip
            for task in (rows, network, regressions, pooled, tried, scored, version):
                # What is done already, and with which data, the event log knows better than a
                # hash of the arguments: `as_of` is empty today and tomorrow.
                task.set_caching_options(False)
                place(task)
            return version.output

        path.parent.mkdir(parents=True, exist_ok=True)
        compiler.Compiler().compile(graph, str(path))
