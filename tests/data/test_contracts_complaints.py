"""Complaints with near-duplicate labels and dates of many shapes; a document kept whole."""

from __future__ import annotations

import re

import pandas as pd
import polars as pl
import pytest
from realdata import publish, whole_output

from yupana.config.settings import Settings
from yupana.core.hashing import file_sha256, pseudonym
from yupana.core.progress import Silent
from yupana.data.lake import delta
from yupana.orchestration.ingest import ingest

pytestmark = [pytest.mark.real]


def test_consumer_complaints(lake: Settings, shared) -> None:
    path = shared("complaints_caba_consumer/denuncias-defensa-del-consumidor.csv")
    raw = pd.read_csv(path, dtype=str, keep_default_na=False)
    result = publish(lake, "consumer_complaints", path)
    assert result.counts == (17_035, 17_033, 2)
    assert [list(r) for r in result.aside["broken_rules"]] == [["motive.required"]] * 2
    # One complaint has several motives: its number repeats, its motives do not.
    assert len(result.good) - result.good["complaint_id"].n_unique() == 1018
    raw = raw[raw["motivo_denuncia"] != "jdjdjdjd"]
    assert result.good["complaint_id"].cast(pl.String).to_list() == raw["denuncia_id"].to_list()
    assert result.good["date"].cast(pl.String).to_list() == raw["fecha"].to_list()
    motives = result.good["motive"]
    assert not motives.str.contains("  ").any() and not motives.str.contains("^ | $").any()
    assert raw["motivo_denuncia"].nunique() == 131 and motives.n_unique() == 114
    counts = dict(motives.value_counts().rows())
    assert counts["Falta de procesamiento de baja del servicio/ gastos asociados"] == 768 + 587
    assert result.good["sector"].n_unique() == 44
    assert result.good["sector"].to_list() == raw["rubro"].str.upper().to_list()


def test_many_shapes_of_a_date_are_read_as_their_normalised_twin(lake: Settings, shared) -> None:
    path = shared("messy_reclamos_csv/reclamos.csv")
    twin = pd.read_csv(shared("messy_reclamos_csv/rechamos_normalizado.csv"), sep=";", dtype=str)
    result = publish(lake, "complaints_messy", path)
    assert result.counts == (3339, 3339, 0)
    key = bytes.fromhex((lake.home / "keys" / "pseudonym.key").read_text().strip())
    names = [pseudonym(key, "complaints_messy.customer_id", c) for c in twin["id_cliente"]]
    assert result.good["customer_id"].to_list() == names
    assert result.good["zone"].to_list() == twin["tx_zona"].to_list()
    assert result.good["category"].to_list() == twin["tx_reclamo"].to_list()
    assert result.good["date"].cast(pl.String).to_list() == twin["fc_reclamo"].to_list()
    output = whole_output(lake)
    assert not re.search(r"AFG-\d{6}", output)


def test_year_first_dates_of_the_messy_file_are_ambiguous(shared) -> None:
    """Why the contract warns: the twin reads them against the file's own order."""
    raw = pd.read_csv(
        shared("messy_reclamos_csv/reclamos.csv"), sep=";", encoding="latin-1", dtype=str
    )
    twin = pd.read_csv(shared("messy_reclamos_csv/rechamos_normalizado.csv"), sep=";", dtype=str)
    days = pd.to_datetime(twin["fc_reclamo"])
    first = raw["fc_reclamo"].str.match(r"\d{4}-")
    other = days.where(~first, pd.to_datetime(raw["fc_reclamo"].where(first), format="%Y-%d-%m"))
    assert not days.is_monotonic_increasing and other.is_monotonic_increasing
    assert (days != other).sum() == 281


def test_the_protocol_is_kept_whole(lake: Settings, shared) -> None:
    path = shared("iquitos_challenge/dengue_forecasting_project_description.pdf")
    result = ingest(lake, "challenge_protocol", str(path), Silent())
    assert result.metrics["rows"] == {"read": 1, "published": 1, "quarantined": 0}
    row = delta.read(lake.table("published", "challenge_protocol")).row(0, named=True)
    assert (row["media_type"], row["bytes"]) == ("application/pdf", path.stat().st_size)
    assert file_sha256(lake.home / row["path"]) == file_sha256(path) == row["source_sha256"]
