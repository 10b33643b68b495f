"""Where an answer may lead: pages nowhere else, files not from outside to this machine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from many_lake import HEADER, NAME, project
from replay import File, Site, answer, serving

from yupana.core.errors import TerminalError
from yupana.core.progress import Silent
from yupana.data import sources
from yupana.data.contracts import contract as contracts
from yupana.data.sources import origin


@pytest.fixture
def sites() -> Iterator[tuple[Site, Site]]:
    with serving() as one, serving() as other:
        yield one, other


@pytest.mark.parametrize("query", ["", "?page={page}"])
def test_a_redirect_to_another_port_of_this_machine_is_not_followed(
    tmp_path: Path, sites: tuple[Site, Site], query: str
) -> None:
    lake = project(tmp_path, "snapshot", "in.csv")
    site, inner = sites
    inner.files["/secret.csv"] = File(f"{HEADER}secret,1,Ana\n".encode())
    site.faults.append(answer(302, Location=f"{inner.url}/secret.csv"))
    contract = contracts.load(lake.root, NAME)
    with pytest.raises(TerminalError, match=r"redirected|leads to this machine"):
        sources.fetch(lake, NAME, f"{site.url}/rows.csv{query}", Silent(), contract=contract)
    assert not inner.asked


@pytest.mark.parametrize("query", ["", "?page={page}"])
def test_a_redirect_on_the_same_origin_is_followed(
    tmp_path: Path, sites: tuple[Site, Site], query: str
) -> None:
    lake = project(tmp_path, "snapshot", "in.csv")
    site = sites[0]
    site.files["/new.csv"] = File(f"{HEADER}a,1,Ana\n".encode())
    site.faults.append(answer(302, Location="/new.csv"))
    contract = contracts.load(lake.root, NAME)
    raw = sources.fetch(lake, NAME, f"{site.url}/old.csv{query}", Silent(), contract=contract)
    assert b"a,1,Ana" in raw.path.read_bytes()


@pytest.mark.parametrize(
    ("here", "there", "refused"),
    [
        ("https://8.8.8.8/x", "https://1.1.1.1/x", False),
        ("https://8.8.8.8/x", "http://127.0.0.1/x", True),
        ("https://8.8.8.8/x", "http://[::1]/x", True),
        ("https://8.8.8.8/x", "http://[::ffff:10.0.0.1]/x", True),
        ("https://8.8.8.8/x", "http://169.254.169.254/x", True),
        ("https://8.8.8.8/x", "http://10.0.0.1/x", True),
        ("http://10.0.0.2/x", "http://10.0.0.1/x", False),
        ("http://10.0.0.2/x", "http://169.254.169.254/x", True),
        ("http://127.0.0.1:8000/x", "http://127.0.0.1:8000/y", False),
        ("http://127.0.0.1:8000/x", "http://127.0.0.1:8001/y", True),
    ],
)
def test_nobody_outside_leads_inside(here: str, there: str, refused: bool) -> None:
    try:
        origin.require_outward(httpx.URL(here), httpx.URL(there))
    except TerminalError as error:
        assert refused and "leads to this machine" in error.what
    else:
        assert not refused


def test_an_origin_is_scheme_host_and_port() -> None:
    same = httpx.URL("https://h/x")
    origin.require_same(same, httpx.URL("https://h:443/y?z"))
    for other in ("http://h/x", "https://h:444/x", "https://i/x"):
        with pytest.raises(TerminalError, match="another server"):
            origin.require_same(same, httpx.URL(other))
