"""Ask a web server: what it may do wrong, what is tried again, and what no message may show."""

from __future__ import annotations

import logging
import re
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.message import Message
from email.utils import parsedate_to_datetime
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar
from urllib.parse import unquote

from yupana.config.settings import Settings
from yupana.core import foreign_json
from yupana.core.errors import TerminalError, TransientError
from yupana.data.sources import origin, secret_parameters

if TYPE_CHECKING:
    import httpx

T = TypeVar("T")
_AGAIN = (408, 425, 429)
_LONGEST_WAIT = 60.0
# A server that wants more patience than this is asked again by the next run.
_MOST_PATIENCE = 300.0
_MOST_JSON = 256 << 20
_FIXES = {
    401: "The address needs a log-in: give it as --source https://user:password@…, never in the "
    "contract; or ask the publisher for an open address.",
    403: "The portal's firewall refuses this user agent, or the file is closed: set "
    "YUPANA_USER_AGENT to a browser's.",
    418: "The portal's firewall refuses this user agent: set YUPANA_USER_AGENT to a browser's.",
    404: "The file has moved: look for its new address on the publisher's page.",
    410: "The file was withdrawn: look for its new address on the publisher's page.",
}


class RefusedError(TerminalError):
    """The server said no, and will again. `status` is its HTTP status."""

    def __init__(self, what: str, *, status: int, where: str, fix: str) -> None:
        super().__init__(what, where=where, fix=fix)
        self.status = status


class PassingError(Exception):
    """Outside trouble worth another try after `pause` seconds or more."""

    def __init__(self, what: str, pause: float = 0.0) -> None:
        super().__init__(what)
        self.pause = pause


@contextmanager
def client(settings: Settings, *, stay: bool = False) -> Iterator[httpx.Client]:
    """A client that follows redirects and asks for bytes as they are, so that they can resume.

    Args:
        stay: a redirect to another origin is refused, not only one into this network.
    """
    import httpx

    hold = origin.require_same if stay else origin.require_outward

    def follow(response: httpx.Response) -> None:
        if response.has_redirect_location:
            hold(response.url, response.url.join(response.headers["location"]))

    # At INFO it logs whole addresses, with the secrets of their queries.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    headers = {"User-Agent": settings.user_agent, "Accept-Encoding": "identity"}
    with httpx.Client(
        headers=headers,
        timeout=settings.http_timeout,
        follow_redirects=True,
        event_hooks={"response": [follow]},
    ) as session:
        yield session


def masked(url: str) -> str:
    """A URL for records and messages: without user, password, and secrets in its query."""
    bare = re.sub(r"(?<=://)[^/?#]*@", "", url)
    return secret_parameters.masked(bare)


def public(url: str) -> str:
    """A URL for a contract: without user, password, and the parameters whose values `masked`
    hides."""
    if (bare := masked(url)) == url:
        return url
    address, hash_, fragment = bare.partition("#")
    path, _, query = address.partition("?")
    parameters = "&".join(part for part in query.split("&") if not part.endswith("=***"))
    return path + f"?{parameters}" * bool(parameters) + hash_ + fragment


class Address(NamedTuple):
    """A URL without what signs in, and apart from it the user and password."""

    url: httpx.URL
    user: tuple[str, str] | None


def parse(url: str) -> Address:
    """A URL with its accents and spaces encoded, and apart from it the user and password.

    Raises:
        TerminalError: this is no web address.
    """
    import httpx

    try:
        address = httpx.URL(url.strip())
    except (httpx.InvalidURL, UnicodeError):
        # The library's own words may hold a piece of a password.
        address = httpx.URL("")
    if address.scheme not in ("http", "https") or not address.host:
        raise TerminalError(
            "This is not a web address.",
            where=masked(url),
            fix="Give http:// or https:// with a host; encode what is special in a password.",
        )
    user = (address.username, address.password) if address.userinfo else None
    return Address(address.copy_with(userinfo=None, fragment=None), user)


def persist(settings: Settings, work: Callable[[], T], *, where: str, first_wait: float) -> T:
    """Do `work`, and again after passing trouble, waiting twice as long each time.

    Args:
        where: the address, masked.
        first_wait: seconds before the first retry, give or take.

    Raises:
        TransientError: the trouble lasted through all retries.
    """
    import tenacity

    backoff = tenacity.wait_exponential_jitter(first_wait, _LONGEST_WAIT, jitter=first_wait)

    def wait(state: tenacity.RetryCallState) -> float:
        trouble = state.outcome.exception() if state.outcome else None
        pause = trouble.pause if isinstance(trouble, PassingError) else 0.0
        return max(backoff(state), pause)

    retrying = tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(PassingError),
        stop=tenacity.stop_after_attempt(settings.http_retries + 1),
        wait=wait,
        reraise=True,
    )
    try:
        return retrying(work)
    except PassingError as error:
        raise TransientError(
            f"The server could not be read in {settings.http_retries + 1} tries: {error}",
            where=where,
            fix="Run it again later; what has come so far is kept. YUPANA_HTTP_RETRIES and "
            "YUPANA_HTTP_TIMEOUT give it more patience.",
        ) from error


@contextmanager
def request(
    client: httpx.Client, url: httpx.URL, user: tuple[str, str] | None, headers: dict[str, str]
) -> Iterator[httpx.Response]:
    """The answer to a GET, its body not read yet; trouble on the way becomes our errors.

    Raises:
        PassingError: no connection, silence, or a body that ends early.
        TerminalError: a certificate that is not trusted, or redirects in a circle.
    """
    import httpx

    where = masked(str(url))
    try:
        with client.stream("GET", url, auth=user, headers=headers) as response:
            yield response
    except (httpx.UnsupportedProtocol, httpx.TooManyRedirects, httpx.InvalidURL) as error:
        raise TerminalError(
            f"The address leads nowhere: {masked(str(error))}", where=where, fix=_FIXES[404]
        ) from error
    except httpx.RequestError as error:
        if _untrusted(error):
            raise TerminalError(
                f"The server's certificate is not trusted: {error}",
                where=where,
                fix="Tell the publisher (often its chain is incomplete); meanwhile add the missing "
                "certificate to a bundle and name it in SSL_CERT_FILE.",
            ) from error
        raise PassingError(f"{type(error).__name__}: {error or 'no answer in time'}") from error


def _untrusted(error: BaseException | None) -> bool:
    while error:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        error = error.__cause__ or error.__context__
    return False


def require_good(response: httpx.Response, expected: tuple[int, ...] = (200,)) -> None:
    """Let an expected status pass.

    Raises:
        PassingError: 408, 425, 429 or 5xx, with the wait that the server asks for.
        RefusedError: any other.
    """
    status = response.status_code
    if status in expected:
        return
    where = masked(str(response.url))
    what = f"The server answered {status} {response.reason_phrase}".strip()
    if status in _AGAIN or status >= 500:
        pause = _retry_after(response.headers.get("retry-after", ""))
        if pause > _MOST_PATIENCE:
            raise TransientError(
                f"{what} and asks to wait {pause:,.0f} seconds.", where=where, fix="Run it later."
            )
        raise PassingError(what, pause)
    fix = _FIXES.get(status, "Open the address in a browser to see what the server says.")
    raise RefusedError(f"{what}.", status=status, where=where, fix=fix)


def _retry_after(value: str) -> float:
    """Seconds that a Retry-After header asks for: a number or a date."""
    if value.strip().isdigit():
        return float(value)
    try:
        then = parsedate_to_datetime(value)
    except ValueError:
        return 0.0
    then = then if then.tzinfo else then.replace(tzinfo=UTC)
    return max(0.0, (then - datetime.now(UTC)).total_seconds())


def get_json(
    settings: Settings, client: httpx.Client, url: str, params: dict[str, str], first_wait: float
) -> Any:
    """The JSON that an API answers.

    Raises:
        RefusedError: the API says no.
        TerminalError: the answer is not JSON.
        TransientError: outside trouble that lasted through all retries.
    """
    target, user = parse(url)
    target = target.copy_merge_params(params) if params else target
    where = masked(str(target))

    too_big = TerminalError(
        f"The answer is bigger than {_MOST_JSON >> 20} MiB.",
        where=where,
        fix="This is hardly the portal's API: check its address.",
    )

    def work() -> bytes:
        with request(client, target, user, {"Accept": "application/json"}) as response:
            return content(response, _MOST_JSON, too_big)

    body = persist(settings, work, where=where, first_wait=first_wait)
    try:
        return foreign_json.loads(body)
    except ValueError as error:
        raise TerminalError(
            "The portal's API did not answer with JSON.",
            where=where,
            detail=repr(body[:80]),
            fix="Check the portal's address and kind (ckan+ or dkan+); it may be out of order.",
        ) from error


def content(response: httpx.Response, most: int, too_big: TerminalError) -> bytes:
    """The bytes of a good answer; `too_big` is raised where there are more than `most`."""
    require_good(response)
    body = bytearray()
    for block in response.iter_bytes():
        body += block
        if len(body) > most:
            raise too_big
    return bytes(body)


def file_name(response: httpx.Response) -> str:
    """The file's name: what the server calls it, else the end of the address."""
    header = Message()
    header["content-disposition"] = response.headers.get("content-disposition", "")
    candidate = header.get_filename() or unquote(PurePosixPath(response.url.path).name)
    name = re.sub(r"[^\w. -]+", "_", PurePosixPath(candidate).name).lstrip(". ")[-100:]
    return f"file_{name}" if name in ("", "done.json", "version.json", "data.part") else name
