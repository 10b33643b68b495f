"""The opinion report: from texts to themes, and its files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from yupana.core import whole_file
from yupana.core.hashing import value_sha256
from yupana.core.spec import Bilingual
from yupana.tasks.classify import resamples
from yupana.tasks.classify.dataset.texts import GROUP, LABEL, TEXT
from yupana.tasks.classify.opinion import cells, changes, periods, quotes, words
from yupana.tasks.classify.opinion.periods import Periods
from yupana.tasks.classify.opinion.result import Opinion, Part, Source, Theme, Volume
from yupana.tasks.classify.opinion.texts import DAY, Texts
from yupana.tasks.classify.options import Options
from yupana.tasks.classify.resamples import Resamples

Array = np.ndarray[Any, np.dtype[Any]]
Say = Callable[[str], None]

NONE = ""
"""Stands for the texts without a label."""


def make(
    use_case: str, source: Source, texts: Texts, options: Options, refs: Sequence[str],
    *, seed: int, say: Say = lambda _: None,
) -> Opinion:  # fmt: skip
    """The report of some texts.

    Args:
        refs: what they are read from.
        say: told of progress.
    """
    span = periods.of(texts.first, texts.last)
    reader = _Reader.of(texts, span, seed, say)
    counts = {name: int((reader.labels == name).sum()) for name in sorted(set(reader.labels))}
    shown = cells.shown(counts)
    visible = [name for name, n in shown.items() if n and name != NONE]
    groups = cells.shown({name: reader.groups_of(reader.labels == name) for name in counts})
    say(f"{len(texts.rows):,} texts, {len(visible)} themes …")
    themes = [
        _theme(reader, name, options.label_of(name).title, groups[name], len(visible))
        for name in visible
    ]
    small = [name for name, n in shown.items() if n is None and name != NONE]
    return Opinion(
        use_case=use_case, source=source, first=texts.first, last=texts.last, every=span.every,
        block=span.size, n=len(texts.rows), groups=reader.draws.groups,
        unlabelled=shown.get(NONE, 0),
        themes=tuple(sorted(themes, key=lambda theme: (-theme.n, theme.label))),
        hidden=tuple(options.label_of(name).title for name in small),
        unmeasured=tuple(_unmeasured(texts, span)), rests_on=tuple(refs), seed=seed,
    )  # fmt: skip


@dataclass(frozen=True)
class _Reader:
    """Texts as numbers: of each its label, period and group (texts,)."""

    texts: Texts
    span: Periods
    labels: Array
    period: Array
    group: Array
    draws: Resamples
    words: words.Counts
    quotes: quotes.Quotes

    @classmethod
    def of(cls, texts: Texts, span: Periods, seed: int, say: Say) -> _Reader:
        rows, said = texts.rows, texts.rows[TEXT].to_list()
        names, group = np.unique(rows[GROUP].to_numpy().astype(str), return_inverse=True)
        say("count words …")
        counts = words.count(said)
        return cls(
            texts, span, rows[LABEL].fill_null(NONE).to_numpy().astype(str),
            span.number(rows[DAY].to_list()), group, Resamples(len(names), seed),
            counts, quotes.Quotes(said, group, counts.matrix),
        )  # fmt: skip

    def groups_of(self, mine: Array) -> int:
        """How many groups some texts are of."""
        return len(np.unique(self.group[mine]))

    def by_group(self, mine: Array) -> Array:
        """Some texts by group and period, shape (groups, periods)."""
        table = np.zeros((self.draws.groups, len(self.span.starts)))
        np.add.at(table, (self.group[mine], self.period[mine]), 1)
        return table


def _theme(
    reader: _Reader, label: str, title: Bilingual, groups: int | None, themes: int
) -> Theme:
    mine = reader.labels == label
    table = reader.by_group(mine)
    drawn, active = reader.draws.sums(table), table > 0
    cells_of, blocks = cells.over_time(table.sum(axis=0).astype(int), reader.span.blocks)
    parts, open_parts = _parts(reader, mine)
    seen = np.array([cell is not None for cell in cells_of])[reader.period]
    n, whole = int(mine.sum()), reader.by_group(np.ones(len(mine), bool))
    shares = drawn.sum(axis=1) / reader.draws.sums(whole.sum(axis=1)[:, None])[:, 0]
    return Theme(
        label, title, n, groups, round(n / len(mine), 4),
        _rounded(resamples.interval(shares, reader.groups_of(mine)), 4),
        tuple(
            Volume(start, cells_of[at],
                   None if not cells_of[at]
                   else _rounded(resamples.interval(drawn[:, at], int(active[:, at].sum())), 1),
                   reader.span.finished[at])
            for at, start in enumerate(reader.span.starts)
        ),
        changes.of(reader.span, blocks, drawn, active, themes * len(changes.COMPARISONS)),
        words.of_label(reader.words, mine, reader.group, reader.draws),
        reader.quotes.of(mine, mine & seen & open_parts),
        parts,
    )  # fmt: skip


def _parts(reader: _Reader, mine: Array) -> tuple[tuple[Part, ...], Array]:
    """How much of a label is of each group of people, and whose texts are of a shown count."""
    parts: list[Part] = []
    allowed = np.ones(len(mine), bool)
    n = int(mine.sum())
    for by in reader.texts.by:
        of = reader.texts.rows[by].to_numpy().astype(str)
        counts = {name: int((mine & (of == name)).sum()) for name in sorted(set(of[mine]))}
        shown = cells.shown(counts)
        for name, count in shown.items():
            if count is None:
                allowed &= of != name
                parts.append(Part(by, name, None, None, None))
                continue
            both = np.stack([np.bincount(reader.group[m], minlength=reader.draws.groups)
                             for m in (mine & (of == name), mine)], axis=1)  # fmt: skip
            drawn = reader.draws.sums(both.astype(float))
            with np.errstate(divide="ignore", invalid="ignore"):
                ends = resamples.interval(drawn[:, 0] / drawn[:, 1], reader.groups_of(mine))
            parts.append(Part(by, name, count, round(count / n, 4), _rounded(ends, 4)))
    return tuple(parts), allowed


def _rounded(ends: tuple[float, float] | None, digits: int) -> tuple[float, float] | None:
    return ends and (round(ends[0], digits), round(ends[1], digits))


def _unmeasured(texts: Texts, span: Periods) -> list[Bilingual]:
    """What a reader may look for and not find."""
    absent = []
    if not texts.by:
        absent.append(Bilingual(
            es="Por área y por canal: los textos no dicen ni de dónde vienen ni por dónde.",
            en="By area and channel: the texts say neither where they come from nor how.",
        ))  # fmt: skip
    if not span.is_whole(periods.YEAR[span.every]):
        absent.append(Bilingual(
            es="Frente a la misma época del año anterior: los textos no llegan tan atrás.",
            en="Against the same season of the year before: the texts do not reach back so far.",
        ))  # fmt: skip
    absent.append(Bilingual(
        es="Quien no escribe no está aquí: son textos, no una encuesta.",
        en="Who does not write is not here: these are texts, not a survey.",
    ))  # fmt: skip
    return absent


def document(opinion: Opinion) -> dict[str, Any]:
    """The report as JSON, under an `id` that is the hash of its content."""
    facts: dict[str, Any] = asdict(opinion)
    for name in ("hidden", "unmeasured"):
        facts[name] = [words.model_dump() for words in getattr(opinion, name)]
    for theme, of in zip(facts["themes"], opinion.themes, strict=True):
        theme["title"] = of.title.model_dump()
        for volume in theme["volume"]:
            volume["start"] = volume["start"].isoformat()
    facts["period"] = {"from": facts.pop("first").isoformat(), "to": facts.pop("last").isoformat()}
    return {"id": value_sha256(facts)[:12], **facts}


def write(opinion: Opinion, folder: Path) -> tuple[str, tuple[Path, Path]]:
    """Write `opinion-<id>.json` and the page beside it; returns the id and both."""
    from yupana.tasks.classify.opinion import pages

    facts = document(opinion)
    out = folder / f"opinion-{facts['id']}.json"
    page = pages.write(out.with_suffix(".html"), opinion)
    return facts["id"], (whole_file.write_json(out, facts), page)
