"""What a service, or the way to it, can answer instead of an answer."""

from __future__ import annotations

from yupana.core.errors import TerminalError, TransientError, YupanaError


class ServiceError(YupanaError):
    """Base of all errors of the client.

    Args:
        title: what happened; a service says it in Spanish and English.
        where: the part of the request, or the address.
        fix: how to mend it.
        status: HTTP status; 0 when no answer came.
        code: the problem's name, such as `unknown_entity`; "" when none was told.
        request_id: what to tell the platform's operators.
        retry_after: seconds that the service asked to wait; None when it did not.
    """

    def __init__(
        self,
        title: str,
        *,
        where: str = "",
        fix: str = "",
        status: int = 0,
        code: str = "",
        request_id: str = "",
        retry_after: float | None = None,
    ) -> None:
        super().__init__(title, where=where, fix=fix)
        self.status, self.code, self.request_id = status, code, request_id
        self.retry_after = retry_after

    @property
    def title(self) -> str:
        return self.what

    def __str__(self) -> str:
        text = super().__str__()
        return f"{text}\n  request: {self.request_id}" if self.request_id else text


class RefusedError(ServiceError, TerminalError):
    """The request is not valid (4xx): sent again, it is refused again."""


class AccessError(RefusedError):
    """The key is missing, not good, or does not open this address (401, 403)."""


class LimitError(ServiceError, TransientError):
    """A limit of the key is reached for longer than the client waits (429)."""


class AwayError(ServiceError, TransientError):
    """The service failed, did not answer in time, or is not there."""
