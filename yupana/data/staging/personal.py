"""What is done with personal data: pseudonyms, and masks in free text.

A pseudonym is keyed, one-way, and different in every data set and column:

HMAC-SHA-256 (RFC 2104) as ENISA's report on pseudonymisation (2019) recommends. The key lies
outside the lake: who holds the tables cannot try out names or identity numbers.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from yupana.config.settings import Settings
from yupana.core import private_file
from yupana.core.errors import TerminalError
from yupana.core.hashing import pseudonym
from yupana.core.types import DatasetRef
from yupana.data.contracts.contract import Contract
from yupana.data.lake import reading
from yupana.ledger import entries, writer
from yupana.privacy.kinds import Kind
from yupana.privacy.mask import mask

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

_KEY_BYTES = 32


def treat(rows: DataFrame, contract: Contract, settings: Settings) -> DataFrame:
    """Replace every value of the columns that the contract has pseudonymised or masked."""
    from pyspark.sql import functions as f

    for column in contract.columns:
        if column.treatment == "pseudonymise":
            # A function and not SQL: the key must not stand in a plan that an error could print.
            change = _renamer(_key(settings), f"{contract.name}.{column.name}")
        elif column.treatment == "mask":
            change = _masked
        else:
            continue
        treated = f.udf(change, "STRING", useArrow=True)
        # Cast: Spark says `string collate UTF8_BINARY` of a function's text, which delta-rs cannot
        # read in a table.
        rows = rows.withColumn(column.name, treated(column.name).cast("string"))
    return rows


def masked_by_kind(contract: Contract, staged: DatasetRef) -> dict[str, int]:
    """How often each placeholder stands in the masked columns of a staged table.

    A placeholder that the publisher wrote himself counts too.
    """
    import pyarrow.compute as pc
    from deltalake import DeltaTable

    names = [c.name for c in contract.columns if c.treatment == "mask"]
    if not names:
        return {}
    texts = reading.dataset(DeltaTable(staged.path, version=staged.version)).to_table(names)
    counts = {
        kind.value: sum(
            pc.sum(pc.count_substring(texts[name], kind.placeholder)).as_py() or 0 for name in names
        )
        for kind in Kind
    }
    return {kind: count for kind, count in counts.items() if count}


def _masked(text: str | None) -> str | None:
    return None if text is None else mask(text).text


def _renamer(key: bytes, domain: str) -> Callable[[str | None], str | None]:
    def rename(value: str | None) -> str | None:
        return pseudonym(key, domain, value)

    return rename


def _key(settings: Settings) -> bytes:
    """The platform's key, made on first use and readable by its owner alone.

    Raises:
        TerminalError: the key file was cut short or opened to others.
    """
    path: Path = settings.pseudonym_key or settings.home / "keys" / "pseudonym.key"
    if private_file.create(path, lambda: secrets.token_hex(_KEY_BYTES)):
        writer.append(settings, [entries.Entry("key", path.name, {"what": "create"})])
    text = path.read_text().strip()
    if len(text) < 2 * _KEY_BYTES or private_file.is_open(path):
        raise TerminalError(
            "The key for pseudonyms is too short, or others may read it.",
            where=str(path),
            fix=f"Restore it from its backup and `chmod 600 {path}`; a new key breaks the links "
            "to tables that are published.",
        )
    return bytes.fromhex(text)
