"""Commands on the audit ledger: verify, export, list, roots, key, sign, who, forget, restrict."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from yupana.config.lazy import settings
from yupana.console.options import AsJson, say, say_json
from yupana.core.errors import UsageError
from yupana.core.progress import Lines

Person = Annotated[str, typer.Argument(metavar="PERSON", help="A pseudonym, person:…")]


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    group = typer.Typer(
        no_args_is_help=True,
        help="The audit ledger: what was done, by whom, and whether the record was changed.",
    )
    for command in (verify, vouch, export, roots, key, sign, who, forget, restrict):
        group.command()(command)
    group.command("list")(list_events)
    app.add_typer(group, name="audit")


def verify(
    export: Annotated[
        Path | None, typer.Option(help="Check this export; default: the ledger in use.")
    ] = None,
    witness: Annotated[
        list[Path] | None,
        typer.Option(help="A witness file kept elsewhere; once for each. Default: the own ones."),
    ] = None,
    roots: Annotated[
        list[Path] | None, typer.Option(help="A file of published roots; once for each.")
    ] = None,
    key: Annotated[
        Path | None, typer.Option(help="The public key; default: this platform's.")
    ] = None,
    whole: Annotated[
        bool,
        typer.Option("--all", help="Read everything; default: what is new since the last check."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Say whether any event, or any record that the ledger vouches for, is not as it was.

    The ledger in use is checked with its witness files and published roots, and with it the event
    log, every answer of the prediction log, and the tables that decide or testify; then the newest
    version of each table of the lake, and each file, with the hash that its step left. What is not
    looked at is listed. Exit code 1 if something was changed.

    Events that an earlier check read, and the answers that they sealed, are counted and not read
    again; it says which. Everything is read with --all, every seven days, where a witness or roots
    are named, and where anything is wrong or there is no mark of a good check.

    Example: yupana audit verify --witness /mnt/elsewhere/witness.jsonl
    """
    from yupana.ledger import export as exports
    from yupana.ledger import signing
    from yupana.ledger.verifier import Report
    from yupana.trace import audit

    config = settings()
    more, published = witness or [], roots or []
    if key and not export:
        raise UsageError(
            "Another key is for an export alone.",
            where="--key",
            fix="Give --key with --export FILE.",
        )
    report: Report
    try:
        if export:
            public = key.read_text() if key else signing.public_key(config)
            report = exports.checked(export, public, Lines(), also=more, roots=published)
        else:
            report = audit.verify(
                config, Lines(), also=more, roots=published, incremental=not whole
            )
    except OSError as error:
        raise UsageError(
            f"A file cannot be read: {error.strerror}.",
            where=str(error.filename),
            fix="Name a file that is there, and that you may read.",
        ) from error
    say(asdict(report), str(report), as_json)
    if not report.ok:
        raise typer.Exit(1)


def vouch(
    references: Annotated[
        list[str], typer.Argument(metavar="REFERENCE", help="delta:published/DATASET@3")
    ],
    as_json: AsJson = False,
) -> None:
    """Answer for versions of tables that no step vouches for: from elsewhere, or an old release.

    That it was you is recorded. What a step vouches for, and is not as it left it, is refused.

    Example: yupana audit vouch delta:published/DATASET@3
    """
    from yupana.data.lake import delta
    from yupana.data.publication import releases
    from yupana.lineage import contents, events

    config = settings()
    for reference in references:
        fault = contents.check(config, reference)
        if fault is None or fault.what != "unvouched" or not contents.content(config, [reference]):
            raise UsageError(
                f"{reference} {fault.message if fault else 'is as its step left it'}.",
                where=reference,
                fix="Name versions that `yupana audit verify` calls vouched for by no step.",
            )
        releases.note(config, "vouch", delta.parts(reference)[1], reference, "")
        events.append(config, "vouch", reference, status="done", outputs=(reference,))
    say({"vouched": references}, f"vouched for: {', '.join(references)}", as_json)


def export(
    file: Annotated[Path, typer.Argument(help="Where to write it.")], as_json: AsJson = False
) -> None:
    """Write all events, one JSON line each, and a signed checkpoint, to be checked elsewhere.

    Example: yupana audit export ledger.jsonl
    """
    from yupana.ledger import export as exports
    from yupana.ledger import verifier

    events = exports.write(settings(), file, Lines(), datetime.now(UTC))
    if as_json:
        say_json({"file": str(file), "events": events})
        return
    print(f"{events:,} events → {file}")
    print("check them anywhere, with Python 3.11 and `cryptography`:")
    print(f"  yupana audit key > ledger.pub; python {verifier.__file__} {file} --key ledger.pub")


def list_events(
    kind: Annotated[str, typer.Option(help="Only of this kind, e.g. access.")] = "",
    subject: Annotated[str, typer.Option(help="Only on this, e.g. USE_CASE@3.")] = "",
    last: Annotated[int, typer.Option(min=1, help="How many, counted from the newest.")] = 20,
    as_json: AsJson = False,
) -> None:
    """List what was recorded, oldest first; people by their pseudonyms.

    Example: yupana audit list --kind key --last 50
    """
    from yupana.ledger import entries

    if kind and kind not in entries.KINDS:
        raise UsageError(
            f"There is no kind '{kind}'.", where="--kind", fix=f"Use {', '.join(entries.KINDS)}."
        )
    events = entries.recent(settings().platform_db, last, kind=kind, subject=subject)
    if as_json:
        say_json([asdict(event) for event in events])
        return
    for event in events:
        who = f" by {event.actor}" if event.actor else ""
        facts = json.dumps(event.facts, ensure_ascii=False)
        facts = facts if len(facts) <= 160 else f"{facts[:159]}…"
        print(f"{event.seq}  {event.time}  {event.kind} {event.subject}{who}  {facts}")
    if not events:
        print("nothing was recorded" + (" of that" if kind or subject else " yet"))


def roots(as_json: AsJson = False) -> None:
    """List the signed roots of all days, to be kept where the platform cannot reach.

    With --json the lines are those of the file of roots: yupana audit verify --roots reads them.

    Example: yupana audit roots --json > /mnt/elsewhere/roots.jsonl
    """
    from yupana.ledger import roots as daily
    from yupana.ledger.canonical import canonical

    for root in daily.listing(settings().platform_db):
        if as_json:
            print(canonical(root))
        else:
            last = root["first"] + root["events"] - 1
            print(f"{root['day']}  events {root['first']}-{last}  {root['root']}")


def key() -> None:
    """Print the public key that signs checkpoints, roots and decisions (Ed25519, hexadecimal).

    Example: yupana audit key > ledger.pub
    """
    from yupana.ledger import signing

    print(signing.public_key(settings()))


def sign() -> None:
    """Sign the ledger for those who append to it without its key, until Ctrl-C.

    It is the one process that needs keys/ledger.key where the others have YUPANA_SIGN_LEDGER=false:
    each new head is signed within a second, and each day once it is over.

    Example: yupana audit sign
    """
    from threading import Event

    from yupana.ledger import signer

    signer.follow(settings(), Event(), Lines())


def who(person: Person, as_json: AsJson = False) -> None:
    """Say which account a pseudonym stands for; that you asked is recorded.

    Example: yupana audit who person:3f9a0c12b7de4d5e
    """
    from yupana.identity import activity
    from yupana.ledger import pseudonyms

    config = settings()
    account = pseudonyms.account(config.platform_db, person)
    if account is None:
        raise UsageError(
            "Nobody is known by this pseudonym: they were forgotten, or never were here.",
            where="people",
            fix="Take one from `yupana audit list`.",
        )
    activity.note_access(config, "name", person)
    say({"person": person, "account": account}, account, as_json)


def forget(
    account: Annotated[str, typer.Argument(help="An account such as os:ana, or its pseudonym.")],
    as_json: AsJson = False,
) -> None:
    """Erase who is behind a pseudonym, for good; what they did stays, and the chain holds.

    The risk register (`models/*/governance.yaml`) is a file of yours: take the name out there too.

    Example: yupana audit forget os:ana
    """
    from yupana.orchestration import erasure

    name = erasure.forget(settings(), account, datetime.now(UTC))
    words = f"forgotten: nobody can say any more who {name} is"
    say({"person": name, "forgotten": True}, words, as_json)


def restrict(
    role: Annotated[str, typer.Argument(help="The account to bind.")],
    runs: Annotated[
        str, typer.Option(help="What runs as it: platform, service (answers) or signer.")
    ] = "platform",
) -> None:
    """On PostgreSQL: let an account read the ledger and append to it, and do no more than it must.

    Run it once for each, with YUPANA_PLATFORM_URL of the account that is to own the ledger.

    Example: yupana audit restrict yupana_serving --runs service
    """
    from yupana.ledger.restrict import RIGHTS
    from yupana.ledger.restrict import restrict as bind

    if runs not in RIGHTS:
        raise UsageError(
            f"Nothing of the platform is called '{runs}'.",
            where="--runs",
            fix=f"Use {', '.join(RIGHTS)}.",
        )
    for statement in bind(settings().platform_db, role, runs):
        print(f"{statement};")
