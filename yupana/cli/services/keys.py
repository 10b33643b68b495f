"""Commands of access: make, list, rotate and revoke the API keys of agencies."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, NamedTuple

import typer

from yupana.config.lazy import settings
from yupana.console.options import AsJson, say, say_json
from yupana.core.errors import UsageError

KeyId = Annotated[str, typer.Argument(help="The key's id: the part between yup_ and the next _.")]
Agency = Annotated[str, typer.Option(help="The agency that the key belongs to.")]
_SPANS = {"d": "days", "h": "hours", "min": "minutes", "s": "seconds"}


class _Limits(NamedTuple):
    expires: str
    quota: str
    rate: str


_USUAL, _SANDBOX = _Limits("90d", "10000/day", "60/min"), _Limits("30d", "500/day", "20/min")


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    group = typer.Typer(
        no_args_is_help=True, help="API keys: who may ask the services, for what, how often."
    )
    for command in (create, rotate, revoke, activity):
        group.command()(command)
    group.command("list")(list_keys)
    app.add_typer(group, name="keys")


def create(
    agency: Agency,
    scope: Annotated[
        list[str] | None,
        typer.Option(
            help="What it opens, e.g. USE_CASE:forecast; once for each. Default: all that its role "
            "may have."
        ),
    ] = None,
    role: Annotated[str, typer.Option(help="The role of whoever uses it.")] = "agency",
    sandbox: Annotated[
        bool, typer.Option("--sandbox", help="For trying out: answers are marked, never counted.")
    ] = False,
    expires: Annotated[
        str | None, typer.Option(help="How long it lives. Default: 90d; of a sandbox key 30d.")
    ] = None,
    quota: Annotated[
        str | None,
        typer.Option(help="Requests in a day, or none. Default: 10000/day; sandbox 500/day."),
    ] = None,
    rate: Annotated[
        str | None,
        typer.Option(help="Requests in a minute, or none. Default: 60/min; sandbox 20/min."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make a key and print it, once.

    Example: yupana keys create --agency AGENCY --scope USE_CASE:forecast
    """
    from yupana.identity import api_keys, roles
    from yupana.ledger import witness

    role = roles.SANDBOX if sandbox else role
    usual = _SANDBOX if role == roles.SANDBOX else _USUAL
    scopes = tuple(scope or (roles.scopes_of(role) if role in roles.ROLES else ()))
    life = _span(usual.expires if expires is None else expires, "--expires")
    limits = (usual.quota if quota is None else quota, usual.rate if rate is None else rate)
    terms = api_keys.Terms(agency, scopes, role, life, *limits)
    new_key = api_keys.create(settings().platform_db, terms, now=datetime.now(UTC), by=_me())
    witness.leave(settings())
    _print(new_key, f"A key of {agency}; it is shown this once:", as_json)


def list_keys(
    agency: Annotated[str, typer.Option(help="Only of this agency.")] = "", as_json: AsJson = False
) -> None:
    """List the keys, without their secrets.

    Example: yupana keys list --agency AGENCY
    """
    from rich.console import Console
    from rich.table import Column, Table
    from rich.text import Text

    from yupana.identity import api_keys

    keys = api_keys.listing(settings().platform_db, agency)
    if as_json:
        say_json(keys)
        return
    # Rotation and revocation need the whole id, and a scope is a word, however narrow the terminal.
    longest = max((len(scope) for row in keys for scope in row["scopes"]), default=0)
    table = Table(
        Column("id, state", min_width=12), "agency, role", Column("scopes", min_width=longest),
        "limits", "expires, last used",
    )  # fmt: skip
    now = datetime.now(UTC)
    for row in keys:
        state = "revoked" if row["revoked"] else "expired" if row["expires"] <= now else "good"
        if state == "good" and row["old_until"] and row["old_until"] > now:
            state = f"good; old secret until {row['old_until']:%Y-%m-%d %H:%M} UTC"
        used = f"{row['last_used']:%Y-%m-%d %H:%M}" if row["last_used"] else "never"
        owner, scopes = Text(f"{row['agency']}\n{row['role']}"), "\n".join(row["scopes"])
        limits, times = f"{row['quota']}\n{row['rate']}", f"{row['expires']:%Y-%m-%d}\n{used}"
        table.add_row(f"{row['id']}\n{state}", owner, scopes, limits, times)
    Console().print(table)


def rotate(
    key: KeyId,
    grace: Annotated[str, typer.Option(help="How long the old secret stays good.")] = "7d",
    as_json: AsJson = False,
) -> None:
    """Give a key a new secret and print it, once; the old one stays good for a time.

    Example: yupana keys rotate 3f9a0c12b7de --grace 1d
    """
    from yupana.identity import api_keys
    from yupana.ledger import witness

    url, span = settings().platform_db, _span(grace, "--grace")
    new_key = api_keys.rotate(url, key, grace=span, now=datetime.now(UTC), by=_me())
    witness.leave(settings())
    title = f"The new key; it is shown this once, and the old one ends in {grace}:"
    _print(new_key, title, as_json)


def revoke(
    key: Annotated[
        str,
        typer.Argument(help="The key's id; or sub:NAME, for the tokens of a subject until now."),
    ],
    as_json: AsJson = False,
) -> None:
    """End a key, or the tokens of a subject; running services refuse it a second later.

    A subject's later tokens are good again: end its account at the issuer to keep it out.

    Example: yupana keys revoke 3f9a0c12b7de
    """
    from yupana.identity import api_keys
    from yupana.ledger import witness

    url, issuer = settings().platform_db, settings().oidc_issuer
    if key.startswith("sub:"):
        key = _subject(issuer, key.removeprefix("sub:"))
        api_keys.revoke_subject(url, key, now=datetime.now(UTC), by=_me())
    else:
        api_keys.revoke(url, key, now=datetime.now(UTC), by=_me())
    witness.leave(settings())
    say({"id": key, "revoked": True}, f"revoked: {key}", as_json)


def activity(
    since: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="From this day on (UTC).")
    ] = None,
    key: Annotated[str, typer.Option(help="Only of this key.")] = "",
    as_json: AsJson = False,
) -> None:
    """Who made, rotated and revoked keys, and which keys were refused; the last 30 days.

    Example: yupana keys activity --since 2026-01-01
    """
    from yupana.identity import activity as log

    start = since.replace(tzinfo=UTC) if since else datetime.now(UTC) - timedelta(days=30)
    rows = log.listing(settings().platform_db, start, key)
    if as_json:
        say_json(rows)
        return
    for row in rows:
        facts = ", ".join(f"{k} {v}" for k, v in row["facts"].items())
        who = f"{row['key_id'] or 'unknown key'} {row['agency']}".strip()
        print(f"{row['time']:%Y-%m-%d %H:%M:%S}  {row['what']}  {who}  by {row['by']}  {facts}")


def _subject(issuer: str, name: str) -> str:
    from yupana.identity.oidc import subject_id

    if not issuer or not name:
        raise UsageError(
            "The tokens of a subject need an issuer.",
            where="YUPANA_OIDC_ISSUER",
            fix="Set it as the service does, and give the subject as the issuer names it.",
        )
    return subject_id(issuer, name)


def _print(key: str, what: str, as_json: bool) -> None:
    if as_json:
        say_json({"id": key.split("_")[1], "key": key})
        return
    typer.echo(what, err=True)
    print(key)


def _span(text: str, option: str) -> timedelta:
    """A time from text such as 90d, 12h, 30min or 10s."""
    number = text.rstrip("".join(_SPANS))
    unit = _SPANS.get(text[len(number) :])
    if not number.isascii() or not number.isdigit() or len(number) > 6 or not unit:
        raise UsageError(
            f"'{text}' is not a time.", where=option, fix="Use such as 90d, 12h, 30min or 10s."
        )
    return timedelta(**{unit: int(number)})


def _me() -> str:
    from yupana.identity import actors

    return actors.user()
