"""The outbreak training pipeline on Kubeflow: split → fit → evaluate → register.

Each component runs one `yupana` command and passes its first reference on. The compiled file
`pipelines/outbreak.yaml` is what a cluster runs and what `kfp.local` runs on one machine.
"""

from pathlib import Path

from kfp import compiler, dsl

COMPILED = Path(__file__).with_suffix(".yaml")
IMAGE = "yupana:latest"


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def split(as_of: str) -> str:
    from yupana.orchestration.command import run_command

    day = ["--as-of", as_of] if as_of else []
    return str(run_command(["split", "outbreak", *day])["outputs"][0])


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def fit(rows: str) -> str:
    from yupana.orchestration.command import run_command

    return str(run_command(["fit", "outbreak", "--split", rows])["outputs"][0])


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def evaluate(candidate: str) -> str:
    from yupana.orchestration.command import run_command

    return str(run_command(["evaluate", "outbreak", "--candidate", candidate])["outputs"][0])


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def register(candidate: str, evaluation: str) -> str:
    from yupana.orchestration.command import run_command

    return str(run_command(["register", "outbreak", "--candidate", candidate])["outputs"][0])


@dsl.pipeline(name="outbreak", description="Train and register the outbreak forecaster")
def outbreak(as_of: str = "") -> str:
    rows = split(as_of=as_of)
    fitted = fit(rows=rows.output)
    scored = evaluate(candidate=fitted.output)
    return register(candidate=fitted.output, evaluation=scored.output).output


def compile_to(path: Path) -> None:
    """Write the pipeline as the YAML that Kubeflow reads."""
    compiler.Compiler().compile(outbreak, str(path))


if __name__ == "__main__":
    compile_to(COMPILED)
