"""Where personal data stands in a free text: formats first, then addresses, then names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from yupana.privacy import numbers
from yupana.privacy.fold import GONE, fold
from yupana.privacy.kinds import Kind, Span
from yupana.privacy.people import names
from yupana.privacy.streets import addresses

_DIGIT = re.compile("[0-9]")


def detect(text: str) -> list[Span]:
    """Personal data in a text, in any case and with or without accents.

    Args:
        text: of any length and any Unicode; placeholders in it are left alone.

    Returns:
        Spans in the order of the text, none over another.
    """
    folded = fold(text)
    left, spans = folded.text, []
    for kind, find in _finders(left):
        if hits := _apart(find(left)):
            left = _without(left, hits)
            spans += [Span(kind, *folded.span(start, end)) for start, end in hits]
    for start, end in names(left, folded):
        spans.append(Span(Kind.NAME, *folded.span(start, end)))
    return sorted(spans, key=lambda span: span.start)


def _finders(text: str) -> Iterator[tuple[Kind, numbers.Find]]:
    """Those that can find anything; most texts have no digit."""
    if "@" in text or "arroba" in text or "at" in text:
        yield Kind.MAIL, numbers.mails
    if _DIGIT.search(text):
        yield from numbers.DIGITS
        yield Kind.ADDRESS, addresses
    if "nueve" in text:
        yield Kind.PHONE, numbers.spoken_phones


def _apart(hits: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Without those that overlap one before, the longer one first."""
    apart: list[tuple[int, int]] = []
    for start, end in sorted(hits, key=lambda hit: (hit[0], -hit[1])):
        if not apart or start >= apart[-1][1]:
            apart.append((start, end))
    return apart


def _without(text: str, hits: list[tuple[int, int]]) -> str:
    """The text with what was found blanked out: it is nobody else's, and no word around it."""
    parts: list[str] = []
    last = 0
    for start, end in hits:
        parts += (text[last:start], GONE * (end - start))
        last = end
    return "".join((*parts, text[last:]))
