"""The outbreak training pipeline on Kubeflow: split → fit each member → pool → backtest and
evaluate → register.

Each component runs one `yupana` command and passes its first reference on. The compiled file
`pipelines/outbreak.yaml` is what `kfp.local` runs on one machine, task by task; a cluster gets
the same pipeline with what its pods ask for (`pipelines/cluster.py`), and fits the members side
by side.
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
    from yupana.orchestration.command import run_command

    day = ["--as-of", as_of] if as_of else []
    return str(run_command(["split", "outbreak", *day])["outputs"][0])


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def fit_network(rows: str, tuning: str) -> str:
    from yupana.orchestration.command import run_command

    tuned = ["--tuning", tuning] if tuning else []
    command = ["fit", "outbreak", "--split", rows, "--member", "network", *tuned]
    return str(run_command(command)["outputs"][0])


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def fit_regressions(rows: str) -> str:
    from yupana.orchestration.command import run_command

    command = ["fit", "outbreak", "--split", rows, "--member", "regressions"]
    return str(run_command(command)["outputs"][0])


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def pool(rows: str, network: str, regressions: str) -> str:
    from yupana.orchestration.command import run_command

    members = ["--member", network, "--member", regressions]
    return str(run_command(["pool", "outbreak", "--split", rows, *members])["outputs"][0])


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def backtest(candidate: str, origins: str) -> str:
    from yupana.orchestration.command import run_command

    span = ["--origins", origins] if origins else []
    command = ["backtest", "outbreak", "--candidate", candidate, *span]
    return str(run_command(command)["outputs"][0])


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def evaluate(candidate: str) -> str:
    from yupana.orchestration.command import run_command

    return str(run_command(["evaluate", "outbreak", "--candidate", candidate])["outputs"][0])


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def register(candidate: str, tried: str, evaluation: str) -> str:
    from yupana.orchestration.command import run_command

    command = ["register", "outbreak", "--candidate", candidate, "--backtest", tried]
    return str(run_command(command)["outputs"][0])


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
