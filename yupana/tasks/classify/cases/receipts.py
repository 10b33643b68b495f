"""Receipts and their secrets: a name that may be read out, and what only its holder has.

The secret is an HMAC of the case's id, so that a request that is sent again is told the same one
and no secret is kept; the database has its SHA-256, by which it is checked even where the key was
changed meanwhile.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass

from yupana.config.settings import Settings
from yupana.core import private_file
from yupana.identity import local_key

LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: nothing that is mistaken for another when it is read aloud."""

PATTERN = "^[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){2}$"
_RECEIPT = re.compile(PATTERN)
_GROUP, _RECEIPT_SIZE, _SECRET_SIZE = 4, 12, 28


@dataclass(frozen=True)
class Receipts:
    """Makes receipts and secrets by a key of this installation."""

    key: bytes

    def secret(self, case_id: str) -> str:
        """The secret of a case: 140 bits, in groups of four."""
        digest = self._digest("secret", case_id)
        return _grouped(int.from_bytes(digest, "big"), _SECRET_SIZE)

    def mark(self, what: str, *parts: str) -> str:
        """An HMAC (hexadecimal) of texts, by which they are known again and cannot be guessed."""
        return self._digest(what, *parts).hex()

    def _digest(self, what: str, *parts: str) -> bytes:
        # With the length of each: no two lists of parts make one text.
        text = "".join(f"{len(part)}:{part}" for part in (what, *parts))
        return hmac.digest(self.key, text.encode("utf-8", "surrogatepass"), hashlib.sha256)


def configured(settings: Settings) -> Receipts:
    """By the key of the settings; this home's own is made on first use.

    Raises:
        UsageError: the file cannot be read.
    """
    path = settings.receipt_key or settings.home / "keys" / "receipts.key"
    if settings.receipt_key is None:
        private_file.create(path, lambda: f"{secrets.token_hex(32)}\n")
    return Receipts(local_key.read(path).encode())


def new_receipt() -> str:
    """A receipt by chance: 60 bits, in groups of four."""
    return _grouped(secrets.randbits(5 * _RECEIPT_SIZE), _RECEIPT_SIZE)


def is_receipt(text: str) -> bool:
    """Whether a text has the form of a receipt."""
    return _RECEIPT.fullmatch(text) is not None


def stored(secret: str) -> bytes:
    """What is kept of a secret: 32 bytes. Groups, blanks and small letters make no difference."""
    plain = re.sub(r"[\s-]", "", secret).upper()
    return hashlib.sha256(plain.encode("utf-8", "surrogatepass")).digest()


def is_right(secret: str, kept: bytes | None) -> bool:
    """Whether a secret is the one of a case; takes as long where there is no such case (None)."""
    same = hmac.compare_digest(stored(secret), kept or bytes(32))
    return same and kept is not None


def _grouped(number: int, size: int) -> str:
    letters = "".join(LETTERS[(number >> (5 * place)) & 31] for place in range(size))
    return "-".join(letters[start : start + _GROUP] for start in range(0, size, _GROUP))
