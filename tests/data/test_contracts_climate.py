"""Climate of Iquitos: padded sentinels, blank lines, odd headers, workbooks."""

from __future__ import annotations

import math
import re
import zipfile
from datetime import date
from pathlib import Path
from xml.etree import ElementTree

import pandas as pd
import polars as pl
import pytest
from realdata import publish

from yupana.config.settings import Settings

pytestmark = [pytest.mark.real]
FOLDER = "iquitos_challenge/Environmental_data"


def plain(values: pd.Series) -> list[float | None]:
    return [None if math.isnan(v) else float(v) for v in values.astype(float)]


def sheet(path: Path, name: str) -> pd.DataFrame:
    """A workbook's sheet, read from its XML: another reader than the platform's."""
    with zipfile.ZipFile(path) as book:

        def read(part: str) -> ElementTree.Element:
            text = re.sub(r' xmlns="[^"]+"', "", book.read(f"xl/{part}").decode(), count=1)
            return ElementTree.fromstring(text)

        sheets = [s.get("name") for s in read("workbook.xml").iter("sheet")]
        strings = ["".join(t.text or "" for t in si.iter("t")) for si in read("sharedStrings.xml")]
        rows = []
        for row in read(f"worksheets/sheet{sheets.index(name) + 1}.xml").iter("row"):
            cells = {re.sub(r"\d", "", c.get("r", "")): c for c in row}
            values = {k: c.findtext("v") for k, c in cells.items()}
            texts = [k for k, c in cells.items() if c.get("t") == "s"]
            rows.append({**values, **{k: strings[int(str(values[k]))] for k in texts}})
    return pd.DataFrame(rows)


def test_station(lake: Settings, shared) -> None:
    path = shared(f"{FOLDER}/IquitosPE000084377.csv")
    raw = pd.read_csv(path, skipinitialspace=True, na_values=[-9999.0])
    result = publish(lake, "iquitos_station_daily", path)
    assert result.counts == (14_554, 14_554, 0)
    columns = {
        "temperature_max": "TMAX",
        "temperature_min": "TMIN",
        "temperature_mean": "TAVG",
        "temperature_range": "TDTR",
        "precipitation": "PRCP",
    }
    for ours, theirs in columns.items():
        assert result.good[ours].to_list() == plain(raw[theirs]), ours
    assert result.good["temperature_max"].null_count() == 6149
    highest = [result.good[name].max() for name in ("temperature_max", "precipitation")]
    assert highest == [42.2, 461.3]
    assert result.flags == {"temperature_max.outlier_flag": 2, "precipitation.outlier_flag": 5}
    days = result.good["date"]
    assert (days.min(), days.max()) == (date(1973, 1, 2), date(2015, 3, 14))
    assert (days.max() - days.min()).days + 1 - days.n_unique() == 858


def test_vegetation(lake: Settings, shared) -> None:
    path = shared(f"{FOLDER}/iquitos_noqc.csv")
    raw = pd.read_csv(path, skipinitialspace=True)
    result = publish(lake, "iquitos_ndvi_weekly", path)
    assert result.counts == (1691, 1691, 0)
    pixels = [c for c in result.good.columns if c.startswith("ndvi_")]
    for ours, theirs in zip(pixels, raw.columns[2:], strict=True):
        assert result.good[ours].to_list() == plain(raw[theirs])
    assert sum(result.good[c].null_count() for c in pixels) == 60
    assert result.good["source_line"].min() == 3  # the second line is blank
    assert result.good.filter(pl.col("week") == 53)["year"].to_list() == [2002]
    assert sum(result.flags.values()) == int((raw.iloc[:, 2:] < 0).sum().sum()) == 8


@pytest.mark.parametrize(
    ("name", "file", "tab", "days", "measures"),
    [
        ("iquitos_reanalysis_daily", "Iquitos.xlsx", "RanalysisTemp", 13_259, 5),
        ("iquitos_humidity_daily", "Iquitos.xlsx", "ReanalysisHumidity", 13_254, 4),
        ("iquitos_precipitation_daily", "Iquitos_Precip.xlsx", "Iquitos", 11_408, 1),
    ],
)
def test_workbooks(
    lake: Settings, shared, name: str, file: str, tab: str, days: int, measures: int
) -> None:
    path = shared(f"{FOLDER}/{file}")
    result = publish(lake, name, path)
    # The row of units below the header is not a day.
    assert result.counts == (days + 1, days, 1)
    assert result.aside["source_line"].to_list() == [2]
    raw = sheet(path, tab).iloc[2:]
    ours = result.good.select(result.good.columns[4 : 4 + measures])
    for place, column in enumerate(ours.columns, 3):
        expected = raw.iloc[:, place].astype(float).replace(-9999, float("nan"))
        # The workbook holds 11.899999999999977 where it shows 11.9.
        assert ours[column].to_list() == [pytest.approx(v, abs=1e-9) for v in plain(expected)]
    parts = dict(zip(("year", "month", "day"), raw.iloc[:, :3].astype(int).T.values, strict=True))
    assert result.good["date"].to_list() == list(pd.to_datetime(parts).dt.date)
    if name == "iquitos_precipitation_daily":
        assert result.good["precipitation"].null_count() == 121
