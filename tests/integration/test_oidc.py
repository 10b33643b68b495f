"""Bearer tokens of an issuer that runs on this machine: good, forged, late, rotated, revoked."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from door import Door, ask, bearer
from local_issuer import MAKE, LocalIssuer, local_issuer

from yupana.config.settings import Settings
from yupana.identity import activity, api_keys, oidc

START = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def issuer() -> Iterator[LocalIssuer]:
    with local_issuer() as running:
        yield running


@pytest.fixture
def given(issuer: LocalIssuer, tmp_path: Path) -> Settings:
    return Settings(home=tmp_path, oidc_issuer=issuer.url)


@pytest.fixture
def door(given: Settings) -> Iterator[Door]:
    made = Door(given.platform_db, oidc.configured(given))
    yield made
    made.close()


def refusals(door: Door, given: Settings) -> list[str]:
    door.access.writer.flush()
    return [str(row["facts"]["reason"]) for row in activity.listing(given.platform_db, START)]


def unsigned(header: dict[str, Any], claims: dict[str, Any], signature: bytes = b"") -> str:
    parts = [json.dumps(header).encode(), json.dumps(claims).encode(), signature]
    return ".".join(base64.urlsafe_b64encode(p).decode().rstrip("=") for p in parts)


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "EdDSA"])
def test_a_good_token_gets_in_as_who_the_issuer_says(
    issuer: LocalIssuer, door: Door, algorithm: str
) -> None:
    issuer.add("mine", algorithm)
    answer = ask(door, issuer.token("mine"))
    assert answer.status == 200
    assert answer.json() == {
        "id": oidc.subject_id(issuer.url, "ana"), "agency": "DIRESA Loreto", "role": "agency",
    }  # fmt: skip
    assert answer.headers["ratelimit-policy"] == '"rate";q=60;w=60, "quota";q=10000;w=86400'
    assert door.ask(bearer(issuer.token("mine")), path="/v1/outbreak/train").status == 403
    again = [ask(door, issuer.token("mine", sub="luis")).status for _ in range(3)]
    assert again == [200] * 3 and len(issuer.asked) == 2, "the keys are read once"


def test_what_is_forged_or_not_meant_for_us_is_refused_and_logged(
    issuer: LocalIssuer, door: Door, given: Settings
) -> None:
    rsa_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    issuer.add("rsa", "RS256", rsa_key)
    public = rsa_key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    now, good = time.time(), issuer.token()
    claims = jwt.decode(good, options={"verify_signature": False})
    stranger = MAKE["ES256"]()
    head, body, signature = good.split(".")
    # PyJWT itself refuses to sign with a public key: the attacker's library does not.
    confused = unsigned({"alg": "HS256", "kid": "rsa"}, claims).rsplit(".", 1)[0]
    hmac = jwt.get_algorithm_by_name("HS256").sign(confused.encode(), public)
    widened = unsigned({}, {**claims, "roles": ["administrator"]}).split(".")[1]
    own_key = jwt.get_algorithm_by_name("ES256").to_jwk(stranger.public_key(), as_dict=True)
    cases = {
        "expired": [issuer.token(exp=now - 31)],
        "early": [issuer.token(nbf=now + 60), issuer.token(iat=now + 60)],
        "audience": [issuer.token(aud="another"), issuer.token(aud=["a", "b"])],
        "issuer": [issuer.token(iss="https://sso.example")],
        "claims": [issuer.token(**{name: None}) for name in ("iss", "sub", "exp", "iat", "aud")],
        "algorithm": [
            unsigned({"alg": "none", "kid": "first"}, claims),
            unsigned({"alg": "None", "kid": "first"}, claims, b"x"),
            f"{confused}.{base64.urlsafe_b64encode(hmac).decode().rstrip('=')}",
        ],
        "signature": [
            f"{head}.{widened}.{signature}",
            f"{head}.{body}.",
            f"{head}.{body}.{base64.urlsafe_b64encode(bytes(64)).decode().rstrip('=')}",
            jwt.encode(claims, stranger, "ES256", headers={"kid": "first"}),
            jwt.encode(claims, stranger, "ES256", headers={"kid": "first", "jwk": own_key}),
        ],
        "kid": [
            issuer.token(header={"kid": "never"}),
            issuer.token(header={"kid": "../keys"}),
            issuer.token("rsa", header={"kid": "first"}),
            jwt.encode(claims, stranger, "ES256"),
        ],
        "malformed": ["a.b.c", "..", f"{head}.{body}.!", f"{good[:40]}.{'x' * 9000}.y"],
    }
    assert ask(door, good).status == 200
    for reason, tokens in cases.items():
        for token in tokens:
            answer = ask(door, token)
            assert answer.status == 401, (reason, token)
            assert ("venció" in answer.body.decode()) == (reason == "expired")
            assert "www-authenticate" in answer.headers
            assert refusals(door, given)[-1] == reason, token
    logged = json.dumps(activity.listing(given.platform_db, START), default=str)
    for secret in ("never", "../keys", "sso.example", "ana", "another"):
        assert secret not in logged.replace("another key", ""), secret
    assert ask(door, issuer.token(exp=now - 20)).status == 200, "clocks may differ by 30 seconds"


def test_a_token_that_tells_no_role_or_several_or_no_agency_opens_nothing(
    issuer: LocalIssuer, door: Door, given: Settings
) -> None:
    for wrong in (
        {"roles": None}, {"roles": []}, {"roles": ["king"]}, {"roles": {"agency": 1}},
        {"roles": ["agency", "auditor"]}, {"roles": ["*"]}, {"agency": None}, {"agency": "a\x1b["},
        {"agency": ["DIRESA Loreto"]}, {"agency": ""},
    ):  # fmt: skip
        assert ask(door, issuer.token(**wrong)).status == 403, wrong
    assert ask(door, issuer.token(roles="agency")).status == 200
    assert ask(door, issuer.token(roles=["agency", "offline_access", "agency"])).status == 200
    assert ask(door, issuer.token(roles=["auditor"])).status == 403, "auditors ask nothing new"
    door.access.writer.flush()
    row = activity.listing(given.platform_db, START)[0]
    assert (row["key_id"], row["facts"]["reason"], row["facts"]["scope"]) == (
        oidc.subject_id(issuer.url, "ana"), "role", "outbreak:forecast",
    )  # fmt: skip
    assert set(refusals(door, given)) == {"role", "agency", "scope"}


@pytest.mark.parametrize("claim", ["realm_access.roles", "https://example.org/roles"])
def test_the_roles_are_where_the_issuer_puts_them(
    issuer: LocalIssuer, tmp_path: Path, claim: str
) -> None:
    given = Settings(home=tmp_path, oidc_issuer=issuer.url, oidc_roles_claim=claim)
    door = Door(given.platform_db, oidc.configured(given))
    nested = {"realm_access": {"roles": ["agency"]}, "https://example.org/roles": ["agency"]}
    assert ask(door, issuer.token(roles=None, **nested)).status == 200
    assert ask(door, issuer.token(roles=["agency"])).status == 403
    door.close()


def test_keys_are_rotated_and_unknown_ones_ask_once_in_a_while(
    issuer: LocalIssuer, door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = issuer.token()
    assert ask(door, old).status == 200
    issuer.add("second")
    new = issuer.token("second")
    flood = [issuer.token(header={"kid": f"k{i}"}) for i in range(20)]
    assert {ask(door, token).status for token in flood} == {401}
    assert len(issuer.asked) == 2, "the keys were read a moment ago"
    monkeypatch.setattr(oidc, "WAIT_SECONDS", 0.2)
    time.sleep(0.3)
    # All that came while the keys were read wait for the one reading.
    answer = door.ask_at_once(bearer(token) for token in (new, *flood, new))
    assert [t.status for t in answer] == [200, *[401] * 20, 200] and len(issuer.asked) == 4
    del issuer.private["first"]
    monkeypatch.setattr(oidc, "FRESH_SECONDS", 0.1)
    time.sleep(0.3)
    ask(door, new)
    end = time.monotonic() + 5
    while ask(door, old).status == 200 and time.monotonic() < end:
        time.sleep(0.05)
    assert ask(door, old).status == 401, "a withdrawn key is refused"


def test_an_issuer_that_is_away(
    issuer: LocalIssuer, door: Door, given: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(oidc, "AGAIN_SECONDS", 0.0)
    issuer.status = 500
    assert ask(door, issuer.token()).status == 503, "nothing is known of it yet"
    terms = api_keys.Terms("A", ("outbreak:forecast",))
    key = api_keys.create(given.platform_db, terms, now=datetime.now(UTC), by="test")
    assert ask(door, key).status == 200, "keys do not need it"
    issuer.status = 200
    assert ask(door, issuer.token()).status == 200
    issuer.status = 500
    for constant in ("FRESH_SECONDS", "WAIT_SECONDS"):
        monkeypatch.setattr(oidc, constant, 0.0)
    time.sleep(0.05)
    assert ask(door, issuer.token()).status == 200, "its keys are trusted for a while"
    time.sleep(0.2)
    assert ask(door, issuer.token(header={"kid": "new"})).status == 503, "no one can tell"
    monkeypatch.setattr(oidc, "TRUST_SECONDS", 0.01)
    answer = ask(door, issuer.token())
    assert answer.status == 503 and answer.headers["retry-after"] == "5"


@pytest.mark.parametrize(
    "wrong",
    [
        {"status": 302},
        {"body": b"not json"},
        {"body": b'["a list"]'},
        {"body": b"[" * 100_000},
        {"body": b"x" * 200, "drip": 0.05},
        {"described": {"issuer": "https://evil.example"}},
        {"described": {"more": "x" * oidc.MOST_BYTES}},
        {"described": {"jwks_uri": "http://0.0.0.0:PORT/keys"}},
        {"described": {"jwks_uri": "file:///etc/passwd"}},
        {"described": {"jwks_uri": 7}},
        {"described": {"jwks_uri": None}},
        {"private": {}},
        {"seconds": 3},
    ],
    ids=lambda wrong: "-".join(wrong),
)
def test_what_the_issuer_sends_is_not_trusted_blindly(
    issuer: LocalIssuer, door: Door, wrong: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(oidc, "MOST_SECONDS", 1)
    token = issuer.token()
    for name, value in wrong.items():
        if name == "described":
            changed = json.dumps(value).replace("PORT", issuer.url.split(":")[-1])
            value = {**issuer.described, **json.loads(changed)}
        setattr(issuer, name, value)
    began = time.monotonic()
    assert ask(door, token).status == 503
    assert time.monotonic() - began < 8 and len(issuer.asked) <= 2
    assert "/etc" not in " ".join(issuer.asked)


def test_keys_that_may_not_sign_are_left_out(issuer: LocalIssuer, door: Door) -> None:
    issuer.add("short", "RS256", rsa.generate_private_key(public_exponent=65537, key_size=1024))
    issuer.add("good", "RS256")
    described = issuer.jwks()["keys"]
    for key in described:
        if key["kid"] == "first":
            key["use"] = "enc"
    private = {
        **jwt.get_algorithm_by_name("ES256").to_jwk(MAKE["ES256"](), as_dict=True),
        "kid": "x",
    }
    oct_key = {"kty": "oct", "kid": "shared", "k": "c2VjcmV0", "alg": "HS256"}
    keys = oidc._signing({"keys": [*described, oct_key, private, {"kty": "EC"}, {}, 7]})
    assert list(keys) == [("good", "RS256")]


def test_a_replayed_token_is_good_for_its_life_until_its_subject_is_revoked(
    issuer: LocalIssuer, door: Door, given: Settings
) -> None:
    token, other = issuer.token(iat=time.time() - 60), issuer.token(sub="luis")
    assert [ask(door, token).status for _ in range(2)] == [200, 200]
    subject = oidc.subject_id(issuer.url, "ana")
    now = datetime.fromtimestamp(time.time() - 40, UTC)
    api_keys.revoke_subject(given.platform_db, subject, now=now, by="test")
    time.sleep(1.1)
    answer = ask(door, token)
    assert answer.status == 401 and "revocada" in answer.body.decode()
    assert ask(door, other).status == 200
    assert ask(door, issuer.token()).status == 200, "what is issued later is good"
    door.access.writer.flush()
    logged = activity.listing(given.platform_db, START, subject)
    assert [row["what"] for row in logged] == ["revoke", "refused"]
    assert logged[1]["facts"]["reason"] == "revoked"
