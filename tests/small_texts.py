"""A small classifier: its files in a folder `models/` of its own, and a published table of texts
that were written for it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import polars as pl
import pytest

import models
from yupana.config.settings import ROOT, Settings
from yupana.core import spec, usecase
from yupana.data.lake import delta
from yupana.lineage import events

NAME, DATASET = "street_notes", "street_notes"
SPEC = """
name: street_notes
task: classify
title: {es: Avisos de la calle, en: Notes of the street}
data: {trigger: street_notes, required: [street_notes]}
entity: {key: note_id}
metric: {name: macro_f1, better: higher, baselines: [majority]}
features: {table: none, service: none}
model: {final: pool, files: [weights]}
actions: {classify: [agency]}
example: {entity: n000, title: {es: Uno, en: One}}
classify: {text: body, title: heading, label: topic, group: block, time: day, languages: [es]}
"""
LABELLING = r"""
labels: [agua, luz, ruido]
functions:
  - {name: water, version: 1, label: agua, words: {any: [agua, tubería*, fuga]}}
  - {name: water_again, version: 1, label: agua, words: {any: [agua, tubería*, fuga]}}
  - {name: light, version: 1, label: luz, words: {any: [farola*, apagad*], none: [música]}}
  - {name: noise, version: 1, label: ruido, pattern: 'm[uú]sica|ruidos?\b'}
"""
PYTHON = '''
from yupana.tasks.classify.labelling.functions import Text, labelling_function


@labelling_function("loud", 1)
def loud(text: Text) -> str | None:
    if "SECRETO" in text.text:
        raise ValueError(text.text)
    return "ruido" if text.text.isupper() else None
'''
PHRASES = {
    "agua": ("La tubería de la esquina {} pierde agua", "Hay una fuga junto al portal {}"),
    "luz": ("La farola {} lleva semanas apagada", "Toda la calle {} tiene luces apagadas"),
    "ruido": ("El bar {} pone música de noche", "Mucho ruido en el patio {}"),
}


def texts(each: int = 20) -> pl.DataFrame:
    """`each` texts a label, in ten blocks; the kit's columns."""
    rows = [
        {"entity": f"n{number * each + i:03}", "title": label if i % 3 else "",
         "text": PHRASES[label][i % 2].format(f"{number}{i}"), "label": label,
         "group": f"block-{i % 10}"}
        for number, label in enumerate(PHRASES) for i in range(each)
    ]  # fmt: skip
    return pl.DataFrame(rows)


def write_use_case(
    folder: Path, monkeypatch: pytest.MonkeyPatch, labelling: str = LABELLING, python: str = ""
) -> Iterator[Path]:
    """Write it to a folder that stands for `models/` meanwhile; yields its own folder."""
    home = folder / "models"
    mine = home / NAME
    mine.mkdir(parents=True)
    (mine / "__init__.py").write_text("", "utf-8")
    (mine / "usecase.yaml").write_text(SPEC, "utf-8")
    (mine / "labelling.yaml").write_text(labelling, "utf-8")
    if python:
        (mine / "labelling.py").write_text(python, "utf-8")
    for module in (usecase, spec):
        monkeypatch.setattr(module, "home", lambda: home)
    monkeypatch.setattr(models, "__path__", [*models.__path__, str(home)])
    yield mine
    for name in [n for n in sys.modules if n.startswith(f"models.{NAME}")]:
        del sys.modules[name]


def publish(home: Path, rows: pl.DataFrame) -> Settings:
    """Settings of a home where these texts are published, as a step leaves them."""
    settings = Settings(root=ROOT, home=home)
    table = settings.table("published", DATASET)
    table.parent.mkdir(parents=True, exist_ok=True)
    names = {"entity": "note_id", "title": "heading", "text": "body", "label": "topic",
             "group": "block"}  # fmt: skip
    dated = rows.rename(names).with_columns(day=pl.lit(date(2026, 1, 5)))
    dated.write_delta(table, mode="overwrite")
    ref = f"delta:published/{DATASET}@{delta.version_of(table)}"
    events.append(settings, "ingest", DATASET, status="done", outputs=(ref,))
    return settings
