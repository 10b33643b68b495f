"""The models of a running service: champion and challenger, followed and changed under load.

A thread looks every second whether another model was placed, or whether features or forecasts were
published. What is new is loaded, tested and filled beside the old, then put in its place at once:
a request sees the one or the other. A model that fails its own test is refused; the old serves on.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event, Thread
from typing import Any

import bentoml
from bentoml.exceptions import NotFound

from serving.book import Book, Maker, Source
from serving.features_ref import FeaturesRef
from serving.http import metrics
from serving.ranges import Ranges
from serving.recorded import Recorded
from yupana.config.settings import Settings
from yupana.core import selftest, usecase
from yupana.core.errors import TerminalError, YupanaError
from yupana.features import store
from yupana.governance import deployments
from yupana.governance.deployments import CHALLENGER, CHAMPION, Placed

LOOK_SECONDS = 1.0
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Model:
    """A model from the store that passed its own test."""

    tag: str
    version: str
    folder: Path
    forecaster: Any
    ranges: Ranges


@dataclass(frozen=True)
class Slot:
    """A model that serves, with its forecasts; `share` is the challenger's."""

    model: Model
    book: Book
    share: float = 0.0


def stored_folder(tag: str) -> Path:
    """Where a model's files lie in the store.

    Raises:
        TerminalError: it is not there.
    """
    try:
        return Path(bentoml.models.get(tag).path)
    except NotFound as error:
        raise TerminalError(
            f"The model '{tag}' is not in the store.",
            where="the BentoML model store",
            fix=f"Deploy it on this machine: yupana deploy {tag.split(':')[0]}",
        ) from error


def load(tag: str) -> Model:
    """Read a model from the store and test it.

    Raises:
        TerminalError: it is not there, or does not answer as it did when it was deployed.
    """
    use_case, version = tag.split(":")
    folder = stored_folder(tag)
    forecaster = usecase.load("models", use_case).load(folder)
    selftest.run(folder, forecaster)
    return Model(tag, version, folder, forecaster, Ranges.read(folder))


class Slots:
    """What serves now: `champion`, and `challenger` if one is placed.

    Raises:
        TerminalError: no champion is placed, it fails its test, or no features were published.
    """

    champion: Slot
    challenger: Slot | None = None

    def __init__(self, settings: Settings, use_case: str) -> None:
        self._settings, self._use_case = settings, use_case
        self.features_ref = FeaturesRef(settings, use_case)
        self.recorded = Recorded(settings, use_case)
        self.refused: dict[str, str] = {}
        """Why a placed model does not serve, by tag."""
        self._made_of: tuple[str, int] = ("", -1)
        self._stop = Event()
        champion = deployments.champion(settings.platform_db, use_case)
        self._published()
        self.champion = self._slot(load(champion.tag))
        self._place(deployments.current(settings.platform_db, use_case))
        self._thread = Thread(target=self._follow, name="slots", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop following."""
        self._stop.set()
        self._thread.join(timeout=5)

    def look(self) -> None:
        """Follow what was placed and published; whatever fails leaves what serves."""
        changed = self._published()
        if changed:
            self.champion = self._slot(self.champion.model)
            if self.challenger:
                again = self._slot(self.challenger.model)
                self.challenger = replace(again, share=self.challenger.share)
        self._place(deployments.current(self._settings.platform_db, self._use_case))

    def _follow(self) -> None:
        while not self._stop.wait(LOOK_SECONDS):
            try:
                self.look()
            except Exception as error:  # the service must go on answering, whatever it is
                _LOG.warning("the models are not followed: %s: %s", type(error).__name__, error)

    def _published(self) -> bool:
        made_of = (self.features_ref.now(), self.recorded.look())
        changed = made_of != self._made_of
        self._made_of = made_of
        return changed

    def _place(self, placed: dict[str, Placed]) -> None:
        self.refused = {
            t: r for t, r in self.refused.items() if t in {p.tag for p in placed.values()}
        }
        champion = placed.get(CHAMPION)
        if champion and champion.tag != self.champion.model.tag:
            self.champion = self._other(champion) or self.champion
        challenger = placed.get(CHALLENGER)
        if challenger is None or challenger.tag == self.champion.model.tag:
            self.challenger = None
        elif self.challenger is None or self.challenger.model.tag != challenger.tag:
            self.challenger = self._other(challenger)
        elif self.challenger.share != challenger.share:
            self.challenger = replace(self.challenger, share=challenger.share)

    def _other(self, placed: Placed) -> Slot | None:
        if placed.tag in self.refused:
            return None
        for slot in (self.champion, self.challenger):
            if slot and slot.model.tag == placed.tag:
                return replace(slot, share=placed.share)
        try:
            return replace(self._slot(load(placed.tag)), share=placed.share)
        except Exception as error:  # a broken file can raise anything
            # Callers read this: no path of the machine; the log has it whole.
            told = error.what if isinstance(error, YupanaError) else "Its files cannot be read."
            self.refused[placed.tag] = told
            metrics.RELOAD_REFUSED.labels(self._use_case).inc()
            _LOG.error("%s is refused, the model before it serves on: %s", placed.tag, error)
            return None

    def _slot(self, model: Model) -> Slot:
        """The model with a book that holds all districts which it knows."""
        book = Book(
            Source(
                maker=Maker(self._use_case, model.version, model.tag, self._made_of[0]),
                forecaster=model.forecaster,
                features=self._features(model),
                channels=self.recorded.channels,
                beyond=model.ranges.check,
            )
        )
        book.of(list(model.forecaster.description.districts))
        return Slot(model, book)

    def _features(self, model: Model) -> Callable[[list[str]], Any]:
        service = model.forecaster.description.feature_service
        return lambda ubigeos: store.online_features(self._settings, service, ubigeos)
