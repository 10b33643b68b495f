"""One request over HTTP: sent, sent again after passing trouble, and errors told by type."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from yupana.client.errors import AccessError, AwayError, LimitError, RefusedError, ServiceError

if TYPE_CHECKING:
    import httpx

FIRST_WAIT, LONGEST_WAIT = 0.5, 60.0
"""Seconds before the first retry, and the most before any: a day's quota is not waited for."""
_PASSING = (502, 503, 504)
_UNSENT, _CUT, _FOREIGN = "unsent", "cut", "foreign"
T = TypeVar("T")


class Transport:
    """Sends requests with the key and reads the errors (problem+json, RFC 9457).

    Args:
        timeout: seconds without a byte before the request counts as failed.
        retries: times that a request is sent again.
    """

    def __init__(self, url: str, key: str, timeout: float, retries: int) -> None:
        import httpx

        headers = {"Authorization": f"Bearer {key}"} if key else {}
        # Redirects are not followed: the key is for this address alone.
        self.http = httpx.Client(base_url=url, headers=headers, timeout=timeout)
        self.url, self.retries = url, retries

    def read(
        self,
        parse: Callable[[Any], T],
        method: str,
        path: str,
        *,
        repeatable: bool = True,
        **request: Any,
    ) -> T:
        """The JSON body of a good answer, as `parse` makes of it.

        Args:
            repeatable: False when doing it twice is worse than not knowing whether it was done.
            sent: `json` (a body) and `params` (the query), as httpx takes them.

        Raises:
            AccessError, RefusedError, LimitError, AwayError: see there.
        """
        response = self.send(method, path, repeatable=repeatable, **request)
        try:
            return parse(response.json())
        except (KeyError, TypeError, ValueError) as error:
            raise _foreign(response) from error

    def send(
        self, method: str, path: str, *, repeatable: bool = True, **request: Any
    ) -> httpx.Response:
        """A good answer; raises as `read` does."""
        import tenacity

        backoff = tenacity.wait_exponential_jitter(FIRST_WAIT, LONGEST_WAIT, jitter=FIRST_WAIT)

        def wait(state: tenacity.RetryCallState) -> float:
            trouble = state.outcome.exception() if state.outcome else None
            delay = trouble.retry_after if isinstance(trouble, ServiceError) else None
            return max(backoff(state), delay or 0.0)

        return tenacity.Retrying(
            retry=tenacity.retry_if_exception(lambda error: _passes(error, repeatable)),
            stop=tenacity.stop_after_attempt(self.retries + 1),
            wait=wait,
            reraise=True,
        )(self._once, method, path, request)

    def _once(self, method: str, path: str, request: dict[str, Any]) -> httpx.Response:
        import httpx

        try:
            response = self.http.request(method, path, **request)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise AwayError(
                f"Nothing answers: {error}",
                where=self.url,
                fix="Look at the address, and whether the service runs: yupana serve <use case>.",
                code=_UNSENT,
            ) from error
        except httpx.TransportError as error:
            raise AwayError(
                f"The answer did not arrive: {error or type(error).__name__}.",
                where=self.url,
                fix="Try again later, or give the client a longer timeout.",
                code=_CUT,
            ) from error
        if response.is_success:
            return response
        raise _problem(response)


def _problem(response: httpx.Response) -> ServiceError:
    """The error that an answer tells; also of a proxy that answers in a shape of its own."""
    status = response.status_code
    if status < 400:
        return _foreign(response)
    try:
        problem = response.json()
    except ValueError:
        problem = None
    problem = problem if isinstance(problem, dict) else {}
    after = response.headers.get("Retry-After", "")
    return _kind(status)(
        str(problem.get("title") or f"{status} {response.reason_phrase}".strip()),
        where=str(problem.get("where") or response.url),
        fix=str(problem.get("fix", "")),
        status=status,
        code=str(problem.get("type", "")).removeprefix("urn:yupana:problem:"),
        request_id=str(problem.get("request_id") or response.headers.get("X-Request-ID", "")),
        # The other form of the header, a date, is left to the backoff.
        retry_after=float(after) if after.isascii() and after.isdigit() else None,
    )


def _kind(status: int) -> type[ServiceError]:
    if status in (401, 403):
        return AccessError
    if status == 429:
        return LimitError
    return RefusedError if status < 500 else AwayError


def _foreign(response: httpx.Response) -> AwayError:
    return AwayError(
        f"The answer is not that of a prediction service ({response.status_code}).",
        where=str(response.url),
        fix="Look at the address, and at proxies on the way.",
        status=response.status_code,
        code=_FOREIGN,
    )


def _passes(error: BaseException, repeatable: bool) -> bool:
    """Whether the same request may do better in a while."""
    if not isinstance(error, ServiceError) or (error.retry_after or 0) > LONGEST_WAIT:
        return False
    # Nothing was done: no connection, a limit, a service that is not ready.
    if error.code == _UNSENT or error.status in (429, 503):
        return True
    return repeatable and (error.code == _CUT or error.status in _PASSING)
