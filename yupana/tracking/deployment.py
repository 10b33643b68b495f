"""Deployment: a registered model in the BentoML store, tested, and placed in a service's slot."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from yupana.config.settings import Settings
from yupana.core import plain_files, spec, usecase
from yupana.core.errors import TerminalError
from yupana.gate import gate
from yupana.gate.measures import Subject, model_sha256
from yupana.tracking import registry, slots, subjects
from yupana.tracking.shared_models import SharedModel


@dataclass(frozen=True)
class Deployment:
    """A champion in its slot.

    Attributes:
        tag: `<use case>:<version>`, as the store names it.
        withdrawn: tag of the challenger that left its slot for it; empty where none did.
    """

    tag: str
    withdrawn: str = ""


def deploy(settings: Settings, use_case: str, *, now: datetime, by: str) -> Deployment:
    """Copy the champion into the store and place it.

    The copy answers for some entities before it is committed, and keeps what it answered: a
    service refuses a copy that answers otherwise, and serves on with the one before it. An
    `outdated_challenger` leaves its slot.

    Raises:
        TerminalError: there is no champion, or the gate refuses it.
    """
    tag = _placed(settings, use_case, slots.CHAMPION, 0.0, now=now, by=by)
    outdated = outdated_challenger(settings, use_case)
    if outdated:
        slots.clear(settings.platform_db, use_case, slots.CHALLENGER, now=now, by=by)
    return Deployment(tag, outdated)


def outdated_challenger(settings: Settings, use_case: str) -> str:
    """Tag of the challenger that is placed and is no newer than the champion that is: this one was
    chosen before it, or is the same; empty where there is none."""
    placed = slots.current(settings.platform_db, use_case)
    champion, challenger = placed.get(slots.CHAMPION), placed.get(slots.CHALLENGER)
    if champion is None or challenger is None or challenger.version > champion.version:
        return ""
    return challenger.tag


def challenge(settings: Settings, use_case: str, share: float, *, now: datetime, by: str) -> str:
    """Place the challenger beside the champion; returns its tag.

    Args:
        share: of the requests that it answers, 0-1; 0 is a shadow, which answers none.

    Raises:
        TerminalError: there is no challenger, or the gate refuses it.
    """
    return _placed(settings, use_case, slots.CHALLENGER, share, now=now, by=by)


def adopt(
    settings: Settings, use_case: str, shared: SharedModel, *, now: datetime, by: str
) -> str:
    """Place a model that another platform shared as the champion; returns the tag.

    Args:
        shared: as `shared_models.received` checked it; answers name its version.

    Raises:
        TerminalError: the folder is no model of the use case, the store holds another model
            under that version, or the gate refuses it.
    """
    source = shared.folder
    absent = [n for n in spec.load(use_case).model.files if not (source / n).exists()]
    if absent:
        raise TerminalError(
            f"The folder is not a shared model: it lacks {', '.join(absent)}.",
            where=str(source),
            fix=f"Get it: dvc get <exchange> models/{use_case}/model",
        )
    model = subjects.of_folder(use_case, shared.version, source)
    _demand_same(model)
    gate.note_author(settings, model, "adopt", now)
    gate.admit(settings, use_case, model, "adopt", now)
    placed = slots.Placed(_stored(model))
    slots.place(settings.platform_db, use_case, slots.CHAMPION, placed, now=now, by=by)
    return placed.tag


def _placed(
    settings: Settings, use_case: str, slot: str, share: float, *, now: datetime, by: str
) -> str:
    model = subjects.of_folder(use_case, *registry.aliased(settings, use_case, slot))
    _demand_same(model)
    placed = slots.Placed(_tag(model), share)
    before = slots.current(settings.platform_db, use_case).get(slot)
    shadow = slot == slots.CHALLENGER and not share
    if before != placed or not (shadow or gate.is_settled(settings, model, now)):
        action: gate.Action = "shadow" if shadow else "challenge" if share else "deploy"
        gate.admit(settings, use_case, model, action, now)
    _stored(model)
    if before != placed:
        slots.place(settings.platform_db, use_case, slot, placed, now=now, by=by)
    return placed.tag


def _tag(model: Subject) -> str:
    return f"{model.use_case}:{model.version}"


def _demand_same(model: Subject) -> None:
    """Refuse a version under which the store holds other files: the pass is for these alone."""
    import bentoml
    from bentoml.exceptions import NotFound

    try:
        stored = Path(bentoml.models.get(_tag(model)).path)
    except NotFound:
        return
    if model_sha256(stored) != model.sha256:
        raise TerminalError(
            f"Another model is {model.name} here.",
            where=f"{model.folder} and {stored}",
            fix="Give an adopted one a version that is free (--version); a copy that was changed "
            f"goes by `bentoml models delete {_tag(model)}`, then deploy again.",
        )


def _stored(model: Subject) -> str:
    import bentoml
    from bentoml.exceptions import NotFound

    tag = _tag(model)
    try:
        bentoml.models.get(tag)
    except NotFound:
        code = usecase.load(model.use_case)
        fitted = code.load(model.folder)
        with bentoml.models.create(tag, labels={"use_case": model.use_case}) as entry:
            plain_files.copy(model.folder, Path(entry.path))
            code.write_selftest(Path(entry.path), fitted)
    return tag


def folder(settings: Settings, use_case: str) -> Path:
    """Folder of the champion that is deployed."""
    import bentoml

    placed = slots.champion(settings.platform_db, use_case)
    return Path(bentoml.models.get(placed.tag).path)


def is_settled(settings: Settings, use_case: str, now: datetime) -> bool:
    """Whether the champion that is deployed has the best gate pass that it can have by now."""
    version = slots.champion(settings.platform_db, use_case).version
    model = subjects.of_folder(use_case, version, folder(settings, use_case))
    return gate.is_settled(settings, model, now)
