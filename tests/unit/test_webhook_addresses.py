"""Where a notice may go: a public address by https, and networks that the operator names."""

from __future__ import annotations

import asyncio

import pytest

from yupana.core.errors import UsageError, YupanaError
from yupana.webhooks import address


@pytest.mark.parametrize(
    "url",
    ["http://agency.example/", "http://localhost/", "ftp://agency.example/", "https://", "https:///x",
     "https://u:p@agency.example/", "https://agency.example/#a", "https://agency.example:99999/",
     "https://agencia.ejemplo/ñ", "https://a b/", f"https://a.example/{'x' * 2000}", "//a.example"],
)  # fmt: skip
def test_an_address_that_is_not_https_with_a_host_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match="cannot go to this address"):
        address.demand(url)


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254",
     "100.64.0.1", "0.0.0.0", "224.0.0.1", "255.255.255.255", "::1", "fe80::1", "fd00::1",
     "::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::", "2130706433", "0x7f.1"],
)  # fmt: skip
def test_no_notice_goes_into_the_platforms_own_network(host: str) -> None:
    with pytest.raises(YupanaError, match="not a public one"):
        asyncio.run(address.resolve(host, 443, ()))


def test_a_public_address_and_a_network_that_is_named_are_written_to() -> None:
    assert asyncio.run(address.resolve("8.8.8.8", 443, ())) == "8.8.8.8"
    named = address.networks("10.20.0.0/16, fd00::/8")
    assert asyncio.run(address.resolve("10.20.3.4", 443, named)) == "10.20.3.4"
    with pytest.raises(YupanaError):
        asyncio.run(address.resolve("10.21.3.4", 443, named))
    with pytest.raises(UsageError, match="network cannot be used"):
        address.networks("10.20.0.1/16")
