"""Names and dates as portals write them, in Spanish and English."""

from __future__ import annotations

import re
import unicodedata
from contextlib import suppress
from datetime import datetime
from typing import Any

_WEEKDAYS = {
    "en": ("mon", "tue", "wed", "thu", "fri", "sat", "sun"),
    "es": ("lun", "mar", "mie", "jue", "vie", "sab", "dom"),
}


def plain(text: str) -> str:
    """Lower case without accents."""
    marked = unicodedata.normalize("NFKD", text.strip().lower())
    return "".join(c for c in marked if not unicodedata.combining(c))


def fold(text: str) -> str:
    """Words in lower case without accents, hyphens and underscores."""
    return " ".join(re.split(r"[\s_-]+", plain(text))).strip()


def iso_date(text: Any) -> str:
    """A portal's date as ISO 8601 (its own local time), else the text as it is.

    DKAN writes `Date changed\\tWed, 05/13/2015 - 04:56` or `Miércoles, 08/02/2023 - 15:41`: the
    day of the week tells which number is the month. Where both would fit, an English day means
    month first, a Spanish one day first.
    """
    date_text = str(text).split("\t")[-1].strip()
    with suppress(ValueError):
        return datetime.fromisoformat(date_text).isoformat()
    match = re.fullmatch(r"(\w+)\.?, (\d\d?)/(\d\d?)/(\d{4})(?: - (\d\d):(\d\d))?", date_text)
    if not match:
        return date_text
    day = plain(match[1])[:3]
    for language, orders in (("en", ("mdy", "dmy")), ("es", ("dmy", "mdy"))):
        for order in orders:
            if day in _WEEKDAYS[language]:
                first, second = int(match[2]), int(match[3])
                month, number = (first, second) if order == "mdy" else (second, first)
                with suppress(ValueError):
                    when = datetime(
                        int(match[4]), month, number, int(match[5] or 0), int(match[6] or 0)
                    )
                    if _WEEKDAYS[language][when.weekday()] == day:
                        return when.isoformat()
    return date_text
