"""GeoReport v2: services, requests, tokens and errors, in XML and in JSON."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import case_app
import pytest
from case_app import RULES, Office, office
from defusedxml import ElementTree

from yupana.config.settings import Settings

ROOT = "/open311/v2"
POST = {
    "service_code": "limpieza_y_residuos", "lat": "-3.75", "long": "-73.25",
    "description": "No recogen la basura de Rosa",
}  # fmt: skip


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    with office(Settings(home=tmp_path), monkeypatch) as one:
        yield one


def get(desk: Office, path: str, **fields: str) -> Any:
    answer = desk.client.get(f"{ROOT}/{path}", params=fields)
    assert answer.status_code == 200, answer.text
    return answer.json() if path.endswith("json") else ElementTree.fromstring(answer.content)


def post(desk: Office, form: str = "json", **fields: str) -> Any:
    key = desk.key("app", "supervisor")["X-API-Key"]
    return desk.client.post(f"{ROOT}/requests.{form}", data={"api_key": key, **POST, **fields})


def test_labels_are_services_in_both_formats(desk: Office) -> None:
    services = get(desk, "services.json")
    assert [one["service_code"] for one in services] == list(RULES.routing.labels)
    assert set(services[0]) == {
        "service_code", "service_name", "description", "metadata", "type", "keywords", "group",
    }  # fmt: skip
    tree = get(desk, "services.xml")
    assert tree.tag == "services" and {child.tag for child in tree} == {"service"}
    assert [one.findtext("service_code") for one in tree] == list(RULES.routing.labels)
    assert tree[0].findtext("metadata") == "false"
    definition = get(desk, "services/animales.json")
    assert definition == {"service_code": "animales", "attributes": []}


def test_discovery_names_the_endpoint_and_its_formats(desk: Office) -> None:
    (endpoint,) = get(desk, "discovery.json")["endpoints"]
    assert endpoint["url"].endswith(ROOT) and "application/json" in endpoint["formats"]
    tree = get(desk, "discovery.xml")
    assert [f.text for f in tree.findall("endpoints/endpoint/formats/format")] == [
        "text/xml", "application/json",
    ]  # fmt: skip


@pytest.mark.parametrize("form", ["json", "xml"])
def test_a_request_is_a_case_that_its_citizen_follows(desk: Office, form: str) -> None:
    answer = post(desk, form)
    assert answer.status_code == 201, answer.text
    if form == "json":
        (made,) = answer.json()
    else:
        (element,) = ElementTree.fromstring(answer.content)
        made = {child.tag: child.text for child in element}
    name, notice = made["service_request_id"], made["service_notice"]
    receipt, secret = notice.split("receipt: ")[1].split(". Clave / secret: ")
    seen = desk.follow({"receipt": receipt, "secret": secret.rstrip(".")})
    assert seen.status_code == 200
    (before,) = get(desk, f"requests/{name}.json")
    assert (before["status"], before["service_code"]) == ("open", "sin_clasificar")
    desk.route()
    (after,) = get(desk, f"requests/{name}.json")
    assert after["service_code"] == "limpieza_y_residuos" and after["expected_datetime"][-1] == "Z"
    assert get(desk, f"tokens/{name}.json") == [{"token": name, "service_request_id": name}]
    (element,) = get(desk, f"requests/{name}.xml")
    assert element.tag == "request" and element.findtext("service_request_id") == name


def test_the_public_listing_has_no_text_of_anybody_unless_the_agency_says_so(
    desk: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    post(desk, address_string="Calle Lima 1, casa de Rosa", email="rosa@correo.pe")
    desk.route()
    for form in ("json", "xml"):
        text = desk.client.get(f"{ROOT}/requests.{form}").text
        assert "limpieza_y_residuos" in text
        for word in ("Rosa", "rosa", "Lima 1", "-73.25"):
            assert word not in text
    routing = RULES.routing.model_copy(update={"public_listing": True})
    monkeypatch.setattr(case_app, "RULES", dataclasses.replace(RULES, routing=routing))
    mask = {"mask": lambda text: text.replace("Rosa", "[NOMBRE]")}
    with office(Settings(home=tmp_path / "open"), monkeypatch, **mask) as open_:
        post(open_)
        (one,) = get(open_, "requests.json")
    assert one["description"] == "No recogen la basura de [NOMBRE]" and one["lat"] == -3.75


def test_requests_are_filtered(desk: Office) -> None:
    for text in ("No recogen la basura", "No pasa el bus", "¿A qué hora pasa la basura?"):
        post(desk, description=text)
    desk.route()
    assert len(get(desk, "requests.json")) == 3
    assert len(get(desk, "requests.json", service_code="movilidad_y_transporte")) == 1
    assert len(get(desk, "requests.json", status="closed")) == 1
    assert len(get(desk, "requests.json", status="open,closed")) == 3
    assert get(desk, "requests.json", end_date="2020-01-01T00:00:00Z") == []
    ids = [one["service_request_id"] for one in get(desk, "requests.json")]
    assert len(get(desk, "requests.json", service_request_id=",".join(ids[:2]))) == 2
    assert get(desk, "requests.json", service_request_id="0' OR 1=1") == []
    assert len(get(desk, "requests.xml", unknown="x")) == 3


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"api_key": "junk"}, 403),
        ({"api_key": ""}, 403),
        ({"service_code": "luna"}, 404),
        ({"service_code": ""}, 400),
        ({"description": ""}, 400),
        ({"description": "a" * 4_001}, 400),
        ({"lat": "91"}, 400),
        ({"lat": "", "long": ""}, 400),
        ({"email": "x"}, 400),
        ({"description": "\x00\x07"}, 400),
    ],
)
def test_errors_are_those_of_the_specification(
    desk: Office, fields: dict[str, str], status: int
) -> None:
    answer = post(desk, "json", **fields)
    assert answer.status_code == status, answer.text
    (error,) = answer.json()
    assert error["code"] == status and error["description"]
    tree = ElementTree.fromstring(post(desk, "xml", **fields).content)
    assert tree.tag == "errors" and tree.findtext("error/code") == str(status)


def test_what_is_not_there_and_forms_that_are_none(desk: Office) -> None:
    for path in ("requests/x.json", f"requests/{'0' * 32}.json", "services/luna.json",
                 f"tokens/{'0' * 32}.json", "services.csv"):  # fmt: skip
        assert desk.client.get(f"{ROOT}/{path}").status_code == 404, path
    assert desk.client.get(f"{ROOT}/requests.json?status=odd").status_code == 400
    assert desk.client.get(f"{ROOT}/requests.json?start_date=odd").status_code == 400
    json = desk.client.post(f"{ROOT}/requests.json", json={"api_key": "x"})
    assert json.status_code == 400
    many = desk.client.post(
        f"{ROOT}/requests.json", content="a=1&" * 100,
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )  # fmt: skip
    assert many.status_code == 400
    bytes_ = desk.client.get(f"{ROOT}/requests.json?status=%FF")
    assert bytes_.status_code == 400


def test_a_jurisdiction_is_asked_for_where_the_agency_names_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    routing = RULES.routing.model_copy(update={"jurisdiction": "muni.gob.pe"})
    monkeypatch.setattr(case_app, "RULES", dataclasses.replace(RULES, routing=routing))
    with office(Settings(home=tmp_path), monkeypatch) as desk:
        assert desk.client.get(f"{ROOT}/services.json").status_code == 400
        wrong = desk.client.get(f"{ROOT}/services.json", params={"jurisdiction_id": "luna"})
        assert wrong.status_code == 404
        assert get(desk, "services.json", jurisdiction_id="muni.gob.pe")
