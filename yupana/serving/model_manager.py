"""The models of a running service: champion and challenger, followed and changed under load.

A thread looks every second whether another model was placed, or whether what answers rest on was
published. What is new is loaded, tested and prepared beside the old, then put in its place at once:
a request sees the one or the other. A model that fails its own test, or has no gate pass for its
files, is refused; the old serves on. When what serves is suspended, nothing answers in its place.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Hashable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from threading import Event, Thread

from yupana.config.settings import Settings
from yupana.core.errors import TerminalError, YupanaError
from yupana.features import store
from yupana.gate import gate
from yupana.gate.gate import Standing, Versions
from yupana.serving.deployment import Deployment, Model, load
from yupana.serving.http import metrics
from yupana.serving.kind import Preparation
from yupana.serving.notes import TRIAL
from yupana.serving.suspension_response import GATE_AWAY, SuspensionResponse, of_standing
from yupana.tracking import slots
from yupana.tracking.slots import CHALLENGER, CHAMPION, Placed

LOOK_SECONDS = 1.0
PATIENCE_SECONDS = 20.0
"""How long a model answers on the gate's last word, when the gate cannot be asked."""
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Exclusion:
    """A model that the gate keeps out of a slot; `share` is None for the champion's."""

    version: str
    sha256: str
    share: float | None


def _is_excluded(standing: Standing, *, shadow: bool) -> bool:
    """Whether the gate keeps a model from a slot, a shadow's or one whose answers are sent."""
    return not standing.allowed or (standing.shadow and not shadow)


class ModelManager:
    """What serves now: `champion`, and `challenger` if one is placed.

    Raises:
        TerminalError: no champion is placed, it fails its test, it has no gate pass, or no
            features were published. One that is suspended is held, and does not answer.
    """

    champion: Deployment
    challenger: Deployment | None = None
    suspension: SuspensionResponse | None = None
    """Why nothing is answered, where that is so."""

    def __init__(self, settings: Settings, use_case: str, preparation: Preparation) -> None:
        self._settings, self._use_case, self._preparation = settings, use_case, preparation
        self.refused: dict[str, str] = {}
        """Why a placed model does not serve, by tag."""
        self._excluded: dict[str, Exclusion] = {}
        """Placed models that the gate keeps out: asked about again at each look."""
        self._sources: tuple[str, Hashable] = ("", None)
        self._gate_answered = time.monotonic()
        self._stop = Event()
        champion = slots.champion(settings.platform_db, use_case)
        self._published()
        model = load(champion.tag)
        self.champion = self._prepared(model, self._standing(model))
        self.suspension = of_standing(self.champion.standing)
        if self.suspension and self.suspension.code != "suspended":
            raise TerminalError(
                f"{use_case}@{model.version} may not serve: {self.suspension.en}.",
                where="the ledger, and the slot of the champion",
                fix=f"yupana governance check {use_case} --model {use_case}@{model.version}; then "
                f"yupana models promote {use_case}@{model.version} and yupana deploy {use_case}.",
            )
        self._place(slots.current(settings.platform_db, use_case))
        self._thread = Thread(target=self._follow, name="models", daemon=True)
        self._thread.start()

    def deployment(self, key_id: str) -> Deployment:
        """What answers a caller: the champion, or for its share of the callers the challenger."""
        challenger = self.challenger
        if challenger and challenger.share and challenger.answers_to(key_id):
            return challenger
        return self.champion

    def by_tag(self, tag: str) -> Model | None:
        """A model that serves; None where no slot holds it."""
        both = (d.model for d in (self.champion, self.challenger) if d)
        return next((model for model in both if model.tag == tag), None)

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
            self.champion = self._prepared(self.champion.model, self.champion.standing)
            if challenger := self.challenger:
                again = self._prepared(challenger.model, challenger.standing)
                self.challenger = replace(again, share=challenger.share)
        self._place(slots.current(self._settings.platform_db, self._use_case))

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
        # After the champion: who sees no suspension sees answers with the caveats of now.
        self.suspension = of_standing(standing)
        self._gate_answered = time.monotonic()
        if (challenger := self.challenger) is None:
            return
        standing = self._standing(challenger.model)
        if _is_excluded(standing, shadow=not challenger.share):
            self.challenger = None
            self._exclude(challenger.model, standing, challenger.share)
        elif standing != challenger.standing:
            self.challenger = self._changed(challenger, standing)

    def _changed(self, deployment: Deployment, standing: Standing) -> Deployment:
        if standing.trial == deployment.standing.trial:
            return replace(deployment, standing=standing)
        return replace(self._prepared(deployment.model, standing), share=deployment.share)

    def _exclude(self, model: Model, standing: Standing, share: float | None) -> None:
        reason = of_standing(standing)
        self.refused[model.tag] = reason.en if reason else "its gate pass is for a shadow alone"
        self._excluded[model.tag] = Exclusion(model.version, model.sha256, share)
        metrics.RELOAD_REFUSED.labels(self._use_case).inc()
        _LOG.error("%s is refused by the gate: %s", model.tag, self.refused[model.tag])

    def _follow(self) -> None:
        while not self._stop.wait(LOOK_SECONDS):
            before = self._gate_answered
            try:
                self.look()
            except Exception as error:  # the service must go on answering, whatever it is
                _LOG.warning("the models are not followed: %s: %s", type(error).__name__, error)
            if self._gate_answered > before:
                # Not away, however long the machine stood still after its answer.
                continue
            if time.monotonic() - before > PATIENCE_SECONDS and not self.suspension:
                # Nobody could stop it now: so it stops by itself.
                self.suspension = GATE_AWAY

    def _published(self) -> bool:
        ref = store.online_ref(self._settings, self._use_case)
        sources = (ref, self._preparation.version())
        changed = sources != self._sources
        self._sources = sources
        return changed

    def _place(self, placed: dict[str, Placed]) -> None:
        self.refused = {
            t: r for t, r in self.refused.items() if t in {p.tag for p in placed.values()}
        }
        self._ask_again()
        champion = placed.get(CHAMPION)
        if champion and champion.tag != self.champion.model.tag:
            self.champion = self._other(champion.tag, None) or self.champion
            self.suspension = of_standing(self.champion.standing)
        challenger = placed.get(CHALLENGER)
        if challenger is None or challenger.tag == self.champion.model.tag:
            self.challenger = None
        elif self.challenger is None or _placed(self.challenger) != challenger:
            self.challenger = self._other(challenger.tag, challenger.share)

    def _ask_again(self) -> None:
        """Let those in whom only the gate kept out, once it has another word on them."""
        for tag, excluded in list(self._excluded.items()):
            now = datetime.now(UTC)
            standing = gate.standing(
                self._settings, self._use_case, excluded.version, excluded.sha256, now
            )
            if tag not in self.refused or not _is_excluded(standing, shadow=excluded.share == 0):
                del self._excluded[tag]
                self.refused.pop(tag, None)

    def _other(self, tag: str, share: float | None) -> Deployment | None:
        """The deployment of a model that was placed; None where it is refused.

        Args:
            share: the challenger's; None for the champion.
        """
        excluded = self._excluded.get(tag)
        if tag in self.refused and (excluded is None or excluded.share == share):
            return None
        both = (d for d in (self.champion, self.challenger) if d and d.model.tag == tag)
        try:
            present = next(both, None)
            model = present.model if present else load(tag)
            standing = self._standing(model)
            if _is_excluded(standing, shadow=share == 0):
                self._exclude(model, standing, share)
                return None
            ready = self._changed(present, standing) if present else self._prepared(model, standing)
            return replace(ready, share=share or 0.0)
        except Exception as error:  # a broken file can raise anything
            # Callers read this: no path of the machine; the log has it whole.
            reason = error.what if isinstance(error, YupanaError) else "Its files cannot be read."
            self.refused[tag] = reason
            metrics.RELOAD_REFUSED.labels(self._use_case).inc()
            _LOG.error("%s is refused, the model before it serves on: %s", tag, error)
            return None

    def _prepared(self, model: Model, standing: Standing) -> Deployment:
        """The model with its answers made ready."""
        caveats = (TRIAL,) if standing.trial else ()
        answers = self._preparation.prepare(model, self._sources[0], caveats)
        return Deployment(model, answers, standing)


def _placed(deployment: Deployment) -> Placed:
    return Placed(deployment.model.tag, deployment.share)
