"""The outbreak training pipeline on Kubeflow: split → fit each member → pool → backtest and
evaluate → register.

Each component does one step in its own process, by the function of the step's `yupana` command,
and passes its first reference on. The compiled file `pipelines/outbreak.yaml` is what `kfp.local`
runs on one machine, task by task; a cluster gets the same pipeline with what its pods ask for
(`pipelines/cluster.py`), and fits the members side by side.
"""

from collections.abc import Callable
from pathlib import Path

from kfp import compiler, dsl

COMPILED = Path(__file__).with_suffix(".yaml")
IMAGE = "yupana:latest"
LEARNS = ("fit-network", "backtest")
"""Tasks that a GPU helps."""

Place = Callable[[dsl.PipelineTask], None]


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def split(as_of: str) -> str:
    from datetime import datetime

    from yupana.cli import learn
    from yupana.cli.process import component

    day = datetime.fromisoformat(as_of) if as_of else None
    return component(lambda: learn.split("outbreak", day))


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def fit_network(rows: str, tuning: str) -> str:
    from yupana.cli import fitting
    from yupana.cli.process import component

    return component(lambda: fitting.fit("outbreak", rows, "network", tuning))


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def fit_regressions(rows: str) -> str:
    from yupana.cli import fitting
    from yupana.cli.process import component

    return component(lambda: fitting.fit("outbreak", rows, "regressions"))


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def pool(rows: str, network: str, regressions: str) -> str:
    from yupana.cli import fitting
    from yupana.cli.process import component

    return component(lambda: fitting.pool("outbreak", rows, [network, regressions]))


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def backtest(candidate: str, origins: str) -> str:
    from yupana.cli import judging
    from yupana.cli.process import component

    return component(lambda: judging.backtest("outbreak", candidate, origins))


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def evaluate(candidate: str) -> str:
    from yupana.cli import judging
    from yupana.cli.process import component

    return component(lambda: judging.evaluate("outbreak", candidate))


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def register(candidate: str, tried: str, evaluation: str) -> str:
    from yupana.cli import judging
    from yupana.cli.process import component

    return component(lambda: judging.register_model("outbreak", candidate, tried))


def pipeline(place: Place = lambda task: None) -> dsl.base_component.BaseComponent:
    """The pipeline, each of its tasks given to `place` for what its pod asks for.

    Args of the pipeline, all text, empty = default: `as_of` (ISO date; train on what was known
    then alone), `tuning` (reference of options), `backtest_origins` (START:END:STEP).
    """

    @dsl.pipeline(name="outbreak", description="Train and register the outbreak forecaster")
    def outbreak(as_of: str = "", tuning: str = "", backtest_origins: str = "") -> str:
        rows = split(as_of=as_of)
        network = fit_network(rows=rows.output, tuning=tuning)
        regressions = fit_regressions(rows=rows.output)
        pooled = pool(rows=rows.output, network=network.output, regressions=regressions.output)
        tried = backtest(candidate=pooled.output, origins=backtest_origins)
        scored = evaluate(candidate=pooled.output)
        made = register(candidate=pooled.output, tried=tried.output, evaluation=scored.output)
        for task in (rows, network, regressions, pooled, tried, scored, made):
            # What is done already, and with which data, the event log knows better than a hash
            # of the arguments: `as_of` is empty today and tomorrow.
            task.set_caching_options(False)
            place(task)
        return made.output

    return outbreak


def compile_to(path: Path, place: Place = lambda task: None) -> None:
    """Write the pipeline as the YAML that Kubeflow reads."""
    compiler.Compiler().compile(pipeline(place), str(path))


if __name__ == "__main__":
    compile_to(COMPILED)
