"""Commands of agencies and auditors: deploy, serve, ask, share."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from yupana.cli.common import AsJson, UseCase, emit

if TYPE_CHECKING:
    from yupana.config.settings import Settings


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    for command in (deploy, adopt, serve, ask, share):
        app.command()(command)


def deploy(
    use_case: UseCase,
    canary: Annotated[
        float | None,
        typer.Option(
            min=0.0, max=1.0, metavar="SHARE", help="Let the challenger answer this share."
        ),
    ] = None,
    shadow: Annotated[
        bool, typer.Option("--shadow", help="Log the challenger's answers; tell none of them.")
    ] = False,
    alone: Annotated[
        bool, typer.Option("--alone", help="Take the challenger away from the champion's side.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Put the registry's champion where services answer from; running ones change within seconds.

    A service tests a model before it takes it, and serves on with the old one if the test fails;
    `GET /v1/models` tells why. --canary and --shadow put the challenger beside the champion.

    Example: yupana deploy outbreak --canary 0.1
    """
    import getpass
    from datetime import UTC

    from yupana.config.settings import settings
    from yupana.core.errors import UsageError
    from yupana.governance import deployments, events, steps

    if sum((canary is not None, shadow, alone)) > 1:
        raise UsageError(
            "Only one of --canary, --shadow and --alone can hold.",
            where="yupana deploy",
            fix="Give one of them, or none to leave the challenger as it is.",
        )
    chosen = settings()
    champion = events.champion(chosen.events, use_case)
    who: dict[str, Any] = {"now": datetime.now(UTC), "by": getpass.getuser()}

    def work() -> steps.Outcome:
        from yupana.tracking import deployment

        tags = {"tag": deployment.deploy(chosen, use_case, **who)}
        if shadow or canary is not None:
            tags["challenger"] = deployment.challenge(chosen, use_case, canary or 0.0, **who)
        if alone:
            deployments.clear(chosen.platform_db, use_case, deployments.CHALLENGER, **who)
        return steps.Outcome(tuple(f"deployment:{tag}" for tag in tags.values()), metrics=tags)

    def placed(outputs: tuple[str, ...]) -> bool:
        from yupana.tracking import deployment

        now = deployments.current(chosen.platform_db, use_case).get(deployments.CHAMPION)
        same = now is not None and outputs[0] == f"deployment:{now.tag}"
        return same and deployment.is_settled(chosen, use_case, who["now"])

    by_hand = shadow or alone or canary is not None
    # What is done by hand is done each time that it is asked for.
    result = steps.run(
        chosen, "deploy", use_case, work, inputs=(champion,),
        still_there=lambda outputs: not by_hand and placed(outputs),
    )  # fmt: skip
    emit(result, as_json)


def adopt(
    use_case: UseCase,
    folder: Annotated[Path, typer.Argument(help="The model's folder, as dvc get brought it.")],
    version: Annotated[int, typer.Option(min=1, help="Its version where it was registered.")] = 1,
    as_json: AsJson = False,
) -> None:
    """Put a model that another platform shared where services answer from.

    Example: yupana adopt outbreak model --version 3
    """
    import getpass
    from datetime import UTC

    from yupana.config.settings import settings
    from yupana.governance import steps

    chosen = settings()

    def work() -> steps.Outcome:
        from yupana.tracking import deployment

        tag = deployment.adopt(
            chosen, use_case, version, folder, now=datetime.now(UTC), by=getpass.getuser()
        )
        return steps.Outcome((f"deployment:{tag}",), metrics={"tag": tag})

    result = steps.run(
        chosen, "deploy", use_case, work, inputs=(f"shared:{use_case}@{version}",),
        still_there=lambda _: False,
    )  # fmt: skip
    emit(result, as_json)


def serve(use_case: UseCase) -> None:
    """Serve the use case's endpoint until Ctrl-C; its page shows and tries the API.

    Calls need a key: `yupana keys create` makes one for an agency; on this machine
    `yupana ask` uses the local key, keys/service.key in YUPANA_HOME.

    Example: yupana serve outbreak
    """
    from yupana.config.settings import settings
    from yupana.governance.local_key import local_key
    from yupana.orchestration import service

    chosen = settings()
    local_key(chosen.platform_db, chosen.home)
    with service.running(chosen, use_case) as url:
        print(f"{use_case} answers at {url}   (Ctrl-C stops it)")
        print("its page shows and tries the API; from another terminal, with the local key:")
        print(f"  yupana ask {use_case} 160101 --as-of 2022-01-05 --url {url}", flush=True)
        service.wait()


def ask(
    use_case: UseCase,
    ubigeo: Annotated[list[str], typer.Argument(help="INEI codes of districts, six digits.")],
    url: Annotated[str, typer.Option(help="Base address of the running service.")] = "",
    horizon: Annotated[int, typer.Option(help="Weeks ahead, 1-8.")] = 8,
    as_of: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="The day that is asked for; default: today."),
    ] = None,
) -> None:
    """Ask the running service and print its answer as JSON.

    Example: yupana ask outbreak 160101 --as-of 2022-01-05
    """
    import json

    from yupana.config.settings import settings
    from yupana.orchestration import service

    chosen = settings()
    address = url or f"http://127.0.0.1:{chosen.serve_port}"
    day = as_of.date() if as_of else None
    answer = service.ask(
        address, ubigeo, horizon, key=_key(chosen, address), as_of=day, use_case=use_case
    )
    print(json.dumps(answer, ensure_ascii=False, indent=1))


def _key(chosen: Settings, address: str) -> str:
    """The key for a service; this machine's own never leaves it."""
    from urllib.parse import urlsplit

    from yupana.core.errors import UsageError
    from yupana.governance import local_key

    if chosen.service_key:
        return local_key.read(chosen.service_key)
    if urlsplit(address).hostname in ("127.0.0.1", "localhost", "::1"):
        return local_key.local_key(chosen.platform_db, chosen.home)
    raise UsageError(
        "A service elsewhere needs a key.",
        where="YUPANA_SERVICE_KEY",
        fix="Write the key into a file with mode 600 and name the file in this variable.",
    )


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
        folder = deployment.folder(chosen, use_case)
        refs.append(
            exchange.share_model(chosen, folder, use_case, model.split("@")[1], {"model": model})
        )
        where = str(chosen.home / "exchange")
        return steps.Outcome(tuple(refs), metrics={"exchange": where})

    inputs = (*(t.ref for t in tables), model)
    emit(steps.run(chosen, "share", use_case, work, inputs=inputs), as_json)
