"""Bearer tokens of an OpenID Connect issuer: its keys by discovery, and the check of a token.

OpenID Connect Discovery 1.0 (section 4) and RFC 8725: the algorithm is that of the issuer's key,
never what the token asks for; what the issuer sends is bounded in size and time, and no redirect
is followed. (`jwt.PyJWKClient` follows redirects, bounds no size, and asks the issuer anew for each
unknown key id; tokens and keys themselves are read by PyJWT.)
"""

from __future__ import annotations

import hashlib
import json
import logging
import time
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from yupana.config.settings import Settings
from yupana.core.errors import UsageError
from yupana.identity import api_keys, quotas, roles
from yupana.identity.keyring import Grant

_LOG = logging.getLogger(__name__)
LEEWAY_SECONDS = 30
FRESH_SECONDS = 300.0
"""Age from which the keys are read anew: one that the issuer withdrew is refused after this."""
TRUST_SECONDS = 3600.0
"""How long the keys of an issuer that does not answer are good."""
WAIT_SECONDS = 30.0
"""A token with an unknown key id makes the service ask the issuer once in this time at most."""
AGAIN_SECONDS = 5.0
"""Time between two attempts when the issuer does not answer."""
MOST_BYTES, MOST_SECONDS, MOST_KEYS = 1 << 20, 5.0, 64
LONGEST_TOKEN = 8192
LEAST_RSA_BITS = 2048
# By the kind of a key: the algorithm, and the curve. None of them takes a shared secret.
_ALGORITHMS = {"RSA": ("RS256", None), "EC": ("ES256", "P-256"), "OKP": ("EdDSA", "Ed25519")}
_ALLOWED = frozenset(name for name, _ in _ALGORITHMS.values())
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_REASONS = {
    "ExpiredSignatureError": "expired",
    "ImmatureSignatureError": "early",
    "InvalidSignatureError": "signature",
    "InvalidAudienceError": "audience",
    "InvalidIssuerError": "issuer",
    "MissingRequiredClaimError": "claims",
}


@dataclass(frozen=True)
class Token:
    """What a token that the issuer signed is good for; `issued` in seconds since 1970."""

    grant: Grant
    issued: float


class Issuer:
    """The issuer that the settings name, as one worker knows it.

    Raises:
        UsageError: its address is not https (http is for this machine alone), there is no
            audience, or a limit that is none.
    """

    def __init__(self, settings: Settings) -> None:
        self.url, self.audience = settings.oidc_issuer, settings.oidc_audience
        self._roles_claim = settings.oidc_roles_claim
        self._agency_claim = settings.oidc_agency_claim
        rate, quota = settings.oidc_rate, settings.oidc_quota
        limits = quotas.parse("rate", rate), quotas.parse("quota", quota)
        self._policies = tuple(limit for limit in limits if limit)
        if not _is_safe(self.url) or not self.audience:
            raise UsageError(
                "The issuer of tokens needs an https address and an audience.",
                where="YUPANA_OIDC_ISSUER, YUPANA_OIDC_AUDIENCE",
                fix="For example https://sso.example.gob.pe/realms/salud and yupana.",
            )
        self._keys: dict[tuple[str, str], Any] = {}
        self._fresh = self._tried = float("-inf")

    def age(self) -> float:
        """Seconds since the keys were last read."""
        return time.monotonic() - self._fresh

    def away(self) -> bool:
        """Whether the issuer did not answer when it was last asked."""
        return self._fresh < self._tried

    def due(self, *, unknown: bool) -> bool:
        """Whether to read the keys: they are old, or a token names one that is not known."""
        waited = time.monotonic() - self._tried
        least = AGAIN_SECONDS if self.away() else WAIT_SECONDS
        return waited > least and (unknown or self.age() > FRESH_SECONDS)

    def refresh(self) -> None:
        """Read the keys by discovery; blocks. The old ones stay when the issuer does not answer."""
        import httpx

        self._tried = time.monotonic()
        try:
            described = _read(f"{self.url.rstrip('/')}/.well-known/openid-configuration")
            if described.get("issuer") != self.url:
                raise ValueError("it calls itself by another name")
            self._keys = _signing(_read(described["jwks_uri"]))
            self._fresh = self._tried
        except (
            httpx.HTTPError, httpx.InvalidURL, ValueError, KeyError, TypeError, RecursionError,
        ) as error:  # fmt: skip
            _LOG.warning("the issuer of tokens gives no keys: %s: %s", type(error).__name__, error)

    def check(self, token: str) -> tuple[Token | None, str]:
        """What a token is good for, or why it is refused; asks nobody.

        Returns:
            The token and "" when it is good; the token and `role` or `agency` when the issuer
            signed it for a person without exactly one role, or without an agency; else None
            and one of `malformed`, `algorithm`, `kid` (an unknown key), `signature`, `expired`,
            `early`, `audience`, `issuer`, `claims`.
        """
        import jwt

        try:
            if len(token) > LONGEST_TOKEN:
                return None, "malformed"
            header = jwt.get_unverified_header(token)
            algorithm = header.get("alg")
            if algorithm not in _ALLOWED:
                return None, "algorithm"
            key = self._keys.get((header.get("kid", ""), algorithm))
            if key is None:
                return None, "kid"
            claims = jwt.decode(
                token,
                key,
                algorithms=[algorithm],
                audience=self.audience,
                issuer=self.url,
                leeway=LEEWAY_SECONDS,
                options={"require": ["iss", "aud", "sub", "exp", "iat"]},
            )
        except (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError) as error:
            return None, _REASONS.get(type(error).__name__, "malformed")
        return self._granted(claims)

    def _granted(self, claims: Mapping[str, Any]) -> tuple[Token, str]:
        claim = _claim(claims, self._roles_claim)
        names = claim if isinstance(claim, list) else [claim]
        mine = [name for name in roles.ROLES if name in names]
        agency = _claim(claims, self._agency_claim)
        has_agency = isinstance(agency, str) and bool(api_keys.AGENCY.fullmatch(agency))
        # Several roles are refused: whichever were chosen, it would be too wide or too narrow.
        role = mine[0] if len(mine) == 1 else ""
        grant = Grant(
            subject_id(self.url, claims["sub"]),
            str(agency) if has_agency else "",
            role,
            roles.scopes_of(role) if role else (),
            self._policies,
        )
        reason = "" if role and has_agency else "agency" if role else "role"
        return Token(grant, float(claims["iat"])), reason


def configured(settings: Settings) -> Issuer | None:
    """The issuer of the settings; None when they name none."""
    return Issuer(settings) if settings.oidc_issuer else None


def subject_id(issuer: str, subject: str) -> str:
    """The id by which a subject is counted, limited and logged: its name stays with the issuer."""
    digest = hashlib.sha256(f"{issuer}\n{subject}".encode("utf-8", "surrogatepass")).digest()
    return f"@{urlsafe_b64encode(digest)[:11].decode()}"


def _claim(claims: Mapping[str, Any], name: str) -> Any:
    """A claim by its name, or by a path such as realm_access.roles."""
    if name in claims:
        return claims[name]
    value: Any = claims
    for part in name.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def _is_safe(url: Any) -> bool:
    if not isinstance(url, str):
        return False
    parts = urlsplit(url)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)


def _read(url: str) -> dict[str, Any]:
    """A JSON object from an address; ValueError when it is none, too big, too slow or moved."""
    import httpx

    if not _is_safe(url):
        raise ValueError("an address that is not https")
    end, body = time.monotonic() + MOST_SECONDS, b""
    plain = {"Accept": "application/json", "Accept-Encoding": "identity"}
    with (
        httpx.Client(timeout=2, follow_redirects=False, headers=plain) as client,
        client.stream("GET", url) as answer,
    ):
        if answer.status_code != 200:
            raise ValueError(f"status {answer.status_code}")
        for part in answer.iter_raw():
            body += part
            if len(body) > MOST_BYTES or time.monotonic() > end:
                raise ValueError("too much, or too slow")
    content = json.loads(body)
    if not isinstance(content, dict):
        raise ValueError("no JSON object")
    return content


def _signing(described: dict[str, Any]) -> dict[tuple[str, str], Any]:
    """The keys of a JWK set (RFC 7517) that may sign, by id and algorithm."""
    import jwt

    keys: dict[tuple[str, str], Any] = {}
    for jwk in described["keys"][:MOST_KEYS]:
        if not isinstance(jwk, dict):
            continue
        algorithm, curve = _ALGORITHMS.get(str(jwk.get("kty")), ("", None))
        fits = jwk.get("alg", algorithm) == algorithm and jwk.get("crv") == curve
        if not algorithm or not fits or jwk.get("use", "sig") != "sig" or "d" in jwk:
            continue
        try:
            key = jwt.PyJWK(jwk, algorithm)
        except (jwt.PyJWTError, ValueError, TypeError, KeyError):
            continue
        if curve or key.key.key_size >= LEAST_RSA_BITS:
            keys[str(jwk.get("kid", "")), algorithm] = key
    if not keys:
        raise ValueError("no key that may sign")
    return keys
