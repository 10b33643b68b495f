"""`yupana bento`: a service as one folder, to be served or made an image of elsewhere."""

from __future__ import annotations

import typer

from yupana.cli.common import AsJson, UseCase


def register(app: typer.Typer) -> None:
    """Add this command to the command line."""
    app.command()(bento)


def bento(use_case: UseCase, as_json: AsJson = False) -> None:
    """Make a bento of a service: code, libraries of the lock, champion; tells its size.

    Example: yupana bento outbreak
    """
    import json

    from yupana.config.settings import settings
    from yupana.tracking.bento import build

    tag, facts = build(settings(), use_case)
    if as_json:
        print(json.dumps({"tag": tag, **facts}))
        return
    print(f"{tag}: {facts['code_mb']} MB of code, {facts['model_mb']} MB of model")
    print(f"  {facts['libraries']} libraries, {facts['libraries_mb']:,.0f} MB as installed here")
    print(f"  {facts['folder']}")
    print(f"Serve it: bentoml serve {tag}   Make an image: bentoml containerize {tag}")
