"""The report in plain words, Spanish and English, made from the numbers that are shown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Line = dict[str, str]
RATES = {
    "sent_to_person": ("Va más a una persona", "Sent to a person more often"),
    "routed_wrongly": ("Va más a donde no debe", "Routed wrongly more often"),
}


def lines(report: dict[str, Any]) -> list[Line]:
    """Sentences for people who do not read tables.

    Args:
        report: as `report.make` returns it, without its summary.
    """
    groups = report["groups"]
    whole = [g for g in groups if g["by"] in ("all", "answers", "cases")]
    return [
        *(line for group in whole for line in _whole(group)),
        *_worse(groups),
        *_slow(groups),
        *_hidden(groups),
        *_unmeasured(report["unmeasured"]),
    ]


def _line(es: str, en: str) -> Line:
    return {"es": es, "en": en}


def _whole(group: dict[str, Any]) -> list[Line]:
    person, wrong, wait = (group[n] for n in ("sent_to_person", "routed_wrongly", "waiting_days"))
    es, en = [], []
    if person:
        es.append(f"{_rate(person)} van a una persona")
        en.append(f"{_rate(person)} go to a person")
    if wrong:
        es.append(f"{_rate(wrong)} van a donde no deben")
        en.append(f"{_rate(wrong)} go where they should not")
    if wait and wait["days"] is not None:
        es.append(f"la mitad espera {wait['days']} días o más")
        en.append(f"half wait {wait['days']} days or longer")
    if not es:
        return []
    return [_line(
        f"{group['es']}: de {group['n']:,}, {'; '.join(es)}.",
        f"{group['en']}: of {group['n']:,}, {'; '.join(en)}.",
    )]  # fmt: skip


def _rate(rate: dict[str, Any]) -> str:
    ends = rate["interval"]
    between = f" ({100 * ends[0]:.0f}–{100 * ends[1]:.0f})" if ends else ""
    return f"{100 * rate['rate']:.0f} %{between}"


def worse(groups: Sequence[dict[str, Any]], measure: str) -> list[dict[str, Any]]:
    """The groups that fare worse than the others beyond chance."""
    return [g for g in groups if g[measure] and g[measure]["says"] == "worse"]


def _worse(groups: Sequence[dict[str, Any]]) -> list[Line]:
    told = [
        _line(f"{es}: {_names(mine, 'es')}.", f"{en}: {_names(mine, 'en')}.")
        for measure, (es, en) in RATES.items()
        if (mine := worse(groups, measure))
    ]
    return told or [_line(
        "De ningún grupo se puede decir que le vaya peor que a los demás; no es prueba de que sea "
        "igual para todos.",
        "Of no group can it be said that it fares worse than the others; that does not prove it "
        "equal for all.",
    )]  # fmt: skip


def _slow(groups: Sequence[dict[str, Any]]) -> list[Line]:
    """Who waits longer than all do, by intervals that do not meet."""
    whole = next((g["waiting_days"] for g in groups if g["by"] == "cases"), None)
    if not whole or not whole["interval"]:
        return []
    slow = [
        g for g in groups
        if (w := g["waiting_days"]) and w["interval"] and w["interval"][0] > whole["interval"][1]
    ]  # fmt: skip
    if not slow:
        return []
    return [_line(f"Espera más: {_names(slow, 'es')}.", f"Waits longer: {_names(slow, 'en')}.")]


def _hidden(groups: Sequence[dict[str, Any]]) -> list[Line]:
    hidden = sum(g["suppressed"] for g in groups)
    if not hidden:
        return []
    return [_line(
        f"De {hidden} grupos se oculta algo: cuenta menos de cinco textos, o lo revela.",
        f"Of {hidden} groups something is hidden: it counts fewer than five texts, or tells it.",
    )]  # fmt: skip


def _unmeasured(absent: Sequence[dict[str, Any]]) -> list[Line]:
    es, en = (_names(absent, lang) for lang in ("es", "en"))
    return [_line(f"Sin medir: {es}.", f"Not measured: {en}.")] if absent else []


def _names(of: Sequence[dict[str, Any]], lang: str) -> str:
    return "; ".join(o[lang] for o in of)
