"""Objects kept whole (PDF, image, text): a table of what they are, one row an object.

The bytes stay in the landing zone under their hash; the table makes them findable.
"""

from __future__ import annotations

import mimetypes
from datetime import UTC, datetime
from pathlib import Path

from yupana.config.settings import Settings
from yupana.core.types import DatasetRef, RawObject
from yupana.data.contracts.contract import Contract
from yupana.data.lake import delta


def publish(settings: Settings, contract: Contract, raw: RawObject, facts: str) -> DatasetRef:
    """Add one object to the published table by its hash, in one commit.

    Columns: `source_sha256`, `name`, `media_type`, `bytes`, `source`, `path`, `published_at`.
    """
    import pyarrow as pa
    from deltalake import CommitProperties, write_deltalake

    table = settings.table("published", contract.name)
    name = Path(raw.path).name
    row = {
        "source_sha256": raw.sha256,
        "name": name,
        "media_type": mimetypes.guess_type(name)[0] or "application/octet-stream",
        "bytes": raw.size,
        "source": raw.source,
        "path": str(Path(raw.path).relative_to(settings.home)),
        "published_at": datetime.now(UTC),
    }
    mode = {}
    if delta.exists(table):
        mode = {"predicate": f"source_sha256 = '{raw.sha256}'"}
    table.parent.mkdir(parents=True, exist_ok=True)
    write_deltalake(
        str(table),
        pa.Table.from_pylist([row]),
        mode="overwrite",
        commit_properties=CommitProperties(custom_metadata={"userMetadata": facts}),
        **mode,
    )
    version = delta.version_of(table)
    return DatasetRef(
        zone="published", name=contract.name, version=version, path=str(table), rows=1
    )
