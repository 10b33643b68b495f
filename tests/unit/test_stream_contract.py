"""What a stream's contract must state, and what its address may look like."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from streams import NAME, project

from yupana.config.settings import ROOT, Settings
from yupana.core.errors import TerminalError, UsageError
from yupana.data.contracts import stream_address
from yupana.data.contracts.contract import load

MQTT = {"type": "custom", "location": "mqtts://broker:8883/gauge/+/level"}


def changed(tmp_path: Path, server: dict[str, Any], **changes: Any) -> Settings:
    """The sample's contract with other fields: a column's by its name, options by theirs."""
    lake = project(tmp_path, server)
    path = lake.root / "expectations" / NAME / "contract.yaml"
    content = yaml.safe_load(path.read_text())
    for name, value in changes.items():
        for option in content["customProperties"]:
            if option["property"] == name:
                option["value"] = value
        for column in content["schema"][0]["properties"]:
            if column["name"] == name:
                column.update(value)
    path.write_text(yaml.safe_dump(content))
    return lake


@pytest.mark.parametrize(
    ("server", "location"),
    [
        ({"type": "kafka", "host": "a:9092,b:9092"}, "kafka://a:9092,b:9092/river-levels"),
        (MQTT, "mqtts://broker:8883/gauge/+/level"),
        ({"type": "custom", "location": "drop:inbox/a"}, "drop:inbox/a"),
    ],
)
def test_a_stream_says_where_it_comes_from(tmp_path: Path, server, location: str) -> None:
    contract = load(changed(tmp_path, server).root, NAME)
    assert contract.stream and contract.location == location
    assert str(stream_address.parse(location)) == location
    assert contract.schedule == "@hourly"


@pytest.mark.parametrize(
    ("other", "conflict"),
    [
        ({"path": "inbox/gauges/*.json"}, True),
        ({"path": "inbox/gauges/"}, True),
        ({"path": "inbox/x/../gauges/cases_{date}.csv"}, True),
        ({"path": "inbox/*/a.csv"}, True),
        ({"location": "file://{root}/inbox/%67auges/a.csv"}, True),
        ({"location": "drop:inbox/gauges/."}, True),
        ({"path": "{root}/inbox/gauges/a.csv"}, True),
        ({"path": "inbox/*.json"}, False),
        ({"path": "inbox/"}, False),
        ({"path": "inbox/{date}/"}, False),
        ({"path": "inbox/gauges/more/a.csv"}, False),
        ({"location": "drop:inbox/gauges/more"}, False),
        ({"location": "https://h.pe/inbox/gauges/a.json"}, False),
    ],
)
def test_a_drop_folder_is_one_streams_alone(tmp_path: Path, other, conflict: bool) -> None:
    """Files in it are deleted: a contract that others' files lie there for is refused."""
    lake = changed(tmp_path, {"type": "custom", "location": "drop:inbox/gauges"})
    folder = lake.root / "expectations"
    (folder / "broken").mkdir()
    (folder / "broken" / "contract.yaml").write_text("servers: [")
    (folder / "gauges").mkdir()
    server = {name: place.replace("{root}", str(lake.root)) for name, place in other.items()}
    (folder / "gauges" / "contract.yaml").write_text(yaml.safe_dump({"servers": [server]}))
    if not conflict:
        assert load(lake.root, NAME).stream
        return
    with pytest.raises(TerminalError, match="'inbox/gauges', from which gauges is read too"):
        load(lake.root, NAME)


def test_a_file_is_no_stream() -> None:
    assert not load(ROOT, "iquitos_weekly").stream


@pytest.mark.parametrize(
    ("server", "changes", "what", "fix"),
    [
        (MQTT, {"publication": "snapshot"}, "a stream that is not appended", "append"),
        (MQTT, {"station": {"primaryKey": False}, "measured_at": {"primaryKey": False}},
         "a stream without a key", "primaryKey"),
        ({**MQTT, "format": "csv"}, {}, "a stream of csv", "JSON"),
        (MQTT, {"rain": {"physicalName": "@headers"}}, "the column '@headers'", "@offset"),
        ({"type": "custom", "location": "mqtt://user:pw@broker/a"}, {}, "the stream's address",
         "YUPANA_STREAM_LOGIN"),
        ({"type": "custom", "location": "mqtt://a:1883,b:1883/x"}, {}, "the stream's address",
         "Write one"),
        ({"type": "custom", "location": "mqtt://a:port/x"}, {}, "the stream's address", "a port"),
        ({"type": "kafka", "host": "a:9092,b:99999"}, {}, "the stream's address", "a port"),
        ({"type": "custom", "location": "kafka:broker"}, {}, "the stream's address", "kafka://"),
        ({"type": "custom", "location": "drop:/etc"}, {}, "the drop folder '/etc'", "inbox"),
        ({"type": "custom", "location": "drop:inbox/../a"}, {}, "the drop folder", "inbox"),
        ({"type": "custom", "location": "drop:inbox"}, {}, "the drop folder 'inbox'", "<folder>"),
        ({"type": "custom", "location": "drop:inbox/./"}, {}, "the drop folder", "<folder>"),
        ({"type": "local", "path": "a.json"}, {}, "which only messages have", "own column"),
    ],
)  # fmt: skip
def test_a_slip_is_told_with_its_mend(tmp_path: Path, server, changes, what, fix) -> None:
    lake = changed(tmp_path, server, **changes)
    with pytest.raises(TerminalError) as refused:
        load(lake.root, NAME)
    assert what in refused.value.what and fix in refused.value.fix
    assert "contract.yaml, line" in refused.value.where


@pytest.mark.parametrize(
    ("option", "value"), [("change", {"rows": 0.5}), ("headerRow", 2), ("skip", "^x")]
)
def test_what_is_for_files_is_refused(tmp_path: Path, option: str, value: object) -> None:
    lake = changed(tmp_path, MQTT)
    path = lake.root / "expectations" / NAME / "contract.yaml"
    content = yaml.safe_load(path.read_text())
    content["customProperties"].append({"property": option, "value": value})
    path.write_text(yaml.safe_dump(content))
    with pytest.raises(TerminalError, match=f"{option}, which is for files"):
        load(lake.root, NAME)


def test_an_address_with_a_password_does_not_show_it() -> None:
    with pytest.raises(UsageError) as refused:
        stream_address.parse("mqtt://station:s3cr3t@broker/level")
    assert "s3cr3t" not in str(refused.value) and "//…@broker" in refused.value.where
