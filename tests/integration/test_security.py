"""Bad headers, keys, addresses and bodies against all layers before the model: nothing breaks,
nothing leaks, and nothing that an unknown caller sent is kept."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from door import FORECAST, Header, bearer
from house import House, outbreak_application, sound
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from local_issuer import LocalIssuer, local_issuer
from waiting import wait_until

from yupana.core import spec, usecase
from yupana.identity import activity, roles
from yupana.serving import kind
from yupana.serving.application import application
from yupana.serving.http.access import OPEN, OPEN_FOLDERS

MARK = "Zq7Sent"
START = datetime(2026, 1, 1, tzinfo=UTC)
BOUNDED = settings(
    max_examples=400, derandomize=True, deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)  # fmt: skip


@pytest.fixture(scope="module")
def issuer() -> Iterator[LocalIssuer]:
    with local_issuer() as running:
        yield running


@pytest.fixture
def house(tmp_path: Path, issuer: LocalIssuer) -> Iterator[House]:
    made = House(tmp_path, issuer)
    # Until the issuer's keys are read, its tokens are answered 503.
    wait_until(lambda: made.door.ask(bearer(made.token), body=b"{}").status < 500)
    yield made
    made.door.close()


_TEXT = st.text(max_size=60).map(lambda text: text.encode("utf-8", "surrogatepass"))
_BYTES = st.one_of(st.binary(max_size=80), _TEXT).map(lambda sent: MARK.encode() + sent)
_NAMES = st.one_of(
    st.sampled_from(
        [b"authorization", b"x-api-key", b"content-type", b"content-length", b"host", b"origin",
         b"accept", b"expect", b"traceparent", b"x-forwarded-for", b"transfer-encoding", b"cookie"]
    ),
    st.from_regex(rb"[a-z][a-z0-9-]{0,20}", fullmatch=True).filter(lambda n: n != b"x-request-id"),
)  # fmt: skip
_HEADERS = st.lists(st.tuples(_NAMES, _BYTES), max_size=8)
_SCHEME = st.sampled_from([b"Bearer ", b"bearer ", b"Basic ", b"", b"Bearer  ", b"\xff "])


@BOUNDED
@given(headers=_HEADERS, path=st.one_of(st.just(FORECAST), st.text(max_size=40)), body=_BYTES)
def test_what_strangers_send_is_refused_and_forgotten(
    house: House, headers: list[Header], path: str, body: bytes
) -> None:
    path = path if path == FORECAST else f"/{MARK}{path}"
    answer = house.door.ask(*headers, path=path, body=body)
    sound(answer)
    hosts = [name for name, _ in headers if name == b"host"]
    refusals = (401, 403, 408, 413, 431, *([400] if len(hosts) > 1 else []))
    assert answer.status in refusals, answer.status
    assert MARK.encode() not in answer.body and MARK not in json.dumps(answer.headers)


def test_nothing_of_strangers_is_kept(house: House) -> None:
    for secret in (f"yup_{MARK}_{MARK}", f"yup_{'0' * 12}_{'0' * 64}", f"{MARK}.{MARK}.{MARK}"):
        for path in (f"/v1/{MARK.lower()}/forecast", f"/v1/outbreak/{MARK}", f"/{MARK}"):
            answer = house.door.ask(bearer(secret), (b"cookie", MARK.encode()), path=path)
            assert answer.status == 401
    content = house.kept()
    assert MARK.lower().encode() not in content.lower() and b'"status":401' in content
    logged = activity.listing(house.url, START)
    assert {row["facts"]["scope"] for row in logged if row["what"] == "refused"} == {""}


@BOUNDED
@given(data=st.data())
def test_keys_and_tokens_that_are_almost_good_are_refused(house: House, data: Any) -> None:
    good = data.draw(st.sampled_from([house.key, house.token]))
    at = data.draw(st.integers(0, len(good) - 1))
    other = data.draw(st.sampled_from("0aZ_.-=é \x00\x7f"))
    kind = data.draw(st.sampled_from(["change", "cut", "insert", "double", "other header"]))
    wrong = {
        "change": good[:at] + other + good[at + 1 :],
        "cut": good[:at],
        "insert": good[:at] + other + good[at:],
        "double": f"{good}, {good}",
        "other header": good.upper(),
    }[kind]
    assume(wrong.strip() != good)
    # The last letter of a signature holds bits that no one reads.
    assume(good == house.key or kind != "change" or at < len(good) - 1)
    scheme = data.draw(_SCHEME)
    answer = house.door.ask((b"authorization", scheme + wrong.encode("latin-1")), body=b"{}")
    sound(answer)
    assert answer.status == 401, wrong


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=12), inner, max_size=5)
    ),
    max_leaves=12,
)
_UBIGEO = st.one_of(st.from_regex(r"[0-9]{6}", fullmatch=True), _JSON)
_QUESTION = st.fixed_dictionaries(
    {},
    optional={
        "ubigeo": st.one_of(_UBIGEO, st.lists(_UBIGEO, max_size=4)),
        "horizon": st.one_of(st.integers(), _JSON),
        "as_of": st.one_of(st.dates().map(str), _JSON),
        "role": _JSON,
    },
)
_BODY = st.one_of(
    st.binary(max_size=200),
    st.one_of(_JSON, _QUESTION).map(lambda said: json.dumps(said).encode()),
    st.integers(1, 9000).map(lambda deep: b'{"ubigeo":' + b"[" * deep),
    st.sampled_from([b"", b"\xff\xfe", b"NaN", b"1e999", b'{"ubigeo": "\\ud800"}', b"[]" * 9]),
)


@BOUNDED
@given(body=_BODY, kind=st.sampled_from([b"application/json", b"text/plain", b"\xff", b""]))
def test_bodies_of_good_callers_are_answered_or_refused(
    house: House, body: bytes, kind: bytes
) -> None:
    length = (b"content-length", str(len(body)).encode())
    answer = house.door.ask(bearer(house.key), (b"content-type", kind), length, body=body)
    sound(answer)
    assert answer.status in (200, 400, 413, 415, 422), answer.status
    if answer.status == 200:
        fields = json.loads(body)
        assert set(fields) <= {"ubigeo", "horizon", "as_of"}, "a field that is none is refused"


def test_a_body_too_large_is_refused_before_it_is_read(house: House) -> None:
    length = (b"content-length", b"10000000")
    answer = house.door.ask(bearer(house.key), length)
    sound(answer)
    assert answer.status == 413


def test_days_that_no_calendar_reaches_are_refused(house: House) -> None:
    alerts = bearer(house.make(scopes=("outbreak:alerts",)))
    for day in ("0001-01-01", "1899-12-31", "2200-01-01", "9999-12-31"):
        body = json.dumps({"ubigeo": "160101", "as_of": day}).encode()
        for reply in (
            house.door.ask(bearer(house.key), path=FORECAST, body=body),
            house.door.ask(alerts, path=f"/v1/outbreak/alerts?as_of={day}", method="GET"),
        ):
            sound(reply)
            assert (reply.status, reply.json()["where"]) == (400, "as_of")


@pytest.mark.parametrize("name", usecase.names())
def test_every_bound_is_in_the_openapi(name: str) -> None:
    """Whoever makes a client from it has the bounds: of each number, list and text in a request."""
    about = spec.load(name)
    page = application(about, kind.load(about.task)).openapi()
    slips, count = [], 0
    for path, operations in page["paths"].items():
        for operation in operations.values():
            parts = [p["schema"] for p in operation.get("parameters", ())]
            content = operation.get("requestBody", {}).get("content", {})
            for schema in [*parts, *(media["schema"] for media in content.values())]:
                for part in _parts(schema):
                    count += 1
                    slips += [f"{path}: {part}"] * (not _is_bounded(part))
    assert not slips, "\n".join(slips)
    assert count > 20


def _parts(schema: Any) -> Iterator[dict[str, Any]]:
    if isinstance(schema, list):
        for part in schema:
            yield from _parts(part)
    elif isinstance(schema, dict):
        if isinstance(schema.get("type"), str):
            yield schema
        for name, part in schema.items():
            if name not in ("examples", "default", "if", "then", "else"):
                yield from _parts(list(part.values()) if name == "properties" else part)


def _is_bounded(schema: dict[str, Any]) -> bool:
    if {"ge", "gt", "le", "lt", "min_length", "max_length"} & set(schema):
        return False
    return {
        "integer": {"minimum", "maximum"} <= set(schema),
        "number": {"minimum", "maximum"} <= set(schema),
        "array": {"minItems", "maxItems"} <= set(schema),
        "string": bool({"maxLength", "pattern", "enum", "const"} & set(schema)),
        "object": schema.get("additionalProperties") is False,
    }.get(schema["type"], True)


def test_a_repeated_entity_is_asked_for_once(house: House) -> None:
    body = json.dumps({"ubigeo": ["160101", "160201", "160101"] * 600}).encode()
    reply = house.door.ask(bearer(house.key), path=FORECAST, body=body)
    assert reply.json() == {"asked": ["160101", "160201"]}


def test_no_other_site_may_ask_and_no_method_is_open(house: House) -> None:
    origin = (b"origin", b"https://evil.example")
    header = (b"access-control-request-method", b"POST")
    for method in ("OPTIONS", "TRACE", "PUT", "DELETE", "GET"):
        assert house.door.ask(origin, header, method=method).status == 401, method
        answer = house.door.ask(bearer(house.key), origin, header, method=method)
        sound(answer)
        assert answer.status in (404, 405), method


def test_every_address_has_a_version_and_a_scope_that_a_role_can_hold() -> None:
    for path in outbreak_application().openapi()["paths"]:
        scope = roles.scope_of(re.sub(r"\{[^}]+\}", "1", path))
        assert path.startswith("/v1/") and scope != roles.ADMINISTRATION, path
        holders = [
            r for r in roles.ROLES if r != "administrator" and roles.opens(r, ("*:*",), scope)
        ]
        assert holders, path
    open_ = {*OPEN, *OPEN_FOLDERS}
    assert not [path for path in open_ if path.startswith("/v1")]
