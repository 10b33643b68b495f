"""The impact report of one version of a classifier: JSON for machines, a page for people."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from yupana.config.settings import Settings
from yupana.core import whole_file
from yupana.core.errors import UsageError
from yupana.core.hashing import value_sha256
from yupana.tasks.classify import usecases
from yupana.tasks.classify.impact import group_words, measure, rows, summary
from yupana.tasks.classify.impact.measure import EVERYONE, GroupImpact
from yupana.tasks.classify.impact.rows import Row, Source
from yupana.tasks.classify.options import Options
from yupana.tasks.classify.resamples import DRAWS
from yupana.tracking.versions import Version, check_whole


def make(
    settings: Settings, version: Version, day: date, *, first: date | None = None,
    last: date | None = None, say: Callable[[str], None] = lambda _: None,
) -> dict[str, Any]:  # fmt: skip
    """The report of a version, from what is known on a day.

    Args:
        first: texts before it are left out; `last`: those after it.
        say: told of progress.

    Returns:
        `use_case`, `model`, `id`, `period` (`from`, `to`), `sources` (texts by source),
        `rests_on`, `bootstrap`, `groups` (see `_group`), `unmeasured`, `summary` (Spanish and
        English, line by line), `summary_es`, `summary_en`.

    Raises:
        TerminalError: the version's files are not those of its fit.
        UsageError: there is no text in the span, or the split is gone.
    """
    check_whole(version)
    options = usecases.load(version.name).options
    say(f"texts that {version.ref} had not seen …")
    now = datetime.combine(day + timedelta(1), time(), UTC)
    found: dict[Source, list[Row]] = {
        "held_out": rows.held(settings, version),
        "answers": rows.answers(settings, version),
        "cases": rows.cases(settings, version, now),
    }
    within = {
        source: [r for r in of if (first or date.min) <= r.day <= (last or date.max)]
        for source, of in found.items()
    }
    there = {source: of for source, of in within.items() if of}
    if not there:
        raise UsageError(
            "There is no text of that span.", where=f"--from {first or '…'} --to {last or '…'}",
            fix="Leave the span out: then all that the version has not seen counts.",
        )  # fmt: skip
    groups = [
        _group(group, options)
        for source, of in there.items()
        for group in measure.groups(source, of, settings.seed)
    ]
    days = [row.day for of in there.values() for row in of]
    judged = any(row.wrong is not None for row in there.get("answers", []))
    report: dict[str, Any] = {
        "use_case": version.name, "model": version.ref,
        "period": {"from": min(days).isoformat(), "to": max(days).isoformat()},
        "sources": {source: len(of) for source, of in there.items()},
        "rests_on": _refs(version, there),
        "bootstrap": {"draws": DRAWS, "seed": settings.seed},
        "groups": groups,
        "unmeasured": group_words.unmeasured(
            there, {by for of in there.values() for by in of[0].of}, judged, version.name
        ),
    }  # fmt: skip
    report["id"] = value_sha256(report)[:12]
    report["summary"] = summary.lines(report)
    for lang in ("es", "en"):
        report[f"summary_{lang}"] = " ".join(line[lang] for line in report["summary"])
    return report


def _group(group: GroupImpact, options: Options) -> dict[str, Any]:
    """As JSON: `by` is the attribute, of other sources than held-out texts with the source before
    it (`cases_channel`), so that a limit of the register is of one of them."""
    facts = asdict(group)
    words = group_words.name(group.by, group.of, options)
    if group.source != "held_out":
        facts["by"] = group.source if group.by == EVERYONE else f"{group.source}_{group.by}"
    for lang in ("es", "en"):
        source = getattr(group_words.SOURCES[group.source], lang)
        facts[lang] = f"{getattr(words, lang)} ({source})"
    # JSON has no tuples: what is read back must be what the hash is of.
    for name in ("sent_to_person", "routed_wrongly", "waiting_days"):
        if facts[name] and facts[name]["interval"]:
            facts[name]["interval"] = list(facts[name]["interval"])
    return facts


def _refs(version: Version, there: Sequence[Source] | dict[Source, list[Row]]) -> list[str]:
    parts: dict[Source, str] = {
        "held_out": version.tags["split"],
        "answers": f"predictions:{version.name}",
        "cases": f"cases:{version.name}",
    }
    return [version.ref, *(parts[source] for source in there)]


def write(settings: Settings, report: dict[str, Any]) -> dict[str, Path]:
    """Write `reports/<use case>/impact-<id>.json` and the page beside it."""
    from yupana.tasks.classify.impact import pages

    out = settings.reports / report["use_case"] / f"impact-{report['id']}.json"
    page = pages.write(out.with_suffix(".html"), report)
    return {"json": whole_file.write_json(out, report), "html": page}
