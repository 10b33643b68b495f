"""Which version of the features an answer rests on, while the service runs for weeks."""

from __future__ import annotations

from threading import Lock

from yupana.config.settings import Settings
from yupana.features import store


class FeaturesRef:
    """The reference of the features that are online now.

    Features are published anew every week under a running service; a reference read once at
    its start would make each later trace name the wrong table version. The event log grows by
    one line an answer, so only the lines that are new since the last call are looked at.

    Raises:
        TerminalError: no features were published yet.
    """

    def __init__(self, settings: Settings, use_case: str) -> None:
        self._settings, self._use_case = settings, use_case
        self._lock = Lock()
        self._seen = settings.events.stat().st_size if settings.events.exists() else 0
        self._ref = store.online_ref(settings, use_case)

    def now(self) -> str:
        """For example `delta:features/outbreak_weekly@3`."""
        with self._lock, self._settings.events.open("rb") as stream:
            stream.seek(self._seen)
            new = stream.read()
            # A line that is being written is left for the next call.
            whole = new[: new.rfind(b"\n") + 1]
            if b'"step": "features"' in whole:
                self._ref = store.online_ref(self._settings, self._use_case)
            self._seen += len(whole)
            return self._ref
