"""The ledger's key: Ed25519 (RFC 8032), in `keys/ledger.key` of home, readable by its owner alone.

Its public half, `keys/ledger.pub`, is what a verifier needs; copies of it belong elsewhere. Where
`YUPANA_SIGN_LEDGER` is false it is all that is read: the secret one lies where the signer runs.
"""

from __future__ import annotations

import secrets
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from yupana.config.settings import Settings
from yupana.core import private_file
from yupana.core.errors import TerminalError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


NAME = "ledger.key"


def sign(settings: Settings, payload: bytes) -> str:
    """The signature of some bytes, in hexadecimal digits; the key is made on first use.

    Raises:
        TerminalError: the key is lost, cut short, or open to others; or this process does not sign.
    """
    demand(settings)
    return _private(str(key_file(settings))).sign(payload).hex()


def check_signature(settings: Settings, payload: bytes, signature: str) -> bool:
    """Whether the ledger's key made this signature of these bytes."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_key(settings)))
        key.verify(bytes.fromhex(signature), payload)
    except (InvalidSignature, ValueError):
        return False
    return True


def public_key(settings: Settings) -> str:
    """The public key, 64 hexadecimal digits; where this process signs, the pair is made on first
    use.

    Raises:
        TerminalError: as `sign`; or the public half is not there, and this process makes none.
    """
    path = key_file(settings).with_suffix(".pub")
    if settings.sign_ledger:
        _private(str(key_file(settings)))
    elif not path.exists():
        raise TerminalError(
            "The ledger's public key is not there.",
            where=str(path),
            fix="Bring it from where the ledger is signed: `yupana audit key` prints it there.",
        )
    return path.read_text().strip()


def demand(settings: Settings) -> None:
    """Refuse where this process does not sign.

    Raises:
        TerminalError: it does not.
    """
    if not settings.sign_ledger:
        raise TerminalError(
            "This process does not sign, and has no key to do it.",
            where="YUPANA_SIGN_LEDGER=false",
            fix="Run it where keys/ledger.key is, as the account that decides or signs.",
        )


def key_file(settings: Settings) -> Path:
    """Where the secret half lies; the public one is beside it with the ending `.pub`."""
    return settings.home / "keys" / NAME


@lru_cache(maxsize=8)
def _private(name: str) -> Ed25519PrivateKey:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    path = Path(name)
    if not path.exists():
        _make(path)
    text = path.read_text().strip()
    if len(text) != 64 or private_file.is_open(path):
        raise TerminalError(
            "The ledger's key was cut short, or others may read it.",
            where=name,
            fix=f"Restore it from its backup and `chmod 600 {path}`.",
        )
    key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(text))
    _publish(path.with_suffix(".pub"), key.public_key().public_bytes_raw().hex())
    return key


def _make(path: Path) -> None:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    if path.with_suffix(".pub").exists() and not path.exists():
        raise TerminalError(
            "The ledger's key is lost: its public half is there, the secret one is not.",
            where=str(path),
            fix="Restore it from its backup. With another key, nothing signed before would hold.",
        )
    private_file.create(path, lambda: Ed25519PrivateKey.generate().private_bytes_raw().hex())


def _publish(path: Path, text: str) -> None:
    """Write the public half beside a new key; one that is there must be its own."""
    if path.exists():
        if path.read_text().strip() != text:
            raise TerminalError(
                "The ledger's secret key and its public one do not belong together.",
                where=str(path),
                fix="Restore both from their backup.",
            )
        return
    fresh = path.with_suffix(f".{secrets.token_hex(8)}.pub")
    fresh.write_text(f"{text}\n")
    fresh.replace(path)
