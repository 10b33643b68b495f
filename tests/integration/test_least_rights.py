"""A service answers from what its pod mounts of the home, as its own role of the database, without
the ledger's key; the signer signs what it appended."""

from __future__ import annotations

import shutil
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import small_service
import sqlalchemy as sa
import yaml
from platform_db import postgres
from small_service import NAME
from waiting import wait_until

from yupana.config.settings import ROOT, Settings
from yupana.core import ports, usecase
from yupana.core.errors import TerminalError
from yupana.core.progress import Silent
from yupana.database.engine import engine
from yupana.identity.local_key import local_key
from yupana.ledger import entries, signer, signing, witness
from yupana.ledger.entries import Entry
from yupana.ledger.restrict import restrict
from yupana.lineage import events
from yupana.orchestration.service import stop_group
from yupana.trace import audit

QUESTION = {
    "ubigeo": ["160101"], "as_of": (small_service.NEWEST + timedelta(days=4)).isoformat(),
}  # fmt: skip
SERVICE, SIGNER = "yupana_serving", "yupana_signer"
HOME = Path("/var/lib/yupana")
# Root without its powers: what a file's mode refuses is refused.
PLAIN = ["setpriv", "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs"]


@dataclass
class Platform:
    """The owner's settings, and those of the service and of the signer."""

    owner: Settings
    service: Settings
    signer: Settings


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    with postgres() as (url, _):
        Path(url.partition("host=")[2]).chmod(0o711)
        folder = tmp_path_factory.mktemp("platform")
        owner = Settings(home=folder / "home", platform_url=url)
        events.append(owner, "ingest", "x", status="done")
        with sa.create_engine(url).begin() as connection:
            for role in (SERVICE, SIGNER):
                connection.exec_driver_sql(f"CREATE ROLE {role} LOGIN")
        restrict(url, SERVICE, "service")
        restrict(url, SIGNER, "signer")
        roles = [url.replace("yupana@", f"{role}@") for role in (SERVICE, SIGNER)]
        service = Settings(home=folder / "pod", platform_url=roles[0], sign_ledger=False)
        signing_home = Settings(home=folder / "signer", platform_url=roles[1])
        shutil.copytree(owner.home / "keys", signing_home.home / "keys")
        (service.home / "keys").mkdir(parents=True)
        shutil.copy(owner.home / "keys" / "ledger.pub", service.home / "keys")
        yield Platform(owner, service, signing_home)


def _container() -> dict[str, Any]:
    """The service's container in the cluster's manifest."""
    manifest = yaml.safe_load((ROOT / "infra/base/statefulset.yaml").read_text())
    container: dict[str, Any] = manifest["spec"]["template"]["spec"]["containers"][0]
    return container


def _mount(home: Path, pod: Path) -> None:
    """What the manifest mounts, in the pod's home; what is mounted to be read is so by its mode."""
    pod.mkdir()
    for mount in sorted(_container()["volumeMounts"], key=lambda m: str(m["mountPath"])):
        if not Path(mount["mountPath"]).is_relative_to(HOME):
            continue
        place = pod / Path(mount["mountPath"]).relative_to(HOME)
        place.mkdir()
        if mount["name"] == "home":
            shutil.copytree(home / mount["subPath"], place, dirs_exist_ok=True)
        elif mount["name"] == "ledger-public":
            shutil.copy(home / "keys" / "ledger.pub", place)
        if mount.get("readOnly"):
            for path in (place, *place.rglob("*")):
                path.chmod(0o555 if path.is_dir() else 0o444)
    pod.chmod(0o555)


def _unlock(pod: Path) -> None:
    for path in (pod, *pod.rglob("*")):
        if path.is_dir() and not path.is_symlink():
            path.chmod(0o755)


@pytest.fixture(scope="module")
def url(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The service, started by the manifest's command with as little as its pod has."""
    if not shutil.which("setpriv"):
        pytest.skip("setpriv (util-linux) is not on this machine")
    small_service.run(platform.owner)
    local_key(platform.owner.platform_db, platform.owner.home)
    pod = platform.service.home.with_name("mounted")
    _mount(platform.owner.home, pod)
    settings = platform.service.model_copy(update={"home": pod})
    port, log = ports.free(), tmp_path_factory.mktemp("log") / "serve.log"
    command = [*_container()["command"][:-1], usecase.service(NAME)]
    given = {e["name"]: e["value"] for e in _container()["env"] if "value" in e}
    environment = settings.environment() | {
        "YUPANA_SIGN_LEDGER": given["YUPANA_SIGN_LEDGER"], "HOME": given["HOME"],
    }  # fmt: skip
    with log.open("w") as out:
        child = subprocess.Popen(
            [*PLAIN, *command, "--host", ports.HOST, "--port", str(port)], cwd=ROOT,
            env=environment, stdout=out, stderr=out, start_new_session=True,
        )  # fmt: skip
    address = f"http://{ports.HOST}:{port}"

    def ready() -> bool:
        assert child.poll() is None, log.read_text()[-4000:]
        try:
            return httpx.get(f"{address}/readyz").status_code == 200
        except httpx.TransportError:
            return False

    try:
        wait_until(ready, 120)
        yield address
    finally:
        stop_group(child)
        _unlock(pod)


@pytest.mark.long
def test_a_service_answers_and_records_without_a_key(platform: Platform, url: str) -> None:
    pod = platform.service.home.with_name("mounted")
    assert [path.name for path in (pod / "keys").iterdir()] == ["ledger.pub"]
    key = local_key(platform.owner.platform_db, platform.owner.home)
    with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {key}"}) as client:
        answer = client.post(f"/v1/{NAME}/forecast", json=QUESTION)
        assert answer.status_code == 200, answer.text
        name = answer.json()["predictions"][0]["prediction_id"]
        feedback = {"kind": "complaint", "comment": "Faltan camas."}
        said = client.post(f"/v1/feedback/{name}", json=feedback)
        assert said.status_code == 201, said.text
        explained = client.get(f"/v1/{NAME}/explain/{name}")
        assert explained.status_code == 200, explained.text


def test_the_signer_signs_what_a_service_appends(platform: Platform) -> None:
    stop = threading.Event()
    thread = threading.Thread(target=signer.follow, args=(platform.signer, stop, Silent()))
    thread.start()
    entries.record(platform.service, [Entry("access", "x")], datetime.now(UTC))
    try:
        wait_until(lambda: _signed(platform) == _head(platform), 10)
    finally:
        stop.set()
        thread.join()
    report = audit.verify(platform.owner, Silent(), also=[witness.files(platform.signer)[0]])
    assert report.ok, report


def test_the_signer_signs_nothing_over_what_it_signed_and_is_gone(platform: Platform) -> None:
    entries.record(platform.service, [Entry("access", "x")], datetime.now(UTC))
    signer.sign(platform.signer, datetime.now(UTC))
    signed = _signed(platform)
    with engine(platform.owner.platform_db).begin() as connection:
        connection.exec_driver_sql("ALTER TABLE ledger DISABLE TRIGGER ALL")
        row = connection.exec_driver_sql(f"DELETE FROM ledger WHERE seq = {signed} RETURNING *")
        gone = row.one()
    with pytest.raises(TerminalError, match="is gone or another"):
        signer.sign(platform.signer, datetime.now(UTC))
    assert _signed(platform) == signed
    with engine(platform.owner.platform_db).begin() as connection:
        insert = "INSERT INTO ledger (seq, kind, subject, line) VALUES (%s, %s, %s, %s)"
        connection.exec_driver_sql(insert, tuple(gone))
        connection.exec_driver_sql("ALTER TABLE ledger ENABLE TRIGGER ALL")
    signer.sign(platform.signer, datetime.now(UTC))


@pytest.mark.parametrize(
    "statement",
    ["UPDATE ledger SET kind = 'x'", "DELETE FROM prediction_records", "SELECT * FROM people",
     "UPDATE predictions SET payload = '{}'", "INSERT INTO deployment_slots DEFAULT VALUES",
     "UPDATE keys SET role = 'administrator'", "INSERT INTO events DEFAULT VALUES",
     "SELECT * FROM alerts", "UPDATE feedback SET comment = ''", "CREATE TABLE mine (n int)",
     "DELETE FROM activity", "UPDATE row_nonces SET nonce = ''", "SELECT * FROM cases",
     "SELECT * FROM webhooks"],
)  # fmt: skip
def test_a_services_role_can_do_no_more_than_answer(platform: Platform, statement: str) -> None:
    refused = pytest.raises(sa.exc.ProgrammingError, match="permission denied")
    with refused, engine(platform.service.platform_db).begin() as connection:
        connection.exec_driver_sql(statement)


@pytest.mark.parametrize("table", ["keys", "people", "prediction_records", "events", "feedback"])
def test_the_signers_role_sees_the_ledger_alone(platform: Platform, table: str) -> None:
    refused = pytest.raises(sa.exc.ProgrammingError, match="permission denied")
    with refused, engine(platform.signer.platform_db).begin() as connection:
        connection.exec_driver_sql(f"SELECT * FROM {table}")


def test_without_the_key_nothing_is_signed_and_all_is_checked(platform: Platform) -> None:
    assert signing.public_key(platform.service) == signing.public_key(platform.owner)
    signature = signing.sign(platform.owner, b"x")
    assert signing.check_signature(platform.service, b"x", signature)
    with pytest.raises(TerminalError, match="does not sign"):
        signing.sign(platform.service, b"x")
    with pytest.raises(TerminalError, match="does not sign"):
        signer.follow(platform.service, threading.Event(), Silent())


def test_without_the_public_key_nothing_is_appended(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, sign_ledger=False)
    with pytest.raises(TerminalError, match="public key is not there"):
        events.append(settings, "ingest", "x", status="done")
    assert not (tmp_path / "keys").exists(), "and none is made"


def _head(platform: Platform) -> int:
    newest = entries.newest(platform.owner.platform_db)
    return newest.seq if newest else 0


def _signed(platform: Platform) -> int:
    mark = witness.last_checkpoint(witness.files(platform.signer)[0])
    return int(mark["seq"]) if mark else 0
