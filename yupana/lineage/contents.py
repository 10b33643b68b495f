"""The content of what steps leave: its hash stands in their event, and readers compare.

A version of a table (but of the zone `staging`, which nobody reads) and a file or folder that a
step names are vouched for by the newest event that has them. What no event vouches for is refused
like what is not as its event says: a missing hash is no evidence.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from yupana.config.settings import Settings
from yupana.core.errors import ContentError, YupanaError
from yupana.database import reading
from yupana.ledger.fault import Fault
from yupana.lineage import digests

TABLE, FILE = "delta:", "file:"
UNREAD_ZONE = "staging"
_WINDOW = 400
"""Versions below or above one among which another with an event is looked for."""

_CHANGED = (
    "Put it back from a back-up; or move it away, and run the step again that writes it."
)
_FIXES = {
    "unvouched": "Run the step again that writes it, which first takes back what a broken run "
    "left. For a table from before there were such hashes, or from elsewhere: `yupana audit vouch "
    "{ref}`, once you know that it is right."
}

_EVENTS = (
    "SELECT body FROM events JOIN event_refs ON event = seq WHERE status = 'done' "
    "AND role IN ('output', 'file') AND ref IN ({}) ORDER BY seq DESC"
)
_REFS = "SELECT DISTINCT ref FROM event_refs WHERE role IN ('output', 'file') AND ref LIKE :kind"


def file_ref(settings: Settings, path: Path) -> str:
    """How an event names a file: by its place below home, or where it is."""
    absolute = path.absolute()
    inside = absolute.is_relative_to(settings.home.absolute())
    return f"{FILE}{absolute.relative_to(settings.home.absolute()) if inside else absolute}"


def content(
    settings: Settings, outputs: Sequence[str], files: Iterable[Path] = ()
) -> dict[str, str]:
    """SHA-256 of each table version and file that a step leaves, by reference.

    A version is vouched for only where the one before it is as its own event says: what was
    changed in a table's files is not vouched for by who adds to it.

    Raises:
        ContentError: the version before it, or this one, is not as an earlier event says.
        OSError: a file is not there.
    """
    hashes = {}
    for ref in outputs:
        if _is_table(ref) and (sha256 := _sha256(settings, ref)):
            _demand_before(settings, ref, sha256)
            hashes[ref] = sha256
    return hashes | {file_ref(settings, path): digests.of_file(path) for path in files}


def is_whole(settings: Settings, outputs: Sequence[str], hashes: Mapping[str, str]) -> bool:
    """Whether what a step left before is there as it was: else the step is done again.

    Args:
        outputs: references in its event.
        hashes: the event's `content`.
    """
    refs = {*filter(_is_table, outputs), *hashes}
    return all(_sha256(settings, ref) == hashes.get(ref, "") for ref in refs)


def demand(settings: Settings, ref: str, *, newest: bool = False) -> None:
    """Refuse a version of a table, or a file (`file_ref`), that is not as its step left it.

    Args:
        newest: it is taken for the table's newest version: a later one that a step left, and that
            is gone, is missed.

    Raises:
        ContentError: it is not, or no step vouches for it.
    """
    if fault := (newest and _gone(settings, ref)) or check(settings, ref):
        raise ContentError(
            f"The content is not what its step left: {fault.place} {fault.message}.",
            where=str(_place(settings, ref)),
            fix=_FIXES.get(fault.what, _CHANGED).format(ref=fault.place),
        )


def demand_tables(settings: Settings, refs: Iterable[str]) -> None:
    """Refuse the first version of a table among some references that is not as its step left it.

    Raises:
        ContentError: there is one in the lake.
    """
    for ref in filter(_is_table, refs):
        if (_place(settings, ref) / "_delta_log").is_dir():
            demand(settings, ref)


def demand_base(settings: Settings, ref: str) -> None:
    """Refuse to go on from a version that is not as its step left it; a table of which no step
    has left any version, from a release before there were hashes, is taken as it is.

    Raises:
        ContentError: it is not.
    """
    if last_version(settings, ref) is not None:
        demand_tables(settings, [ref])


def read(settings: Settings, path: Path) -> bytes:
    """The bytes of a file that is as its step left it.

    Raises:
        ContentError: it is not, or no step vouches for it.
    """
    demand(settings, file_ref(settings, path))
    return path.read_bytes()


def is_known(settings: Settings, ref: str) -> bool:
    """Whether an event vouches for a version of a table or a file, as it is or as it was."""
    return _seal(settings, [ref])[0] is not None


def check(settings: Settings, ref: str) -> Fault | None:
    """What is wrong with a version of a table or a file, if anything."""
    seal, event = _seal(settings, [ref])
    if seal is None:
        return _fault(ref, "unvouched")
    sha256 = _sha256(settings, ref)
    if sha256 == seal[1]:
        return None
    return _fault(ref, "changed" if sha256 else "missing", event)


def last_version(settings: Settings, ref: str) -> int | None:
    """The version of a table, this one or one before it, that a step left last; None: no one."""
    seal, _ = _seal(settings, _down_from(ref))
    return int(seal[0].rpartition("@")[2]) if seal else None


def faults(settings: Settings) -> Iterator[Fault]:
    """What is wrong with the newest version of each table of the lake, and with each file.

    A table that an event vouches for and that is gone is missing; a table that no event knows is
    unvouched. A file outside of home is its owner's, who may remove it.
    """
    tables = {ref.rpartition("@")[0] for ref in _refs(settings, TABLE) if _is_table(ref)}
    folders = {f"{TABLE}{p.parent.parent.parent.name}/{p.parent.parent.name}"
               for p in settings.lake.glob("*/*/_delta_log/*.json")}  # fmt: skip
    for table in sorted(filter(_is_table, tables | folders)):
        ref = f"{table}@{_newest(settings, table)}"
        if fault := _gone(settings, ref) or check(settings, ref):
            yield fault
    for ref in sorted(_refs(settings, FILE)):
        fault = check(settings, ref)
        if fault and not (fault.what == "missing" and ref.startswith(f"{FILE}/")):
            yield fault


def _fault(ref: str, what: str, event: str = "") -> Fault:
    """What is not as its step left it; `event` is the id of the event that vouches for it."""
    message = {
        "changed": f"is not as the step of event {event} left it",
        "missing": f"is not there any more, or cannot be read (event {event} left it)",
        "unvouched": "is vouched for by no step",
    }[what]
    return Fault(0, what, ref, "", message)


def _refs(settings: Settings, kind: str) -> set[str]:
    return {ref for (ref,) in reading.rows(settings.events, _REFS, {"kind": f"{kind}%"})}


def _is_table(ref: str) -> bool:
    return ref.startswith(TABLE) and not ref.startswith(f"{TABLE}{UNREAD_ZONE}/")


def _place(settings: Settings, ref: str) -> Path:
    if ref.startswith(FILE):
        return settings.home / ref.removeprefix(FILE)
    return settings.table(*ref.removeprefix(TABLE).rpartition("@")[0].split("/"))


def _newest(settings: Settings, table: str) -> int:
    """The newest version in the lake; where its log is broken or gone, in the events."""
    from deltalake import DeltaTable

    try:
        return int(DeltaTable(str(_place(settings, f"{table}@"))).version())
    except Exception:
        versions = (int(ref.rpartition("@")[2]) for ref in _refs(settings, f"{table}@"))
        return max(versions, default=0)


def _gone(settings: Settings, ref: str) -> Fault | None:
    """The version after this one that a step left last, and that is not in the lake any more."""
    table, _, version = ref.rpartition("@")
    later = [f"{table}@{int(version) + n}" for n in range(_WINDOW)]
    seal, event = _seal(settings, later)
    if not seal or seal[0] == ref or _sha256(settings, seal[0]):
        return None
    return _fault(seal[0], "missing", event)


def _sha256(settings: Settings, ref: str) -> str:
    """Of what is there now; empty where it is not, or cannot be read."""
    path = _place(settings, ref)
    try:
        if ref.startswith(FILE):
            return digests.of_file(path)
        return digests.of_table(path, int(ref.rpartition("@")[2]))
    except YupanaError:
        return "no plain file"
    except Exception:
        # What delta-rs raises of a broken log has many names.
        return ""


def _seal(settings: Settings, refs: Sequence[str]) -> tuple[tuple[str, str] | None, str]:
    """The newest reference among some that an event vouches for, its SHA-256, and the event."""
    names = {f"ref{n}": ref for n, ref in enumerate(refs)}
    query = _EVENTS.format(", ".join(f":{name}" for name in names))
    for (body,) in reading.rows(settings.events, query, names):
        event = json.loads(body)
        hashes = event.get("content", {})
        for ref in refs:
            if ref in hashes:
                return (ref, hashes[ref]), event["id"]
    return None, ""


def _down_from(ref: str) -> list[str]:
    table, _, version = ref.rpartition("@")
    return [f"{table}@{v}" for v in range(int(version), max(-1, int(version) - _WINDOW), -1)]


def _demand_before(settings: Settings, ref: str, sha256: str) -> None:
    if ref.endswith("@0"):
        # A table that was removed and made anew begins anew.
        return
    seal, event = _seal(settings, _down_from(ref))
    if seal and seal[1] != (sha256 if seal[0] == ref else _sha256(settings, seal[0])):
        raise ContentError(
            f"The table was changed beside its steps: {seal[0]} is not as event {event} says.",
            where=str(_place(settings, ref)),
            fix="Put its folder back from a back-up, or move it away, and run the step again.",
        )
