"""Which version is champion and which one answers: two questions, each decided in one place.

The registry's alias `champion` says which version was approved to answer; the slots of the
platform database say which one does (`yupana deploy` puts the one into the other). They differ
between a promotion and its deployment, and where a model from another platform was adopted.
Neither the event log nor the tag in the store decides: they tell what was done.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from yupana.config.settings import Settings
from yupana.database import reading
from yupana.lineage import events
from yupana.tracking import aliases

_SLOTS = "SELECT slot, tag FROM deployment_slots WHERE use_case = :use_case"


@dataclass(frozen=True)
class Roles:
    """What the versions of a use case are for.

    Attributes:
        aliases: version by alias of the registry.
        slots: version by slot of the service.
    """

    use_case: str
    aliases: Mapping[str, int]
    slots: Mapping[str, int]

    def aliases_of(self, version: int) -> tuple[str, ...]:
        """The aliases of a version, in the order of their names."""
        return tuple(sorted(a for a, number in self.aliases.items() if number == version))

    def slots_of(self, version: int) -> tuple[str, ...]:
        """The slots that a version is in, in the order of their names."""
        return tuple(sorted(s for s, number in self.slots.items() if number == version))

    @property
    def difference(self) -> tuple[str, str]:
        """Where the champion is not what answers, that, in Spanish and English; else empty."""
        champion, answering = self.aliases.get("champion"), self.slots.get("champion")
        if champion == answering:
            return "", ""
        es = f"campeón del registro: {self._name(champion, 'ninguno')}; "
        en = f"champion of the registry: {self._name(champion, 'none')}; "
        return (
            es + f"responde: {self._name(answering, 'ninguno')}",
            en + f"what answers: {self._name(answering, 'none')}",
        )

    @property
    def fix(self) -> str:
        """The command that makes the champion answer; empty where there is no champion."""
        return f"yupana deploy {self.use_case}" if "champion" in self.aliases else ""

    def _name(self, version: int | None, none: str) -> str:
        return none if version is None else f"{self.use_case}@{version}"


def of(settings: Settings, use_case: str) -> Roles:
    """The roles as they are now.

    Raises:
        TransientError: the registry or the platform database cannot be reached.
    """
    rows = reading.rows(settings.platform_db, _SLOTS, {"use_case": use_case})
    slots = {slot: int(tag.partition(":")[2]) for slot, tag in rows}
    return Roles(use_case, aliases.of(settings, use_case), slots)


@dataclass(frozen=True)
class ServedModel:
    """The model that answers.

    Attributes:
        ref: `model:<name>@<version>`; empty where there is none.
        folder: its files: the copy that answers, else what its fit wrote; None where neither is.
        fitted: what its fit wrote; None for a model from elsewhere.
        time: when it was registered here; empty for one from elsewhere.
        inputs: what it was registered from.
    """

    ref: str
    folder: Path | None = None
    fitted: Path | None = None
    time: str = ""
    inputs: tuple[str, ...] = ()

    @property
    def version(self) -> int:
        return int(self.ref.rpartition("@")[2])


def served(settings: Settings, use_case: str) -> ServedModel:
    """The model that answers: the one deployed, else the registry's champion.

    Raises:
        TransientError: as `of`.
    """
    roles = of(settings, use_case)
    version = roles.slots.get("champion", roles.aliases.get("champion"))
    if version is None:
        return ServedModel("")
    ref = f"model:{use_case}@{version}"
    registration = events.last_done(
        settings.events, "register", use_case, lambda e: ref in e["outputs"]
    )
    event = registration or {}
    inputs = tuple(event.get("inputs", ()))
    candidates = (i.partition(":")[2] for i in inputs if i.startswith("candidate:"))
    fitted = next(
        (p for c in candidates if (p := settings.home / "candidates" / c).is_dir()), None
    )
    copy = settings.home / "bentoml" / "models" / use_case / str(version)
    folder = copy if copy.is_dir() else fitted
    return ServedModel(ref, folder, fitted, str(event.get("time", "")), inputs)
