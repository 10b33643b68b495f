"""Commands of who runs a service: deploy, adopt, serve, share, bento."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from yupana.config.lazy import settings
from yupana.console.options import AsJson, UseCase, emit
from yupana.core import spec, usecase
from yupana.core.errors import UsageError
from yupana.core.types import MOST_VERSION


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    for command in (deploy, adopt, serve, share, bento):
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
    `GET /v1/models` tells why. --canary and --shadow put the challenger beside the champion; one
    that is no newer than the next champion leaves with its deployment.

    Example: yupana deploy USE_CASE --canary 0.1
    """
    from yupana.identity import actors
    from yupana.lineage import steps
    from yupana.tracking import aliases, slots

    if sum((canary is not None, shadow, alone)) > 1:
        raise UsageError(
            "Only one of --canary, --shadow and --alone can hold.",
            where="yupana deploy",
            fix="Give one of them, or none to leave the challenger as it is.",
        )
    config = settings()
    champion = aliases.champion(config, use_case)
    who: dict[str, Any] = {"now": datetime.now(UTC), "by": actors.user()}

    def work() -> steps.Outcome:
        from yupana.tracking import deployment

        placed = deployment.deploy(config, use_case, **who)
        tags = {"tag": placed.tag}
        withdrawn = {"withdrawn": placed.withdrawn} if placed.withdrawn else {}
        if shadow or canary is not None:
            tags["challenger"] = deployment.challenge(config, use_case, canary or 0.0, **who)
        if alone:
            slots.clear(config.platform_db, use_case, slots.CHALLENGER, **who)
        refs = tuple(f"deployment:{tag}" for tag in tags.values())
        return steps.Outcome(refs, metrics=tags | withdrawn)

    def is_placed(outputs: tuple[str, ...]) -> bool:
        from yupana.tracking import deployment

        now = slots.current(config.platform_db, use_case).get(slots.CHAMPION)
        same = now is not None and outputs[0] == f"deployment:{now.tag}"
        settled = same and deployment.is_settled(config, use_case, who["now"])
        return settled and not deployment.outdated_challenger(config, use_case)

    by_hand = shadow or alone or canary is not None
    # What is done by hand is done each time that it is asked for.
    result = steps.run(
        config, "deploy", use_case, work, inputs=(champion,),
        still_there=lambda outputs: not by_hand and is_placed(outputs),
    )  # fmt: skip
    emit(result, as_json)


def adopt(
    use_case: UseCase,
    folder: Annotated[Path, typer.Argument(help="The model's folder, as dvc get brought it.")],
    metadata: Annotated[
        Path | None,
        typer.Option(help="What its publisher signed; metadata.json beside the folder."),
    ] = None,
    publisher: Annotated[
        Path | None,
        typer.Option(help="The publisher's public key: what `yupana audit key` prints there."),
    ] = None,
    sha256: Annotated[
        str, typer.Option(help="In place of a key: the hash that the publisher told you.")
    ] = "",
    version: Annotated[
        int | None,
        typer.Option(
            min=1, max=MOST_VERSION, help="A number of your own, where theirs is taken here."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Put a model that another platform shared where services answer from.

    Its files must be those that the publisher listed, and the list theirs: by their key, or by a
    hash, that came to you by another way than the model.

    Example: yupana adopt USE_CASE model --publisher theirs.pub
    """
    from yupana.core import plain_files
    from yupana.identity import actors
    from yupana.lineage import steps
    from yupana.tracking import shared_models

    config = settings()
    signed = metadata or folder.absolute().parent / shared_models.METADATA
    try:
        key = plain_files.text(publisher) if publisher else ""
    except FileNotFoundError as error:
        raise UsageError(
            "There is no such file of a publisher's key.",
            where=str(publisher),
            fix="Name the file that `yupana audit key` printed on the publisher's platform.",
        ) from error
    published = shared_models.metadata(use_case, signed, shared_models.Trust(key, sha256))

    def work() -> steps.Outcome:
        from yupana.tracking import deployment

        with shared_models.received(config, folder, published) as model:
            shared = replace(model, version=version or model.version)
            tag = deployment.adopt(
                config, use_case, shared, now=datetime.now(UTC), by=actors.user()
            )
        return steps.Outcome((f"deployment:{tag}",), metrics={"tag": tag})

    result = steps.run(
        config, "deploy", use_case, work, inputs=(published.ref,), still_there=lambda _: False
    )
    emit(result, as_json)


def serve(use_case: UseCase) -> None:
    """Serve the use case's endpoint until Ctrl-C; its page shows and tries the API.

    It listens on this machine alone, at port 8410 or YUPANA_SERVE_PORT (0: any that is free).
    Calls need a key: `yupana keys create` makes one for an agency; on this machine
    `yupana ask` uses the local key, keys/service.key in YUPANA_HOME.

    Example: yupana serve USE_CASE
    """
    from yupana.identity.local_key import local_key
    from yupana.orchestration import service

    config = settings()
    local_key(config.platform_db, config.home)
    with service.started(config, use_case) as started:
        url = started.url
        print(f"{use_case} answers at {url}   (Ctrl-C stops it)")
        print("its page shows and tries the API; from another terminal, with the local key:")
        about = spec.load(use_case)
        how = usecase.task(about.task).how_to_ask(about, {})
        print(f"  yupana {how} --url {url}", flush=True)
        started.wait()


def share(use_case: UseCase, as_json: AsJson = False) -> None:
    """Put the published tables and the model that answers into the DVC exchange, for `dvc get`.

    Example: yupana share USE_CASE
    """
    from yupana.data.contracts import contract
    from yupana.data.lake import delta
    from yupana.lineage import steps
    from yupana.tracking import slots

    config = settings()
    names = spec.load(use_case).data.required
    tables = [delta.ref(config.lake, "published", name) for name in names]
    # What is handed on is what answers, under its own version.
    model = slots.champion(config.platform_db, use_case).model

    def work() -> steps.Outcome:
        from yupana.tracking import deployment, exchange

        refs = []
        for table in tables:
            about = contract.load(config.root, table.name)
            facts = {"publisher": about.publisher, "licence": about.licence}
            commit = delta.commit_facts(config.table("published", table.name), table.version)
            refs.append(
                exchange.share_table(
                    config,
                    config.table("published", table.name),
                    table.name,
                    table.version,
                    {**commit, **facts},
                )
            )
        folder = deployment.folder(config, use_case)
        refs.append(
            exchange.share_model(config, folder, use_case, model.split("@")[1], {"model": model})
        )
        where = str(config.home / "exchange")
        return steps.Outcome(tuple(refs), metrics={"exchange": where})

    inputs = (*(t.ref for t in tables), model)
    emit(steps.run(config, "share", use_case, work, inputs=inputs), as_json)


def bento(use_case: UseCase, as_json: AsJson = False) -> None:
    """Make a bento of a service: code, libraries of the lock, champion; tells its size.

    Example: yupana bento USE_CASE
    """
    from yupana.tracking.bento import build

    tag, facts = build(settings(), use_case)
    if as_json:
        print(json.dumps({"tag": tag, **facts}))
        return
    print(f"{tag}: {facts['code_mb']} MB of code, {facts['model_mb']} MB of model")
    print(f"  {facts['libraries']} libraries, {facts['libraries_mb']:,.0f} MB as installed here")
    print(f"  {facts['folder']}")
    print(f"Serve it: bentoml serve {tag}   Make an image: bentoml containerize {tag}")
