"""A stream's project for tests: the contract of samples/river_levels, and its readings."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml
from kafka_broker import Broker

from yupana.config.settings import ROOT, Settings
from yupana.data.lake import delta

NAME = "river_levels"
START = datetime(2026, 1, 1, tzinfo=UTC)


class Crash(BaseException):
    """Not even `except Exception` stops it."""


def project(folder: Path, server: dict[str, Any], engine: str = "sail", **columns: str) -> Settings:
    """A project with one stream; `columns` are further ones, published name by name."""
    contract = yaml.safe_load((ROOT / "samples" / NAME / "contract.yaml").read_text())
    contract["servers"] = [{"server": "test", "format": "json", **server}]
    contract["schema"][0]["properties"] += [
        {"name": name, "physicalName": published, "logicalType": "string"}
        for name, published in columns.items()
    ]
    home = folder / "project" / "expectations" / NAME
    home.mkdir(parents=True)
    (home / "contract.yaml").write_text(yaml.safe_dump(contract, allow_unicode=True))
    return Settings(root=folder / "project", home=folder / "home", engine=engine)


def dropped(tmp_path: Path, engine: str = "sail", **columns: str) -> tuple[Settings, Path]:
    """A stream from a folder, and the folder."""
    server = {"type": "custom", "location": "drop:inbox/gauges"}
    lake = project(tmp_path, server, engine, **columns)
    (lake.root / "inbox" / "gauges").mkdir(parents=True)
    return lake, lake.root / "inbox" / "gauges"


def put(folder: Path, name: str, messages: list[bytes]) -> None:
    (folder / name).write_bytes(b"\n".join(messages) + b"\n")


def reading(**changes: object) -> bytes:
    return json.dumps({**json.loads(readings(0, 1)[0]), **changes}).encode()


def from_kafka(folder: Path, kafka: Broker, topic: str, **columns: str) -> Settings:
    """A project whose stream is a topic of a broker."""
    lake = project(folder, {"type": "kafka", "host": kafka.address}, **columns)
    path = lake.root / "expectations" / NAME / "contract.yaml"
    text = path.read_text()
    path.write_text(text.replace("physicalName: river-levels", f"physicalName: {topic}"))
    return lake


def readings(first: int, count: int) -> list[bytes]:
    """Different readings of ten stations, by number."""
    return [
        json.dumps(
            {
                "station": f"IT-{number % 10:03}",
                "measured_at": (START + timedelta(seconds=number)).isoformat(),
                "level_m": round(1 + number % 100 / 50, 2),
                "rain_mm": 0.0,
            }
        ).encode()
        for number in range(first, first + count)
    ]


def published(lake: Settings) -> Counter[int]:
    """How often each reading stands in the table, by its number."""
    rows = delta.read(lake.table("published", NAME))
    return Counter(int((t - START).total_seconds()) for t in rows["measured_at"].to_list())


def broken_rules(lake: Settings) -> list[list[str]]:
    """The rules that each row in quarantine breaks, by line."""
    rows = delta.read(lake.table("quarantine", NAME)).sort("source_sha256", "source_line")
    return [list(rules) for rules in rows["broken_rules"].to_list()]
