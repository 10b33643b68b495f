"""A big case list with the shipped sample's distribution, the same for the same seed.

Run: python tests/benchmark/generate.py ROWS FILE. Rows are drawn from the sample with
replacement; one in a thousand is then spoilt in one of the ways that publishers' files are.
"""

from __future__ import annotations

import gzip
import sys
from pathlib import Path

import numpy as np

from yupana.config.settings import ROOT
from yupana.core.progress import Lines, Progress

SAMPLE = ROOT / "samples" / "dengue_loreto_2010_2021.csv.gz"
SEED = 20210101
BLOCK = 500_000
SPOILT = 0.001  # well below the contract's limit
# Place of the field in the file, and what stands there instead.
FAULTS = {
    "no district": (2, b""),
    "letter in the year": (3, b"2O15"),
    "week that no year has": (6, b"54"),
    "unknown diagnosis": (7, b"Descartados"),
}


def generate(rows: int, target: Path, progress: Progress | None = None) -> Path:
    """Write `rows` lines and a header to `target` in blocks (bounded memory)."""
    header, *lines = gzip.decompress(SAMPLE.read_bytes()).splitlines(keepends=True)
    kinds, times = np.unique(np.array(lines, dtype=object), return_counts=True)
    spoilt = [_spoil(kinds, place, text) for place, text in FAULTS.values()]
    pool = np.concatenate([kinds, *spoilt])
    share = times / times.sum()
    faulty = share * SPOILT / len(FAULTS)
    weights = np.concatenate([share * (1 - SPOILT), *([faulty] * len(FAULTS))])
    upto = np.cumsum(weights)
    random = np.random.default_rng(SEED)
    with target.open("wb") as out:
        out.write(header)
        for start in range(0, rows, BLOCK):
            size = min(BLOCK, rows - start)
            picks = np.searchsorted(upto, random.random(size) * upto[-1], side="right")
            out.write(b"".join(pool[picks].tolist()))
            if progress and (start + size) % 2_000_000 == 0:
                progress.say(f"generated {start + size:,} of {rows:,} rows")
    return target


def _spoil(lines: np.ndarray, place: int, text: bytes) -> np.ndarray:
    """The same lines with another text in one field (the sample quotes nothing)."""
    split = [line.split(b",") for line in lines]
    return np.array(
        [b",".join([*fields[:place], text, *fields[place + 1 :]]) for fields in split],
        dtype=object,
    )


def main() -> None:
    rows, target = int(sys.argv[1]), Path(sys.argv[2])
    generate(rows, target, Lines())


if __name__ == "__main__":
    main()
