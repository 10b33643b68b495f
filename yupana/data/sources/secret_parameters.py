"""Parameters of an address whose values sign in: no record, message or contract holds them."""

from __future__ import annotations

import re
from urllib.parse import unquote_plus

from yupana.data.sources.words import plain

# Words of a parameter's name, in lower case without accents.
_WORDS = frozenset(
    ("auth", "clave", "jwt", "key", "llave", "login", "pass", "pwd", "session", "sid", "sig",
     "ticket", "user", "usuario")
)  # fmt: skip
# Parts of one, also where it is written together: `sessionid`, `AWSAccessKeyId`.
_PARTS = (
    "accesskey", "apikey", "authorization", "autorizacion", "bearer", "contrasena", "credencial",
    "credential", "passw", "secret", "sessid", "sessionid", "signature", "token", "userid",
    "username",
)  # fmt: skip
_PARAMETER = re.compile(r"([?&])([^=&#?]+)=([^&#]*)")


def masked(url: str) -> str:
    """The address with `***` for each such value."""
    return _PARAMETER.sub(lambda m: f"{m[1]}{m[2]}=***" if _signs_in(m[2]) else m[0], url)


def _signs_in(name: str) -> bool:
    text = plain(re.sub(r"(?<=[a-z])(?=[A-Z])", "_", unquote_plus(name)))
    words = re.split(r"[^a-z0-9]+", text)
    together = "".join(words)
    return bool(_WORDS & set(words)) or any(part in together for part in _PARTS)
