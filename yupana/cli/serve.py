"""Commands of agencies and auditors: deploy, serve, ask, share, monitor, trace."""

from __future__ import annotations

from typing import Annotated

import typer

from yupana.cli.common import AsJson, UseCase, emit


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    for command in (deploy, serve, ask, share, monitor, trace):
        app.command()(command)


def deploy(use_case: UseCase, as_json: AsJson = False) -> None:
    """Put the registry's champion into the model store that the service reads.

    Example: yupana deploy outbreak
    """
    from yupana.config.settings import settings
    from yupana.governance import events, steps

    chosen = settings()
    champion = events.champion(chosen.events, use_case)

    def work() -> steps.Outcome:
        from yupana.tracking import deployment

        tag = deployment.deploy(chosen, use_case)
        return steps.Outcome((f"deployment:{tag}",), metrics={"tag": tag})

    emit(steps.run(chosen, "deploy", use_case, work, inputs=(champion,)), as_json)


def serve(use_case: UseCase) -> None:
    """Serve the use case's endpoint until Ctrl-C; its page shows and tries the API.

    Example: yupana serve outbreak
    """
    from yupana.config.settings import settings
    from yupana.orchestration import service

    with service.running(settings(), use_case) as url:
        print(f"{use_case} answers at {url}   (Ctrl-C stops it)", flush=True)
        service.wait()


def ask(
    use_case: UseCase,
    ubigeo: Annotated[list[str], typer.Argument(help="INEI codes of districts, six digits.")],
    url: Annotated[str, typer.Option(help="Base address of the running service.")] = "",
    horizon: Annotated[int, typer.Option(help="Weeks ahead, 1-8.")] = 8,
) -> None:
    """Ask the running service and print its answer as JSON.

    Example: yupana ask outbreak 160101
    """
    import json

    from yupana.config.settings import settings
    from yupana.orchestration import service

    address = url or f"http://127.0.0.1:{settings().serve_port}"
    answer = service.ask(address, ubigeo, horizon, use_case=use_case)
    print(json.dumps(answer, ensure_ascii=False, indent=1))


def share(use_case: UseCase, as_json: AsJson = False) -> None:
    """Put the published tables and the champion into the DVC exchange, for `dvc get`.

    Example: yupana share outbreak
    """
    from yupana.config.settings import settings
    from yupana.core import usecase
    from yupana.data import contract, delta
    from yupana.governance import events, steps

    chosen = settings()
    names = usecase.load("feature_repo", f"{use_case}_weekly").SOURCES
    tables = [delta.ref(chosen.lake, "published", name) for name in names]
    model = events.champion(chosen.events, use_case)

    def work() -> steps.Outcome:
        from yupana.tracking import deployment, exchange

        refs = []
        for table in tables:
            about = contract.load(chosen.root, table.name)
            facts = {"publisher": about.publisher, "licence": about.licence}
            commit = delta.commit_facts(chosen.table("published", table.name), table.version)
            refs.append(
                exchange.share_table(
                    chosen,
                    chosen.table("published", table.name),
                    table.name,
                    table.version,
                    {**commit, **facts},
                )
            )
        folder = deployment.folder(use_case)
        refs.append(
            exchange.share_model(chosen, folder, use_case, model.split("@")[1], {"model": model})
        )
        where = str(chosen.home / "exchange")
        return steps.Outcome(tuple(refs), metrics={"exchange": where})

    inputs = (*(t.ref for t in tables), model)
    emit(steps.run(chosen, "share", use_case, work, inputs=inputs), as_json)


def monitor(use_case: UseCase, as_json: AsJson = False) -> None:
    """Compare what was answered with the model's test weeks: an Evidently report.

    Example: yupana monitor outbreak
    """
    from yupana.config.settings import settings
    from yupana.core.progress import Lines
    from yupana.governance import events, predictions, steps

    chosen = settings()
    model = events.champion(chosen.events, use_case)
    answers = predictions.logged(chosen.platform_db, use_case)
    asked = tuple(f"prediction:{a['prediction_id']}" for a in answers)

    def work() -> steps.Outcome:
        from yupana.core import usecase
        from yupana.monitoring.report import monitor as compare

        registered = events.producer(chosen.events, model)
        candidate = registered["inputs"][0].removeprefix("candidate:")
        reference = chosen.home / "candidates" / candidate / "reference.parquet"
        columns = list(usecase.load("feature_repo", f"{use_case}_weekly").MONITORED)
        facts = compare(chosen, use_case, reference, columns, Lines().say)
        return steps.Outcome((facts.pop("ref"),), metrics=facts)

    emit(steps.run(chosen, "monitor", use_case, work, inputs=(model, *asked)), as_json)


def trace(
    reference: Annotated[
        str, typer.Argument(help="A prediction_id, a data set (name or name@3), or a reference.")
    ],
    as_json: AsJson = False,
) -> None:
    """Print the road from an answer, or a published version, back to the hash of its file.

    Example: yupana trace dengue_linelist@1
    """
    import json

    from rich.console import Console

    from yupana.cli import lake
    from yupana.config.settings import settings
    from yupana.data import provenance
    from yupana.governance import trace as tracing

    chosen = settings()
    if dataset := provenance.named(chosen, reference):
        lake.trace(chosen, *dataset, as_json)
        return
    node = tracing.trace(chosen.events, reference)
    if as_json:
        print(json.dumps(tracing.to_json(node), ensure_ascii=False, default=str))
        return
    Console().print(tracing.render(node))
    for source in tracing.sources(node):
        print(f"source file SHA-256: {source.removeprefix('raw:')}")
