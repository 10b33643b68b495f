"""The opinion report for people."""

from __future__ import annotations

import math
from pathlib import Path

from yupana.core import charts, disclosure, page
from yupana.core.spec import Bilingual
from yupana.tasks.classify.opinion.result import Change, Opinion, Theme
from yupana.tasks.classify.resamples import DRAWS, FEWEST_GROUPS

PERIOD = {
    "week": Bilingual(es="semanas", en="weeks"),
    "month": Bilingual(es="meses", en="months"),
}


def write(out: Path, opinion: Opinion) -> Path:
    """Write the page of a report: plain words, charts, words and texts of each theme."""
    shares = charts.forest(
        [(t.title.es, 100 * t.share, t.interval and [100 * e for e in t.interval])
         for t in opinion.themes],
        "% de los textos / % of texts",
    )  # fmt: skip
    return page.write(
        out, "tasks/classify/opinion/opinion.html", r=opinion, shares=shares,
        pictures={theme.label: _volume(theme, opinion) for theme in opinion.themes},
        lines=summary(opinion), says=says, times=math.exp, period=PERIOD[opinion.every],
        fewest=disclosure.FEWEST, fewest_groups=FEWEST_GROUPS, draws=DRAWS,
    )  # fmt: skip


def _volume(theme: Theme, opinion: Opinion) -> str:
    shown = [v.n for v in theme.volume if v.n is not None]
    unfinished = [v.start for v in theme.volume[1:] if not v.finished]
    hidden = len(theme.volume) - len(shown)
    return charts.lines(
        [v.start for v in theme.volume], {theme.title.es: [v.n for v in theme.volume]},
        "textos / texts",
        f"{theme.title.es}: textos por {PERIOD[opinion.every].es}, el mayor "
        f"{max(shown, default=0)}; {hidden} ocultos",
        unfinished=unfinished[0] if unfinished else None,
        band=[v.interval for v in theme.volume],
    )  # fmt: skip


def says(change: Change) -> Bilingual:
    """A change in a few words; nothing is said of what few data leave open."""
    between = ""
    if change.ratio is not None and change.interval:
        low, high = change.interval
        between = f" × {change.ratio:.2f} ({low:.2f} – {high:.2f})"
    words = {
        "more": ("más", "more"),
        "less": ("menos", "fewer"),
        "unsure": ("no se distingue del azar", "may be chance"),
        "unknown": ("no se sabe: pocos datos", "not known: few data"),
    }[change.says]
    return Bilingual(es=words[0] + between, en=words[1])


def summary(opinion: Opinion) -> list[Bilingual]:
    """What the report says, in sentences made from the figures that are shown."""
    of = opinion
    span_es, span_en = f"del {of.first} al {of.last}", f"from {of.first} to {of.last}"
    lines = [Bilingual(
        es=f"{of.n:,} textos de {of.groups:,} grupos (hilos o casos), {span_es}.",
        en=f"{of.n:,} texts of {of.groups:,} groups (threads or cases), {span_en}.",
    )]  # fmt: skip
    if of.themes:
        first = of.themes[0]
        share = f"{100 * first.share:.0f} %"
        ends = first.interval
        between = f" ({100 * ends[0]:.0f} – {100 * ends[1]:.0f})" if ends else ""
        lines.append(Bilingual(
            es=f"El tema con más textos es {first.title.es}: {share}{between}.",
            en=f"The theme with most texts is {first.title.en}: {share}{between}.",
        ))  # fmt: skip
    return [*lines, *_changes(opinion)]


def _changes(opinion: Opinion) -> list[Bilingual]:
    of = [(theme, change) for theme in opinion.themes for change in theme.changes]
    words = {
        ("more", "before"): ("Más que antes", "More than before"),
        ("less", "before"): ("Menos que antes", "Fewer than before"),
        ("more", "season"): ("Más que hace un año", "More than a year ago"),
        ("less", "season"): ("Menos que hace un año", "Fewer than a year ago"),
    }
    lines = []
    for key, (es, en) in words.items():
        mine = [t.title for t, change in of if (change.says, change.against) == key]
        if mine:
            lines.append(Bilingual(
                es=f"{es}: {'; '.join(t.es for t in mine)}.",
                en=f"{en}: {'; '.join(t.en for t in mine)}.",
            ))  # fmt: skip
    if not lines and of:
        unknown = sum(change.says == "unknown" for _, change in of)
        lines.append(Bilingual(
            es=f"De ningún tema se puede decir que haya cambiado; de {unknown} de {len(of)} "
            "comparaciones no se sabe nada, porque hay pocos datos.",
            en=f"Of no theme can it be said that it changed; of {unknown} of {len(of)} comparisons "
            "nothing is known, as there are few data.",
        ))  # fmt: skip
    return lines
