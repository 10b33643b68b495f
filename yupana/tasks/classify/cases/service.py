"""The cases of a use case in a running service: what its routes use, and the router at work."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime

from yupana.config.settings import Settings
from yupana.core.errors import record_text
from yupana.identity.keyring import Keyring
from yupana.identity.quotas import Policy
from yupana.predictions.usage import Caller
from yupana.serving.http.addresses import Attempts
from yupana.tasks.classify.cases import notices, receipts, rule_files
from yupana.tasks.classify.cases.case import Person
from yupana.tasks.classify.cases.following import Follower
from yupana.tasks.classify.cases.handling import Desk
from yupana.tasks.classify.cases.intake import Intake, Mask, Seal, mask_text
from yupana.tasks.classify.cases.reading import Reader, Unseal
from yupana.tasks.classify.cases.router import Classify, Router
from yupana.tasks.classify.cases.rules import Rules

_LOG = logging.getLogger(__name__)
GUESSES = Policy("guesses", 20, 900)
"""Wrong secrets of one receipt, and of one address, in a quarter of an hour and worker."""

NOTICE_SECONDS = 60.0
_SEE_ALL = frozenset({"supervisor", "administrator"})


class CaseService:
    """Receives, follows, handles and routes the cases of a use case.

    Args:
        classify: see `Router`.
        rules: default: those of the use case's folder and spec.
        suspended: whether the gate lets no model answer.
        seal, unseal: of originals and contacts; None: they are not kept.
    """

    def __init__(
        self, settings: Settings, use_case: str, classify: Classify, *, rules: Rules | None = None,
        suspended: Callable[[], bool] = lambda: False, mask: Mask = mask_text,
        seal: Seal | None = None, unseal: Unseal | None = None,
    ) -> None:  # fmt: skip
        self.settings, self.use_case, self._unseal = settings, use_case, unseal
        self.rules = rules or rule_files.of_spec(use_case)
        keys = receipts.configured(settings)
        self.intake = Intake(settings, use_case, self.rules, keys, mask, seal)
        self.follower = Follower(settings, use_case, self.rules, mask)
        self.desk = Desk(settings, use_case, self.rules, mask)
        self.reader = Reader(settings, use_case, unseal)
        self.router = Router(settings, use_case, self.rules, classify, suspended)
        self.guesses, self.keyring = Attempts(GUESSES), Keyring(settings.platform_db)
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Route and send notices on threads of their own."""
        for work in (lambda: self.router.follow(self._stop), self._tell):
            thread = threading.Thread(target=work, daemon=True, name="cases")
            self._threads.append(thread)
            thread.start()

    def close(self) -> None:
        """Finish what is being written; what is claimed is left to another router."""
        self._stop.set()
        for thread in self._threads:
            thread.join(timeout=10)

    def person(self, caller: Caller) -> Person:
        """Whose cases a caller may see: a clerk's key names its departments as its agency."""
        account = f"oidc:{caller.key_id}" if caller.key_id[:1] == "@" else f"key:{caller.key_id}"
        if caller.role in _SEE_ALL or not self.settings.require_keys:
            return Person(account, None)
        return Person(account, tuple(part.strip() for part in caller.agency.split(",")))

    def _tell(self) -> None:
        while not self._stop.wait(NOTICE_SECONDS):
            try:
                notices.deliver(self.settings, self._unseal, datetime.now(UTC))
            except Exception as error:
                _LOG.warning("notices wait: %s", record_text(error))
