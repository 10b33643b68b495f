"""Signed as https://www.standardwebhooks.com asks, so that a receiver checks it by a library."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets

PREFIX, LEAST, MOST = "whsec_", 24, 64
"""A secret is the prefix, and so many bytes in base64."""


def new_secret() -> str:
    """A random secret of 32 bytes, as a receiver's library takes it."""
    return f"{PREFIX}{base64.b64encode(secrets.token_bytes(32)).decode()}"


def key_of(secret: str) -> bytes | None:
    """The bytes of a secret; None where it is none."""
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        return None
    return key if secret.startswith(PREFIX) and LEAST <= len(key) <= MOST else None


def headers(key: bytes, name: str, data: bytes, moment: int) -> dict[str, str]:
    """The headers by which a receiver knows who sent these bytes, and when.

    Args:
        name: of the message, the same for each try.
        moment: Unix seconds.
    """
    mark = hmac.digest(key, f"{name}.{moment}.".encode() + data, hashlib.sha256)
    return {
        "webhook-id": name,
        "webhook-timestamp": str(moment),
        "webhook-signature": f"v1,{base64.b64encode(mark).decode()}",
    }
