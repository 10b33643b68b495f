"""A model from another platform is adopted only as its publisher shared it."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import bentoml
import pytest

from yupana.config.settings import Settings
from yupana.core import plain_files
from yupana.core.errors import TerminalError, UsageError, YupanaError
from yupana.ledger import signing
from yupana.serving import model_listing
from yupana.tracking import shared_models, subjects
from yupana.tracking.exchange import share_model
from yupana.tracking.shared_models import Trust

NAME = "outbreak"


class Exchange:
    """A model's folder and its metadata, as a publisher left them."""

    def __init__(self, root: Path) -> None:
        self.publisher = Settings(home=root / "publisher")
        self.receiver = Settings(home=root / "receiver")
        self.model, self.metadata = root / "model", root / shared_models.METADATA
        (self.model / "parts").mkdir(parents=True)
        (self.model / "weights.safetensors").write_bytes(b"weights")
        (self.model / "parts" / "run.json").write_text("{}")
        self.publish(self.publisher)
        self.trust = Trust(key=signing.public_key(self.publisher))

    def publish(self, publisher: Settings) -> None:
        files = shared_models.hashes(self.model)
        facts = {"name": NAME, "version": "3", "files": files}
        self.metadata.write_text(json.dumps(shared_models.sealed(publisher, facts)))

    def adopt(self, trust: Trust | None = None) -> list[str]:
        """Names of what is received."""
        published = shared_models.metadata(NAME, self.metadata, trust or self.trust)
        with shared_models.received(self.receiver, self.model, published) as shared:
            assert shared.version == 3
            return plain_files.names(shared.folder)

    def claim(self, **facts: object) -> None:
        """Edit the metadata as someone on the way would."""
        self.metadata.write_text(json.dumps(json.loads(self.metadata.read_text()) | facts))


@pytest.fixture
def exchange(tmp_path: Path) -> Exchange:
    return Exchange(tmp_path)


def test_what_was_shared_is_received_and_leaves_nothing_behind(exchange: Exchange) -> None:
    files = ["parts/run.json", "weights.safetensors"]
    assert exchange.adopt() == files
    trust = Trust(sha256=shared_models.sha256(shared_models.hashes(exchange.model)))
    assert exchange.adopt(trust) == files
    assert list(exchange.receiver.home.iterdir()) == []


def _edit(exchange: Exchange) -> None:
    (exchange.model / "weights.safetensors").write_bytes(b"scaled")


def _edit_with_list(exchange: Exchange) -> None:
    _edit(exchange)
    exchange.claim(files=shared_models.hashes(exchange.model))


def _sign_by_another(exchange: Exchange) -> None:
    _edit(exchange)
    exchange.publish(exchange.receiver)


def _add(exchange: Exchange) -> None:
    (exchange.model / "sitecustomize.py").write_text("print('here')")


def _remove(exchange: Exchange) -> None:
    (exchange.model / "parts" / "run.json").unlink()


def _link_file(exchange: Exchange) -> None:
    (exchange.model / "README.md").symlink_to("/etc/hostname")


def _link_listed_file(exchange: Exchange) -> None:
    away = exchange.model.parent / "away"
    shutil.move(exchange.model / "weights.safetensors", away)
    (exchange.model / "weights.safetensors").symlink_to(away)


def _link_folder(exchange: Exchange) -> None:
    (exchange.model / "etc").symlink_to("/etc")


def _link_the_whole(exchange: Exchange) -> None:
    away = exchange.model.rename(exchange.model.parent / "away")
    exchange.model.symlink_to(away)


def _pipe(exchange: Exchange) -> None:
    os.mkfifo(exchange.model / "README.md")


def _too_large(exchange: Exchange) -> None:
    with (exchange.model / "weights.safetensors").open("wb") as hole:
        hole.truncate(plain_files.MOST_BYTES + 1)


def _too_many(exchange: Exchange) -> None:
    for number in range(plain_files.MOST_FILES):
        (exchange.model / f"{number}").touch()


@pytest.mark.parametrize(
    ("attack", "message"),
    [
        (_edit, "'weights.safetensors' was changed"),
        (_edit_with_list, "not signed by this publisher's key, or was changed"),
        (_sign_by_another, "not signed by this publisher's key"),
        (_add, "'sitecustomize.py' is not among the files"),
        (_remove, "'parts/run.json' is missing"),
        (_link_file, "'README.md' is a link"),
        (_link_listed_file, "'weights.safetensors' is a link"),
        (_link_folder, "'etc' is a link"),
        (_link_the_whole, "'model' is no folder of plain files"),
        (_pipe, "'README.md' is a link, or no plain file"),
        (_too_large, "holds more than"),
        (_too_many, "holds more than"),
        (lambda e: e.claim(version="4"), "changed since"),
        (lambda e: e.claim(type="checkpoint"), "changed since"),
        (lambda e: e.claim(files={}), "changed since"),
        (lambda e: e.claim(files=None), "lists no files"),
        (lambda e: e.metadata.unlink(), "has no metadata"),
        (lambda e: e.metadata.write_text("{"), "is not JSON"),
        (lambda e: e.metadata.write_text("[]"), "lists no files"),
        (lambda e: e.metadata.write_bytes(b"\xff"), "no text in UTF-8"),
    ],
)
def test_what_is_not_as_it_was_shared_is_refused(
    exchange: Exchange, attack: Callable[[Exchange], object], message: str
) -> None:
    attack(exchange)
    with pytest.raises(TerminalError, match=message):
        exchange.adopt()
    home = exchange.receiver.home
    assert not home.exists() or [p.name for p in home.iterdir()] in ([], ["keys"])


@pytest.mark.parametrize(
    ("trust", "error"),
    [
        (Trust(), UsageError),
        (Trust(key="no key"), UsageError),
        (Trust(key="ab" * 32), YupanaError),
        (Trust(sha256="0" * 64), TerminalError),
    ],
)
def test_what_nobody_vouches_for_is_refused(
    exchange: Exchange, trust: Trust, error: type[YupanaError]
) -> None:
    with pytest.raises(error):
        exchange.adopt(trust)


def test_a_model_of_another_use_case_is_refused(exchange: Exchange) -> None:
    with pytest.raises(TerminalError, match="no shared version of 'malaria'"):
        shared_models.metadata("malaria", exchange.metadata, exchange.trust)


def test_what_is_linked_is_not_shared(exchange: Exchange) -> None:
    _link_file(exchange)
    with pytest.raises(TerminalError, match=r"'README\.md' is a link"):
        share_model(exchange.publisher, exchange.model, NAME, "3", {})


@pytest.mark.usefixtures("own_store")
def test_a_card_that_is_a_link_is_not_shown() -> None:
    with bentoml.models.create(f"{NAME}:3") as stored:
        (Path(stored.path) / "README.md").write_text("# Ficha")
    assert model_listing.card(NAME, 3).body == b"# Ficha"
    card = Path(bentoml.models.get(f"{NAME}:3").path) / "README.md"
    card.unlink()
    card.symlink_to("/etc/hostname")
    assert model_listing.card(NAME, 3).status_code == 404


def test_a_model_whose_fit_listed_no_files_counts_as_changed(exchange: Exchange) -> None:
    assert subjects.of_folder(NAME, 3, exchange.model).changed
