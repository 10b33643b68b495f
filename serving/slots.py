"""The models of a running service: champion and challenger, followed and changed under load.

A thread looks every second whether another model was placed, or whether features or forecasts were
published. What is new is loaded, tested and filled beside the old, then put in its place at once:
a request sees the one or the other. A model that fails its own test, or has no gate pass for its
files, is refused; the old serves on. When what serves is suspended, nothing answers in its place.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Thread
from typing import Any

import bentoml
from bentoml.exceptions import NotFound

from serving import notes
from serving.book import Book, Maker, Source
from serving.features_ref import FeaturesRef
from serving.halt import NOT_ASKED, Halt, of_standing
from serving.http import metrics
from serving.ranges import Ranges
from serving.recorded import Recorded
from yupana.config.settings import Settings
from yupana.core import selftest, usecase
from yupana.core.errors import TerminalError, YupanaError
from yupana.features import store
from yupana.governance import deployments, gate
from yupana.governance.deployments import CHALLENGER, CHAMPION, Placed
from yupana.governance.gate import Standing, Versions
from yupana.governance.measures import model_sha256

LOOK_SECONDS = 1.0
PATIENCE_SECONDS = 20.0
"""How long a model answers on the gate's last word, when the gate cannot be asked."""
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Model:
    """A model from the store that passed its own test."""

    tag: str
    version: str
    folder: Path
    forecaster: Any
    ranges: Ranges
    sha256: str
    """Over its files, as they were read."""


@dataclass(frozen=True)
class Slot:
    """A model that serves, with its forecasts; `share` is the challenger's."""

    model: Model
    book: Book
    standing: Standing
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
    before = model_sha256(folder)
    forecaster = usecase.load("models", use_case).load(folder)
    selftest.run(folder, forecaster)
    ranges, after = Ranges.read(folder), model_sha256(folder)
    # A file that changed while it was read: neither hash is of what was read.
    return Model(tag, version, folder, forecaster, ranges, after if after == before else "")


@dataclass(frozen=True)
class Barred:
    """A model that the gate keeps out of a slot; `share` is None for the champion's."""

    version: str
    sha256: str
    share: float | None


def _kept_out(standing: Standing, *, shadow: bool) -> bool:
    """Whether the gate keeps a model from a slot, a shadow's or one whose answers are told."""
    return not standing.allowed or (standing.shadow and not shadow)


class Slots:
    """What serves now: `champion`, and `challenger` if one is placed.

    Raises:
        TerminalError: no champion is placed, it fails its test, it has no gate pass, or no
            features were published. One that is suspended is held, and does not answer.
    """

    champion: Slot
    challenger: Slot | None = None
    halted: Halt | None = None
    """Why nothing is answered, where that is so."""

    def __init__(self, settings: Settings, use_case: str) -> None:
        self._settings, self._use_case = settings, use_case
        self.features_ref = FeaturesRef(settings, use_case)
        self.recorded = Recorded(settings, use_case)
        self.refused: dict[str, str] = {}
        """Why a placed model does not serve, by tag."""
        self._barred: dict[str, Barred] = {}
        """Placed models that the gate keeps out: asked about again at each look."""
        self._made_of: tuple[str, int] = ("", -1)
        self._asked = time.monotonic()
        self._stop = Event()
        champion = deployments.champion(settings.platform_db, use_case)
        self._published()
        model = load(champion.tag)
        self.champion = self._slot(model, self._standing(model))
        if (halt := of_standing(self.champion.standing)) and halt.code != "suspended":
            raise TerminalError(
                f"{use_case}@{model.version} may not serve: {halt.en}.",
                where="the ledger, and the slot of the champion",
                fix=f"yupana governance check {use_case} --model {use_case}@{model.version}; then "
                f"yupana models promote {use_case}@{model.version} and yupana deploy {use_case}.",
            )
        self.halted = halt
        self._place(deployments.current(settings.platform_db, use_case))
        self._thread = Thread(target=self._follow, name="slots", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop following."""
        self._stop.set()
        self._thread.join(timeout=5)

    def look(self) -> None:
        """Follow what was decided, placed and published; whatever fails leaves what serves."""
        # First: nothing that fails below may keep a suspended model answering.
        self._stand()
        changed = self._published()
        if changed:
            self.champion = self._slot(self.champion.model, self.champion.standing)
            if self.challenger:
                again = self._slot(self.challenger.model, self.challenger.standing)
                self.challenger = replace(again, share=self.challenger.share)
        self._place(deployments.current(self._settings.platform_db, self._use_case))

    def versions(self) -> Versions:
        """Approvals and suspensions of all versions, for what was recorded before."""
        return gate.versions(self._settings, self._use_case)

    def _standing(self, model: Model) -> Standing:
        now = datetime.now(UTC)
        return gate.standing(self._settings, self._use_case, model.version, model.sha256, now)

    def _stand(self) -> None:
        """Ask again whether what serves may go on."""
        standing = self._standing(self.champion.model)
        if standing != self.champion.standing:
            self.champion = self._changed(self.champion, standing)
        # After the champion: who sees no halt sees a book with the caveats of now.
        self.halted = of_standing(standing)
        self._asked = time.monotonic()
        if (challenger := self.challenger) is None:
            return
        standing = self._standing(challenger.model)
        if _kept_out(standing, shadow=not challenger.share):
            self.challenger = None
            self._bar(challenger.model, standing, challenger.share)
        elif standing != challenger.standing:
            self.challenger = self._changed(challenger, standing)

    def _changed(self, slot: Slot, standing: Standing) -> Slot:
        if standing.trial == slot.standing.trial:
            return replace(slot, standing=standing)
        return replace(self._slot(slot.model, standing), share=slot.share)

    def _bar(self, model: Model, standing: Standing, share: float | None) -> None:
        halt = of_standing(standing)
        self.refused[model.tag] = halt.en if halt else "its gate pass is for a shadow alone"
        self._barred[model.tag] = Barred(model.version, model.sha256, share)
        metrics.RELOAD_REFUSED.labels(self._use_case).inc()
        _LOG.error("%s is refused by the gate: %s", model.tag, self.refused[model.tag])

    def _follow(self) -> None:
        while not self._stop.wait(LOOK_SECONDS):
            try:
                self.look()
            except Exception as error:  # the service must go on answering, whatever it is
                _LOG.warning("the models are not followed: %s: %s", type(error).__name__, error)
            if time.monotonic() - self._asked > PATIENCE_SECONDS and not self.halted:
                # Nobody could stop it now: so it stops by itself.
                self.halted = NOT_ASKED

    def _published(self) -> bool:
        made_of = (self.features_ref.now(), self.recorded.look())
        changed = made_of != self._made_of
        self._made_of = made_of
        return changed

    def _place(self, placed: dict[str, Placed]) -> None:
        self.refused = {
            t: r for t, r in self.refused.items() if t in {p.tag for p in placed.values()}
        }
        self._ask_again()
        champion = placed.get(CHAMPION)
        if champion and champion.tag != self.champion.model.tag:
            self.champion = self._other(champion.tag, None) or self.champion
            self.halted = of_standing(self.champion.standing)
        challenger = placed.get(CHALLENGER)
        if challenger is None or challenger.tag == self.champion.model.tag:
            self.challenger = None
        elif self.challenger is None or self._told(self.challenger) != challenger:
            self.challenger = self._other(challenger.tag, challenger.share)

    @staticmethod
    def _told(slot: Slot) -> Placed:
        return Placed(slot.model.tag, slot.share)

    def _ask_again(self) -> None:
        """Let those in whom only the gate kept out, once it has another word on them."""
        for tag, barred in list(self._barred.items()):
            now = datetime.now(UTC)
            standing = gate.standing(
                self._settings, self._use_case, barred.version, barred.sha256, now
            )
            if tag not in self.refused or not _kept_out(standing, shadow=barred.share == 0):
                del self._barred[tag]
                self.refused.pop(tag, None)

    def _other(self, tag: str, share: float | None) -> Slot | None:
        """The slot of a model that was placed; None where it is refused.

        Args:
            share: the challenger's; None for the champion.
        """
        barred = self._barred.get(tag)
        if tag in self.refused and (barred is None or barred.share == share):
            return None
        held = (s for s in (self.champion, self.challenger) if s and s.model.tag == tag)
        try:
            slot = next(held, None)
            model = slot.model if slot else load(tag)
            standing = self._standing(model)
            if _kept_out(standing, shadow=share == 0):
                self._bar(model, standing, share)
                return None
            made = self._changed(slot, standing) if slot else self._slot(model, standing)
            return replace(made, share=share or 0.0)
        except Exception as error:  # a broken file can raise anything
            # Callers read this: no path of the machine; the log has it whole.
            told = error.what if isinstance(error, YupanaError) else "Its files cannot be read."
            self.refused[tag] = told
            metrics.RELOAD_REFUSED.labels(self._use_case).inc()
            _LOG.error("%s is refused, the model before it serves on: %s", tag, error)
            return None

    def _slot(self, model: Model, standing: Standing) -> Slot:
        """The model with a book that holds all districts which it knows."""
        book = Book(
            Source(
                maker=Maker(self._use_case, model.version, model.tag, self._made_of[0]),
                forecaster=model.forecaster,
                features=self._features(model),
                channels=self.recorded.channels,
                beyond=model.ranges.check,
                always=(notes.TRIAL,) if standing.trial else (),
            )
        )
        book.of(list(model.forecaster.description.districts))
        return Slot(model, book, standing)

    def _features(self, model: Model) -> Callable[[list[str]], Any]:
        service = model.forecaster.description.feature_service
        return lambda ubigeos: store.online_features(self._settings, service, ubigeos)
