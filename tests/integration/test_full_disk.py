"""The disk of the home is full: a real service goes on, refuses what needs the record, and mends.

The home lies on a tmpfs of its own, which takes root to mount.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import small_service
from late_lake import DISTRICTS
from small_service import NAME, NEWEST

from yupana.config.settings import Settings
from yupana.identity.local_key import local_key
from yupana.orchestration import service
from yupana.predictions import prediction_log

SIZE = 256 << 20
READS = ("/livez", "/metrics", "/v1/models", f"/v1/{NAME}/alerts?as_of={NEWEST}")
BODY = {"ubigeo": DISTRICTS[0], "as_of": str(NEWEST), "horizon": 1}


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(folder)]
    if os.geteuid() or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("a file system of its own can be mounted by root alone")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(folder: Path) -> Path:
    """Take every block that is left."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as stream:
        for size in (1 << 20, 1 << 12):
            try:
                while True:
                    stream.write(b"\\0" * size)
            except OSError:
                continue
    return ballast


def test_a_full_disk_stops_what_needs_the_record_and_nothing_else(small_disk: Path) -> None:
    settings = Settings(home=small_disk / "home", serve_port=0)
    small_service.run(settings)
    with service.running(settings, NAME) as url:
        headers = {"Authorization": f"Bearer {local_key(settings.platform_db, settings.home)}"}
        with httpx.Client(base_url=url, headers=headers, timeout=10) as client:
            answered = client.post(f"/v1/{NAME}/forecast", json=BODY)
            assert answered.status_code == 200, answered.text
            ballast = fill(small_disk)
            end = time.monotonic() + 12
            while time.monotonic() < end:
                for path in READS:
                    assert client.get(path).status_code == 200, path
                began = time.monotonic()
                refused = client.post(f"/v1/{NAME}/forecast", json=BODY)
                assert refused.status_code == 503, refused.text
                assert time.monotonic() - began < 2.0
                assert refused.headers["content-type"] == "application/problem+json"
            ballast.unlink()
            room = time.monotonic()
            while (again := client.post(f"/v1/{NAME}/forecast", json=BODY)).status_code != 200:
                assert time.monotonic() - room < 10, again.text
                time.sleep(0.2)
    ids = [reply.json()["predictions"][0]["prediction_id"] for reply in (answered, again)]
    log = {entry.prediction_id for entry in prediction_log.entries(settings.platform_db, NAME)}
    assert set(ids) <= log
