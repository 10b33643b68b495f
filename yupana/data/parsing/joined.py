"""Parse several landed files into one Parquet, each row with the hash of its own file."""

from __future__ import annotations

import shutil
from pathlib import Path

from yupana.config.settings import Settings
from yupana.core.errors import TerminalError
from yupana.core.progress import Progress
from yupana.core.types import RawObject
from yupana.data import parsing
from yupana.data.contracts.contract import Contract
from yupana.data.parsing import LINE, SOURCE, TORN

_TOLD = 5


def parse(
    settings: Settings, contract: Contract, raw: RawObject, work: Path, progress: Progress
) -> Path:
    """As `parsing.parse`, of one file or of all parts of a release; one file is on disk twice.

    Returns:
        The Parquet file; of several files it has the column `_source` besides.

    Raises:
        TerminalError: files are refused; names each with its fault.
    """
    if not raw.parts:
        return parsing.parse(settings, contract, raw, work, progress)
    import pyarrow as pa
    import pyarrow.parquet as pq

    names = [column.name for column in contract.used]
    kinds = [(LINE, pa.int64()), *((name, pa.string()) for name in (TORN, SOURCE, *names))]
    out, faults = work / "all.parquet", list[TerminalError]()
    work.mkdir(parents=True, exist_ok=True)
    with pq.ParquetWriter(out, pa.schema(kinds), write_statistics=False) as writer:
        for part in raw.parts:
            try:
                one = parsing.parse(settings, contract, part, work / "one", progress)
            except TerminalError as error:
                faults.append(error)
                continue
            with pq.ParquetFile(one) as file:
                for batch in file.iter_batches():
                    columns = {name: batch[name] for name in batch.schema.names}
                    columns[SOURCE] = pa.repeat(part.sha256, batch.num_rows)
                    absent = pa.nulls(batch.num_rows, pa.string())
                    arrays = [columns.get(name, absent) for name, _ in kinds]
                    writer.write_batch(pa.record_batch(arrays, schema=pa.schema(kinds)))
            shutil.rmtree(work / "one")
    refuse(faults, len(raw.parts), raw.source)
    return out


def refuse(faults: list[TerminalError], count: int, where: str) -> None:
    """Stop a release whose files are not all sound.

    Raises:
        TerminalError: the fault itself where it is the only one.
    """
    if len(faults) == 1:
        raise faults[0]
    if faults:
        listing = "; ".join(f"{f.where}: {f.what}" for f in faults[:_TOLD])
        more = f"; and {len(faults) - _TOLD} more" if len(faults) > _TOLD else ""
        raise TerminalError(
            f"{len(faults)} of {count} files are refused, and they are one release.",
            where=f"{where}: {listing}{more}",
            fix=f"{faults[0].fix} Nothing was published.",
        )
