"""A location that means several files: a folder, a glob, a `{date}` or pages in an address.

    samples/cases/                  every file of the folder
    samples/cases_*.csv             `*` and `?` stand for what a name may have there
    inbox/cases_{date}.csv          the day as yyyy-MM-dd; {date:yyyyMMdd} in another form
    https://…/cases_{date:yyyy-MM}.csv   a month: known on its last day
    https://…/cases?skip={offset}        one file, which is read page by page

Each file goes on by itself through fetching and landing (`yupana.data.sources.fetch`).
"""

from __future__ import annotations

import calendar
import glob
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from yupana.core.errors import UsageError

_PLACE = re.compile(r"\{date(?::([^{}]*))?\}")
_ISO = "yyyy-MM-dd"
_TOKENS = {"yyyy": ("y", r"\d{4}"), "MM": ("m", r"\d{2}"), "dd": ("d", r"\d{2}")}
_TOKEN = re.compile("|".join(_TOKENS))
# What systems leave beside files, and a workbook that is open.
_JUNK = ("Thumbs.db", "desktop.ini", "~$")
_MOST_DAYS = 4000
PAGE = re.compile(r"\{(offset|page)(?::(\d+))?\}")
"""The place of a page's number in an address."""


def is_paged(location: str, next_field: str | None = None) -> bool:
    """Whether an address has a place for a page's number, or pages name the next one."""
    web = bool(re.match(r"(?i)https?://", location))
    return web and bool(next_field or PAGE.search(location))


@dataclass(frozen=True)
class Release:
    """Files that were known on the same day.

    Attributes:
        day: the day that their names tell; None where they tell none.
        locations: where each is, in the order of names.
    """

    day: date | None
    locations: tuple[str, ...]


@dataclass(frozen=True)
class Span:
    """The days that are asked of an address, both included; of a path they only limit it.

    Attributes:
        published: days that an address is not asked for again.
    """

    first: date | None
    last: date
    published: frozenset[date] = frozenset()


def is_web(location: str) -> bool:
    return bool(re.match(r"(?i)https?://", location))


def is_dated(location: str) -> bool:
    """Whether a day stands in the location."""
    return bool(_PLACE.search(location))


def is_local(location: str) -> bool:
    """Whether it is a path."""
    return "://" not in location and not location.startswith("codelist:")


def fault(location: str) -> str | None:
    """What is wrong with the `{date}` of a location; None where nothing is."""
    patterns = [m[1] if m[1] is not None else _ISO for m in _PLACE.finditer(location)]
    if not patterns:
        return None
    tokens = [t for p in patterns for t in _TOKEN.findall(p)]
    other = next((p for p in patterns if re.search("[A-Za-z*?/]", _TOKEN.sub("", p))), None)
    if other is not None:
        return f"the date pattern '{other}'"
    if not {"yyyy", "MM"} <= set(tokens):
        return f"the date '{', '.join(patterns)}', which tells no month of a year"
    return None if is_local(location) or is_web(location) else "a {date} that is in no address"


def pattern(location: str) -> str:
    """A path with `*` where a day stands."""
    return _PLACE.sub("[0-9]*", location)


def fill(location: str, day: date) -> str:
    """The location of one day."""
    parts = {"yyyy": f"{day:%Y}", "MM": f"{day:%m}", "dd": f"{day:%d}"}
    return _PLACE.sub(lambda m: _TOKEN.sub(lambda t: parts[t[0]], m[1] or _ISO), location)


def releases(root: Path, location: str, span: Span) -> list[Release]:
    """The files that a location means, by day where it tells one, oldest first.

    Args:
        root: the project, where paths begin.
        span: files of a day outside are left out; an address is asked for each day of it.

    Returns:
        One release without a day, of one location or several; else one for each day.

    Raises:
        UsageError: no file is there, or the date's pattern is wrong.
    """
    if wrong := fault(location):
        raise UsageError(
            f"The source has {wrong}.", where=location, fix="Write it as {date} or {date:yyyyMMdd}."
        )
    if is_dated(location):
        return _by_day(root, location, span) if is_local(location) else _of_address(location, span)
    path = root / Path(location).expanduser()
    if not is_local(location) or path.is_file():
        return [Release(None, (location,))]
    if path.is_dir():
        files = _files(root, f"{glob.escape(str(path))}/*")
    elif re.search("[*?]", location):
        files = _files(root, _pattern(str(path)))
    else:
        return [Release(None, (location,))]
    if not files:
        raise _nothing(location)
    return [Release(None, tuple(files))]


def left_out(root: Path, location: str, last: date) -> list[tuple[str, str]]:
    """Files that look like those of a path with a day and are none of its releases, each with the
    reason: no such day, no day in the pattern's form, or one that lies ahead of `last`."""
    if not (is_dated(location) and is_local(location)):
        return []
    others = []
    for path, parts in _dated(root, location):
        day = _day(parts) if parts else None
        if (day and day <= last) or Path(path).name.startswith(_JUNK):
            continue
        why = "its name holds no day in that form" if not parts else (
            f"its day lies after {last}" if day else "the calendar has no such day"
        )  # fmt: skip
        others.append((_inside(root, Path(path)), why))
    return sorted(others)


def _dated(root: Path, location: str) -> Iterator[tuple[str, dict[str, str] | None]]:
    """Paths with anything where the day stands, and the parts of the day where it is in form."""
    whole = str(root / Path(location).expanduser())
    expression = re.compile(_expression(whole))
    for path in glob.glob(_pattern(_PLACE.sub("*", whole))):  # noqa: PTH207
        match = expression.fullmatch(path)
        yield path, match.groupdict() if match else None


def _by_day(root: Path, location: str, span: Span) -> list[Release]:
    """Files by the day in their paths."""
    files: dict[date, list[str]] = defaultdict(list)
    for path, parts in _dated(root, location):
        if parts and (day := _day(parts)):
            inside = f"{glob.escape(path)}/*" if Path(path).is_dir() else glob.escape(path)
            files[day] += _files(root, inside)
    if not any(files.values()):
        raise _nothing(location)
    days = [d for d in sorted(files) if (span.first or d) <= d <= span.last]
    return [Release(day, tuple(sorted(files[day]))) for day in days if files[day]]


def _of_address(location: str, span: Span) -> list[Release]:
    """One address for each day, or the last day of each month, of the span."""
    first = span.first or span.last
    if (span.last - first).days > _MOST_DAYS:
        raise UsageError(
            f"From {first} to {span.last} are more than {_MOST_DAYS:,} days.",
            where=location,
            fix="Give a later day by --since.",
        )
    days = [first + timedelta(days=n) for n in range((span.last - first).days + 1)]
    if fill(location, date(2000, 1, 1)) == fill(location, date(2000, 1, 2)):
        days = [day for day in days if (day + timedelta(days=1)).day == 1]
    return [Release(day, (fill(location, day),)) for day in days if day not in span.published]


def _files(root: Path, pattern: str) -> list[str]:
    """Paths of files, in the project where they lie there, in the order of names."""
    # `Path.glob` takes no absolute pattern.
    paths = map(Path, glob.glob(pattern))  # noqa: PTH207
    files = (p for p in paths if p.is_file() and not p.name.startswith(_JUNK))
    return sorted(_inside(root, p) for p in files)


def _inside(root: Path, path: Path) -> str:
    return str(path.relative_to(root) if path.is_relative_to(root) else path)


def _pattern(path: str) -> str:
    """The path as a glob in which `*` and `?` alone stand for something else."""
    return path.replace("[", "[[]")


def _expression(path: str) -> str:
    """The path as a regular expression with groups `y`, `m` and `d`; a part that comes again
    must be the same."""
    groups: set[str] = set()

    def token(name: str) -> str:
        group, digits = _TOKENS[name]
        if group in groups:
            return f"(?P={group})"
        groups.add(group)
        return f"(?P<{group}>{digits})"

    parts: list[str] = []
    place = 0
    for match in _PLACE.finditer(path):
        parts += [_literal(path[place : match.start()])]
        parts += [token(p) if p in _TOKENS else re.escape(p) for p in _cut(match[1] or _ISO)]
        place = match.end()
    return "".join([*parts, _literal(path[place:])])


def _cut(pattern: str) -> Iterator[str]:
    """A date pattern's tokens and what stands between them."""
    place = 0
    for match in _TOKEN.finditer(pattern):
        yield from (pattern[place : match.start()], match[0])
        place = match.end()
    yield pattern[place:]


def _literal(text: str) -> str:
    return re.escape(text).replace(r"\*", "[^/]*").replace(r"\?", "[^/]")


def _day(parts: dict[str, str]) -> date | None:
    """The day of a name, a month's last one; None where the calendar has no such day."""
    year, month = int(parts["y"]), int(parts["m"])
    if not (1 <= month <= 12 and year):
        return None
    last = calendar.monthrange(year, month)[1]
    day = int(parts.get("d", last))
    return date(year, month, day) if 1 <= day <= last else None


def _nothing(location: str) -> UsageError:
    return UsageError(
        "No file is there.",
        where=location,
        fix="Mend `servers.path` in the contract, or give the files by --source.",
    )
