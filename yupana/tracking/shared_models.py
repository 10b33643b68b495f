"""A model on its way from one platform to another: what the publisher signs, the receiver checks.

`metadata.json` lies beside the model's folder in the exchange. It lists every file by its SHA-256
and is signed by the publisher's ledger key (Ed25519, RFC 8032). Who receives it trusts neither
folder nor file: only a key, or a hash, that came by another way.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from yupana.config.settings import Settings
from yupana.core import foreign_json, plain_files
from yupana.core.errors import TerminalError, UsageError
from yupana.core.hashing import file_sha256, value_sha256
from yupana.core.types import MOST_VERSION
from yupana.ledger import signing, verifier, witness

TYPE = "shared"
METADATA = "metadata.json"


@dataclass(frozen=True)
class Trust:
    """What says that a model is the publisher's; one of both is needed.

    Attributes:
        key: the publisher's public key, 64 hexadecimal digits (`yupana audit key` prints it).
        sha256: the model's hash as the publisher said it (`sha256` of its metadata).
    """

    key: str = ""
    sha256: str = ""


@dataclass(frozen=True)
class Metadata:
    """A version as its publisher listed it: SHA-256 of each file by its name."""

    use_case: str
    version: int
    files: dict[str, str]

    @property
    def ref(self) -> str:
        """Its reference in the exchange."""
        return f"shared:{self.use_case}@{self.use_case}-v{self.version}"


@dataclass(frozen=True)
class SharedModel:
    """A model that was checked, in a folder that no one else writes to."""

    version: int
    folder: Path


def sealed(settings: Settings, facts: dict[str, Any]) -> dict[str, Any]:
    """Facts of a version with the publisher's key and signature."""
    plain = json.loads(json.dumps(facts, default=str))
    public = signing.public_key(settings)
    return witness.sealed(settings, {**plain, "publisher_key": public, "type": TYPE})


def hashes(folder: Path) -> dict[str, str]:
    """SHA-256 of each file of a folder, by its name.

    Raises:
        TerminalError: something in it is no plain file (`plain_files.names`).
    """
    return {name: file_sha256(folder / name) for name in plain_files.names(folder)}


def sha256(files: dict[str, str]) -> str:
    """One hash for all files (`hashes`) of a model."""
    return value_sha256(sorted(files.items()))


def metadata(use_case: str, path: Path, trust: Trust) -> Metadata:
    """What the publisher says of a model, once it is known to be theirs.

    Raises:
        UsageError: nothing was given to trust, or it is no key or hash.
        TerminalError: there is no metadata, or it is not the publisher's or of another model.
    """
    facts = _facts(path)
    _demand_trust(facts, path, trust)
    version = str(facts.get("version", ""))
    # Of 7 digits at most: Python refuses to read thousands of them.
    right = version.isdecimal() and len(version) <= 7 and 0 < int(version) <= MOST_VERSION
    if facts.get("name") != use_case or not right:
        raise TerminalError(
            f"This is no shared version of '{use_case}': {facts.get('name')} {version[:20]}.",
            where=str(path),
            fix=f"Get models/{use_case}/{METADATA} of the exchange.",
        )
    return Metadata(use_case, int(version), facts["files"])


@contextmanager
def received(settings: Settings, folder: Path, published: Metadata) -> Iterator[SharedModel]:
    """A copy of a shared model, for as long as it is being adopted, that is what its publisher
    shared: files, names and bytes.

    Raises:
        TerminalError: the folder has other files than were published, or what is no plain file.
    """
    settings.home.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".adopt-", dir=settings.home) as own:
        copy = Path(own) / "model"
        copy.mkdir()
        plain_files.copy(folder, copy)
        _demand_files(published.files, hashes(copy), folder)
        yield SharedModel(published.version, copy)


def _facts(path: Path) -> dict[str, Any]:
    try:
        facts = foreign_json.loads(plain_files.text(path))
    except FileNotFoundError as error:
        raise TerminalError(
            "The shared model has no metadata: what its publisher signed is missing.",
            where=str(path),
            fix=f"Get it beside the model (dvc get EXCHANGE models/USE_CASE/{METADATA}), or name "
            "it: --metadata FILE.",
        ) from error
    except ValueError as error:
        raise TerminalError(
            f"The metadata is not JSON: {error}.",
            where=str(path),
            fix="Get it again from the exchange.",
        ) from error
    if not isinstance(facts, dict) or not isinstance(facts.get("files"), dict):
        raise TerminalError(
            "The metadata lists no files.",
            where=str(path),
            fix="Ask the publisher to share the model again, with the present release.",
        )
    return facts


def _demand_trust(facts: dict[str, Any], path: Path, trust: Trust) -> None:
    if not trust.key and not trust.sha256:
        raise UsageError(
            "Nothing says that this model is its publisher's.",
            where=str(path),
            fix="Give the publisher's key (--publisher theirs.pub, which `yupana audit key` prints "
            "there) or the hash that they told you (--sha256 HASH); not from the exchange itself.",
        )
    if trust.key and not verifier.signed(_key(trust.key), facts, TYPE):
        raise TerminalError(
            "The metadata was not signed by this publisher's key, or was changed since.",
            where=str(path),
            fix="Do not use it. Compare the key with the publisher's, and get the model again.",
        )
    if trust.sha256 and trust.sha256.strip().lower() != sha256(facts["files"]):
        raise TerminalError(
            f"The metadata's files have the hash {sha256(facts['files'])}, not the one given.",
            where=str(path),
            fix="Do not use it. Ask the publisher which hash the version has, and get it again.",
        )


def _key(text: str) -> Ed25519PublicKey:
    try:
        return Ed25519PublicKey.from_public_bytes(bytes.fromhex(text.strip()))
    except ValueError as error:
        raise UsageError(
            "This is no public key: it has 64 hexadecimal digits.",
            where="--publisher",
            fix="Use the file that `yupana audit key` prints on the publisher's platform.",
        ) from error


def _demand_files(listed: dict[str, str], present: dict[str, str], folder: Path) -> None:
    differing = sorted(n for n in listed | present if listed.get(n) != present.get(n))
    if not differing:
        return
    name = differing[0]
    what = "is not among the files that were shared"
    if name in listed:
        what = "was changed" if name in present else "is missing"
    more = f", and {len(differing) - 1} more differ" if differing[1:] else ""
    raise TerminalError(
        f"'{name}' {what}{more}.",
        where=str(folder / name),
        fix="Get the folder again from the exchange; nothing was adopted.",
    )
