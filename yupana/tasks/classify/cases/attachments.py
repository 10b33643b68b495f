"""Files that come with a case: kept as bytes under their SHA-256, and never opened.

What they hold nobody here knows: no name of theirs becomes a path, nothing is unpacked, and a clerk
gets them back as bytes to save.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import re
import secrets
from pathlib import Path

from yupana.config.settings import Settings
from yupana.core.errors import UsageError

MOST, MOST_BYTES = 3, 40_000
"""Of one case: files, and bytes of all of them; the body of a request takes no more."""

_MEDIA = re.compile(r"[a-z0-9][a-z0-9.+-]{0,40}/[a-z0-9][a-z0-9.+-]{0,50}")
UNKNOWN = "application/octet-stream"


def decoded(text: str) -> bytes:
    """The bytes of base64.

    Raises:
        UsageError: it is none.
    """
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise UsageError(
            "Un adjunto no está en base64. / An attachment is not in base64.",
            where="attachments.content",
            fix="Codifique el archivo en base64, sin saltos de línea. / Encode the file in base64, "
            "without line breaks.",
        ) from error


def demand_size(files: list[bytes]) -> None:
    """Refuse more than a case may have.

    Raises:
        UsageError: there are too many, too much of them, or an empty one.
    """
    if len(files) > MOST or sum(map(len, files)) > MOST_BYTES or not all(files):
        raise UsageError(
            "Los adjuntos son demasiados, demasiado grandes o vacíos. / The attachments are too "
            "many, too large or empty.",
            where="attachments",
            fix=f"Envíe a lo más {MOST} archivos y {MOST_BYTES} bytes en total. / Send at most "
            f"{MOST} files and {MOST_BYTES} bytes in all.",
        )


def media_type(text: str) -> str:
    """What the sender says that it is, where that has the form of a media type."""
    kind = text.strip().lower()
    return kind if _MEDIA.fullmatch(kind) else UNKNOWN


def keep(settings: Settings, content: bytes) -> str:
    """Keep bytes, whole or not at all; returns their SHA-256 (hexadecimal)."""
    sha256 = hashlib.sha256(content).hexdigest()
    path = _path(settings, sha256)
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        fresh = path.with_name(f".{sha256}.{secrets.token_hex(8)}")
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        fresh.replace(path)
    return sha256


def read(settings: Settings, sha256: str) -> bytes | None:
    """The bytes of a hash; None where they are not there, or are other bytes by now."""
    try:
        content = _path(settings, sha256).read_bytes()
    except OSError:
        return None
    return content if hashlib.sha256(content).hexdigest() == sha256 else None


def _path(settings: Settings, sha256: str) -> Path:
    return settings.home / "attachments" / sha256[:2] / sha256
