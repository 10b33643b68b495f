"""A home after some days of ordinary work on every table of the platform, made by its own parts."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from random import Random

from answers import prediction, record

from yupana.config.settings import Settings
from yupana.core.progress import Silent
from yupana.identity import api_keys, oidc, quotas
from yupana.identity.api_keys import Terms
from yupana.ledger import pseudonyms, witness
from yupana.lineage import events
from yupana.monitoring import alerts, delivery, history
from yupana.monitoring.check import Check
from yupana.orchestration import erasure
from yupana.predictions import archive, export, feedback, prediction_log, usage
from yupana.predictions.prediction_log import Prediction
from yupana.predictions.recorder import LogAwayError, Recorder
from yupana.tasks.classify.cases import receipts, rule_files
from yupana.tasks.classify.cases.case import Person
from yupana.tasks.classify.cases.following import Follower
from yupana.tasks.classify.cases.handling import Desk
from yupana.tasks.classify.cases.intake import File, Intake, Submission
from yupana.tasks.classify.cases.router import Router
from yupana.tasks.classify.result import Classification
from yupana.tasks.forecast import frequency, payload
from yupana.trace import audit
from yupana.tracking import projects, slots
from yupana.webhooks import delivery as webhooks
from yupana.webhooks import endpoints
from yupana.webhooks.notice import FORECAST, Notice

WEEK = date(2026, 1, 3)
LOUD = Check(
    "frozen", "cases_lag_0", "", WEEK, 9.0, 4.0, "alarm", "warning", "No cambia.",
    "It stands still.", "docs/runbooks.md#frozen", "frozen",
)  # fmt: skip
CALM = Check(
    "drift", "", "", WEEK, 0.1, 4.0, "ok", "info", "Igual.", "The same.", "docs/runbooks.md#drift",
)  # fmt: skip


def make(home: Path, platform_url: str = "") -> Settings:
    """A fresh home with a witness elsewhere."""
    settings = Settings(
        home=home / "home", ledger_witness=home / "elsewhere", platform_url=platform_url
    )
    settings.home.mkdir(parents=True)
    return settings


def work(settings: Settings, turn: int) -> None:
    """A day's work; each turn changes what earlier ones left, and adds to it."""
    parts = (
        _steps, _access, _slots, _projects, _monitor, _webhooks, _cases, serve, _counts, _exported,
    )  # fmt: skip
    for part in parts:
        part(settings, turn)
    if turn == 1:
        _archived(settings, turn)
    _people(settings, turn)
    if turn == 1:
        _forgotten(settings, turn)
    witness.leave(settings)


def at_random(settings: Settings, seed: int, turns: range) -> None:
    """Parts of ordinary work in any order, any number of times."""
    random = Random(seed)
    for turn in turns:
        random.choice(PARTS)(settings, turn)


def _steps(settings: Settings, turn: int) -> None:
    for n in range(3):
        events.append(
            settings, "ingest", f"set{n}", status="done", inputs=(f"raw:{turn}{n}",),
            outputs=(f"set:{n}@{turn}",), facts={"rows": n},
        )  # fmt: skip


def _slots(settings: Settings, turn: int) -> None:
    url, now = settings.platform_db, datetime.now(UTC)
    champion, challenger = slots.Placed(f"outbreak:{turn}"), slots.Placed("outbreak:9", 0.1)
    slots.place(url, "outbreak", slots.CHAMPION, champion, now=now, by="os:ana")
    slots.place(url, "outbreak", slots.CHALLENGER, challenger, now=now, by="os:b")


def _projects(settings: Settings, turn: int) -> None:
    if not projects.listing(settings):
        projects.create(settings, "sala", title="Sala", data=[], models=["outbreak"])
    projects.change(settings, "sala", title=f"Sala {turn}")


def serve(settings: Settings, turn: int) -> None:
    """Answers, and what agencies say of one."""
    ids = _answers(settings, turn)
    observed = {"week_ending": "2022-01-08", "cases": turn}
    answer = prediction_log.by_id(settings.platform_db, ids[0], "outbreak")
    assert answer
    for kind, value in (("observed", observed), ("complaint", {})):
        feedback.add(
            settings.platform_db, answer, kind, value, "Faltan camas.",
            schema=payload.outcome(frequency.WEEK),
            author=feedback.Author("k1", "A"), now=datetime.now(UTC),
        )  # fmt: skip


def _exported(settings: Settings, turn: int) -> None:
    export.export(settings, "outbreak", Silent())


def _archived(settings: Settings, turn: int) -> None:
    archive.forget(settings, "outbreak", datetime.now(UTC) + timedelta(days=1))


def _people(settings: Settings, turn: int) -> None:
    pseudonyms.pseudonym(settings, f"os:{turn}")
    pseudonyms.pseudonym(settings, "os:ana")


def _forgotten(settings: Settings, turn: int) -> None:
    pseudonyms.pseudonym(settings, "os:ana")
    erasure.forget(settings, "os:ana", datetime.now(UTC))


def _access(settings: Settings, turn: int) -> None:
    url, now = settings.platform_db, datetime.now(UTC)
    terms = [Terms(f"DIRESA {turn}{n}", ("outbreak:forecast",)) for n in range(3)]
    keys = [api_keys.create(url, one, now=now, by="os:ana") for one in terms]
    names = [key.split("_")[1] for key in keys]
    api_keys.rotate(url, names[0], grace=timedelta(days=1), now=now, by="os:ana")
    api_keys.revoke(url, names[1], now=now, by="os:ana")
    for n in range(2):
        api_keys.revoke_subject(url, oidc.subject_id("https://id", f"s{n}"), now=now, by="os:ana")
    policy = quotas.parse("quota", "1000/day")
    assert policy
    quotas.Counter(url).fetch([(names[2], [policy], now.timestamp())])


def _monitor(settings: Settings, turn: int) -> None:
    now, run = datetime.now(UTC), f"run{turn}"
    checks = [LOUD, CALM]
    history.keep(settings.platform_db, "outbreak", run, WEEK, checks, {"model": "3"}, now)
    alerts.update(settings, "outbreak", run, checks, "ana", now)
    delivery.send(settings, now, lambda _: None)
    if turn == 1:
        name = alerts.fingerprint("outbreak", LOUD)
        alerts.answer(settings, name, "closed", "os:b", "Visto.", now)


def _webhooks(settings: Settings, turn: int) -> None:
    """A notice that nobody takes: no address is allowed to be this machine's."""
    now = datetime.now(UTC)
    then = settings.model_copy(update={"webhook_networks": "127.0.0.0/8"})
    hooks = [
        endpoints.add(then, f"DIRESA {turn}{n}", "https://127.0.0.1:9/", ("*.forecast",), now)
        for n in range(2)
    ]
    news = Notice("outbreak", FORECAST, {"data_as_of": str(WEEK)})
    events.append(settings, "forecast", "outbreak", status="done", notices=(news,))
    webhooks.send(settings, datetime.now(UTC), Silent())
    endpoints.remove(settings, hooks[0][0], now)


def _cases(settings: Settings, turn: int) -> None:
    """Texts with an attachment and a contact: routed, objected to, corrected, answered."""
    now, rules = datetime.now(UTC), rule_files.load("complaints")
    keys = receipts.configured(settings)
    intake = Intake(settings, "complaints", rules, keys, seal=lambda content: content[::-1])
    sent = [
        Submission(
            f"No recogen la basura de la calle {turn}{n}", contact="a@b.pe", files=[File(b"zip")]
        )
        for n in range(3)
    ]  # fmt: skip
    got = [intake.receive(one, now) for one in sent]
    said = Classification("limpieza_y_residuos", 0.9, language="es")
    Router(settings, "complaints", rules, lambda texts: [said] * len(texts)).run_once(now)
    desk, clerk = Desk(settings, "complaints", rules), Person("key:k1", None)
    desk.correct(got[0].case_id, clerk, 2, "animales", "Un perro.", now)
    desk.answer(got[1].case_id, clerk, 2, "El jueves.", "", now)
    follower = Follower(settings, "complaints", rules)
    follower.object(got[1].receipt, got[1].secret, "No vinieron.", now)


def _answers(settings: Settings, turn: int) -> list[str]:
    """Groups of answers as a service writes them."""
    recorder = Recorder(
        settings.platform_db, durable=True, spool=settings.home / "spool" / "outbreak.jsonl",
        witness=partial(witness.leave, settings),
    )  # fmt: skip
    ids: list[str] = []

    async def ask() -> None:
        for n in range(4):
            contents = [prediction(f"1601{i:02}", model=str(turn)) for i in range(1 + n)]
            ids.extend(await _recorded(recorder, contents))

    try:
        asyncio.run(ask())
    finally:
        recorder.close()
    return ids


async def _recorded(recorder: Recorder, contents: list[Prediction]) -> list[str]:
    """The ids of answers; where the machine is too busy it asks again, as callers are told to."""
    while True:
        group = [record(content, time=time.time()) for content in contents]
        try:
            await recorder.record(group)
            return [one.prediction_id for one in group]
        except LogAwayError:
            await asyncio.sleep(1)


def _counts(settings: Settings, turn: int) -> None:
    """Requests of three days, the last of which is not over."""
    url, now = settings.platform_db, datetime.now(UTC)
    for day in (2, 1, 0):
        writer = usage.Writer(url)
        for entity in ("160101", "160102"):
            caller = usage.Caller("k1", "A", "agency", "outbreak@1", (entity,))
            moment = (now - timedelta(days=day)).timestamp()
            writer.add(usage.Request(moment, caller, "outbreak:forecast", 200, 3.0))
        writer.refused("revoked", "k1", "A", "outbreak:forecast")
        writer.close()


def _verified(settings: Settings, turn: int) -> None:
    """What comes after this is new to the next check."""
    report = audit.verify(settings, Silent(), incremental=True)
    assert report.ok and "was found" not in report.scope.cause, report


PARTS = (
    _steps, _access, _slots, _projects, _monitor, _webhooks, _cases, serve, _counts, _exported,
    _archived, _people, _forgotten, _verified,
)  # fmt: skip
