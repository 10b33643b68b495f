"""Originals of masked texts, sealed: for a data set whose legal basis lets them be kept.

AES-256-GCM (NIST SP 800-38D) of the library cryptography. The key lies outside the lake, each text
is bound to its record's id, and whoever reads one says who and why: the ledger keeps that.
"""

from __future__ import annotations

import secrets
from datetime import datetime
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from yupana.config.settings import Settings
from yupana.core import private_file
from yupana.core.errors import TerminalError, UsageError
from yupana.core.locks import one_at_a_time
from yupana.core.progress import Silent
from yupana.ledger import entries, pseudonyms, writer
from yupana.privacy.mask import mask

_MAGIC = b"yv1"
_ID_BYTES, _KEY_BYTES, _NONCE_BYTES = 8, 32, 12
_HEADER = len(_MAGIC) + _ID_BYTES
_LONGEST_REASON = 300


def seal(settings: Settings, text: str, record: str) -> bytes:
    """Encrypt a text under the key in use, for one record alone.

    Args:
        record: the id under which it is kept, without personal data (`complaints/<text id>`).

    Raises:
        TerminalError: the key file is cut short or open to others.
    """
    name, key = list(_keys(settings).items())[-1]
    header, nonce = _MAGIC + name, secrets.token_bytes(_NONCE_BYTES)
    # Halves of a character, which UTF-8 has no bytes for, come back as they were.
    plain = text.encode("utf-8", "surrogatepass")
    return header + nonce + AESGCM(key).encrypt(nonce, plain, header + record.encode())


def unseal(
    settings: Settings, sealed: bytes, record: str,
    *, reader: str, reason: str, now: datetime | None = None,
) -> str:  # fmt: skip
    """The text of a record; that it was read is in the ledger before it is returned.

    Args:
        reader: the account that reads (`os:ana`, a key's id); stands there by a pseudonym.
        reason: why; stands there masked.

    Raises:
        UsageError: no reader or no reason.
        TerminalError: it was sealed for another record, changed, or under a key that is not there.
    """
    if not reader.strip() or not reason.strip():
        raise UsageError(
            "An original is read by somebody, for a reason.",
            where=record,
            fix="Say who reads and why: both are kept in the ledger.",
        )
    text = _opened(settings, sealed, record)
    facts = {"what": "original", "why": mask(reason).text[:_LONGEST_REASON]}
    actor = pseudonyms.pseudonym(settings, reader, now)
    writer.append(settings, [entries.Entry("access", record, facts, actor)], now=now)
    return text


def rotate(settings: Settings) -> str:
    """Take a new key into use and return its id; older ones still read what they sealed."""
    path = _path(settings)
    with one_at_a_time(settings.lock("vault"), "a rotation of the vault's key", Silent()):
        _keys(settings)
        line = _fresh()
        private_file.replace(path, path.read_text() + line)
    name = line.split()[0]
    writer.append(settings, [entries.Entry("key", path.name, {"what": "rotate", "id": name})])
    return name


def _opened(settings: Settings, sealed: bytes, record: str) -> str:
    header, rest = sealed[:_HEADER], sealed[_HEADER:]
    key = _keys(settings).get(header[len(_MAGIC) :])
    if not header.startswith(_MAGIC) or len(rest) <= _NONCE_BYTES or key is None:
        raise TerminalError(
            "The original is sealed under a key that is not there, or is no sealed text.",
            where=record,
            fix=f"Restore {_path(settings)} from its backup: it holds a line for each key.",
        )
    nonce, secret = rest[:_NONCE_BYTES], rest[_NONCE_BYTES:]
    try:
        plain = AESGCM(key).decrypt(nonce, secret, header + record.encode())
    except InvalidTag as error:
        raise TerminalError(
            "The original was changed, or was sealed for another record.",
            where=record,
            fix="Take it from its backup, under the id that it was sealed for.",
        ) from error
    return plain.decode("utf-8", "surrogatepass")


def _path(settings: Settings) -> Path:
    return settings.vault_key or settings.home / "keys" / "vault.key"


def _fresh() -> str:
    return f"{secrets.token_hex(_ID_BYTES)} {secrets.token_hex(_KEY_BYTES)}\n"


def _keys(settings: Settings) -> dict[bytes, bytes]:
    """Keys by their ids, the one in use last; the first is made on first use."""
    path = _path(settings)
    if private_file.create(path, _fresh):
        writer.append(settings, [entries.Entry("key", path.name, {"what": "create"})])
    try:
        pairs = (map(bytes.fromhex, line.split()) for line in path.read_text().splitlines())
        keys: dict[bytes, bytes] = dict(pairs)  # type: ignore[arg-type]
    except ValueError:
        keys = {}
    whole = all(len(n) == _ID_BYTES and len(k) == _KEY_BYTES for n, k in keys.items())
    if not keys or not whole or private_file.is_open(path):
        raise TerminalError(
            "The vault's key file is cut short, or others may read it.",
            where=str(path),
            fix=f"Restore it from its backup and `chmod 600 {path}`; without its keys, no original "
            "can be read.",
        )
    return keys
