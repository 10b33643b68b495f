"""A broker's login goes to the host that the operator named beside it, and by TLS."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from yupana.config.settings import Settings
from yupana.core.errors import UsageError
from yupana.data.contracts import stream_address
from yupana.data.streams import login

LINES = """
broker.example station:s3:cr3t
Other.example:8883 other:pass word
k1 ours:pw
k2 ours:pw
k3 theirs:pw
127.0.0.1 here:pw
localhost:1999 here:pw
"""


def login_of(
    tmp_path: Path, location: str, lines: str = LINES, **options: Any
) -> login.Login | None:
    path = tmp_path / "login"
    path.write_text(lines)
    settings = Settings(root=tmp_path, home=tmp_path, stream_login=path, **options)
    return login.credentials(settings, stream_address.parse(location))


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("mqtts://broker.example/a", ("station", "s3:cr3t")),
        ("mqtts://BROKER.example:1/a", ("station", "s3:cr3t")),
        ("mqtts://other.example/a", ("other", "pass word")),
        ("mqtts://other.example:8884/a", None),
        ("mqtt://evil.example/a", None),
        ("mqtts://broker.example.evil/a", None),
        ("mqtt://127.0.0.1/a", ("here", "pw")),
        ("mqtt://localhost:1999/a", ("here", "pw")),
        ("mqtt://localhost/a", None),
    ],
)
def test_it_goes_to_its_own_host_alone(tmp_path: Path, location: str, expected) -> None:
    assert login_of(tmp_path, location) == expected


@pytest.mark.parametrize("location", ["mqtt://broker.example/a", "kafka://k1,k2/a"])
def test_it_does_not_go_unhidden(tmp_path: Path, location: str) -> None:
    with pytest.raises(UsageError, match="without TLS") as refused:
        login_of(tmp_path, location)
    assert "YUPANA_STREAM_PLAINTEXT" in refused.value.fix and "s3" not in str(refused.value)
    assert login_of(tmp_path, location, stream_plaintext=True)


def test_kafka_needs_one_login_for_all_hosts(tmp_path: Path) -> None:
    ca = {"stream_ca": tmp_path / "ca.pem"}
    assert login_of(tmp_path, "kafka://k1,k2:9093/a", **ca) == ("ours", "pw")
    for hosts in ("k1,k3", "k1,stranger"):
        with pytest.raises(UsageError, match="different logins, or some have none"):
            login_of(tmp_path, f"kafka://{hosts}/a", **ca)
    path = tmp_path / "login"
    settings = Settings(root=tmp_path, home=tmp_path, stream_login=path, **ca)
    theirs, other = (stream_address.parse(f"kafka://{host}/a") for host in ("k3", "stranger"))
    assert login.kafka(settings, theirs)["sasl.username"] == "theirs"
    assert login.kafka(settings, other) == {
        "ssl.ca.location": str(ca["stream_ca"]), "security.protocol": "ssl"
    }  # fmt: skip
    assert 'password="pw"' in login.spark_kafka(settings, theirs)["kafka.sasl.jaas.config"]
    assert "kafka.sasl.jaas.config" not in login.spark_kafka(settings, other)


@pytest.mark.parametrize("lines", ["", "user:pw\n", "a u:p\nb up\n", "a :p\n", "a u:\n"])
def test_another_form_is_told_and_not_shown(tmp_path: Path, lines: str) -> None:
    with pytest.raises(UsageError, match="cannot be used") as refused:
        login_of(tmp_path, "mqtts://a/x", lines)
    assert "user:pw" not in refused.value.what + refused.value.where
