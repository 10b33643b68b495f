"""Geometries of GeoJSON (RFC 7946) as fields: WKB, and the centroid's longitude and latitude."""

from __future__ import annotations

import json
from collections.abc import Collection
from decimal import Decimal
from typing import Any

GEOMETRY = "geometry"
WKB, LONGITUDE, LATITUDE = (f"{GEOMETRY}.{n}" for n in ("wkb", "longitude", "latitude"))


def add(records: list[dict[str, Any]], fields: Collection[str]) -> list[str | None]:
    """Add what is wanted of each record's geometry to it.

    `geometry.wkb` is well-known binary in hexadecimal (OGC 06-103r4), `geometry.longitude` and
    `geometry.latitude` are the centroid's, in degrees (WGS 84).

    Returns:
        Why the geometry of a record cannot be used; None where it can, or nothing is wanted.
    """
    faults: list[str | None] = [None] * len(records)
    if not {WKB, LONGITUDE, LATITUDE} & set(fields):
        return faults
    import shapely

    for number, record in enumerate(records):
        value = record.get(GEOMETRY)
        shape = shapely.from_geojson(json.dumps(value, default=float), on_invalid="ignore")
        record.update({WKB: None, LONGITUDE: None, LATITUDE: None})
        if value is None:
            continue
        if shape is None or shape.is_empty:
            faults[number] = "the geometry cannot be read"
            continue
        west, south, east, north = shape.bounds
        if west < -180 or east > 180 or south < -90 or north > 90:
            faults[number] = "the geometry is not in degrees of longitude and latitude"
            continue
        record[WKB] = shapely.to_wkb(shape, hex=True)
        record[LONGITUDE] = Decimal(f"{shape.centroid.x:.6f}")
        record[LATITUDE] = Decimal(f"{shape.centroid.y:.6f}")
    return faults
