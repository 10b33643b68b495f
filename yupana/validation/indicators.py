"""The four quality indicators of a published version, each counted and explained.

Measures are shares X = A/B as in ISO/IEC 25024:2015; each names the characteristic of
ISO/IEC 25012:2008 that it measures and the stage of the data's life in which it is taken.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Literal, NamedTuple

from yupana.core.types import Frozen
from yupana.data.contracts.contract import Contract
from yupana.data.lake.history import Publication

Stage = Literal["preparation", "development", "operation"]
# Longest wait between two issues, in days.
_EVERY = {"@daily": 1, "@weekly": 7, "@monthly": 31, "@yearly": 366}


class Ratio(NamedTuple):
    """A share as its two counts; `denominator` 0: it does not apply."""

    numerator: int
    denominator: int


class Part(Frozen):
    """One count that goes into an indicator; `denominator` 0 means that it does not apply."""

    es: str
    en: str
    numerator: int
    denominator: int

    @property
    def percent(self) -> float | None:
        return 100 * self.numerator / self.denominator if self.denominator else None


class Indicator(Frozen):
    """An indicator from 0 to 100 %; numerator and denominator are those of its own formula."""

    id: str
    name_es: str
    stage: Stage
    basis: str
    formula_es: str
    formula_en: str
    numerator: int
    denominator: int
    percent: float | None
    parts: tuple[Part, ...]


def readiness(
    contract: Contract, publication: Publication, as_of: date, last_period: date | None
) -> Indicator:
    """Whether the version can be worked with on a day: published, audited, described, in time.

    Args:
        last_period: first day of the newest period in the rows, None without a time axis.
    """
    texts = (contract.title, contract.publisher, contract.licence, contract.purpose)
    described = all(texts) and bool(contract.key or contract.granularity)
    wait = _EVERY.get(contract.schedule or "")
    late = timedelta(days=(wait or 0) + (contract.latency_days or 0))
    due = publication.known_on + late
    reaches = last_period if wait else None
    parts = (
        Part(es="Hay una versión publicada", en="A version is published",
             numerator=1, denominator=1),
        Part(es="Pasó su auditoría", en="It passed its audit",
             numerator=bool(publication.validation), denominator=contract.format != "object"),
        Part(es="Título, responsable, licencia, propósito y qué es una fila están descritos",
             en="Title, publisher, licence, purpose and what a row is are described",
             numerator=described, denominator=1),
        Part(es=f"La versión está vigente: hasta el {due}" if wait
             else "La versión está vigente (no se aplica: el contrato no fija frecuencia)",
             en=f"The version is in force: until {due}" if wait
             else "The version is in force (does not apply: the contract sets no frequency)",
             numerator=bool(wait) and as_of <= due, denominator=bool(wait)),
        Part(es=f"Sus datos eran recientes al conocerse: llegan hasta el {reaches}" if reaches
             else "Sus datos eran recientes al conocerse (no se aplica)",
             en=f"Its data were recent when it became known: they reach {reaches}" if reaches
             else "Its data were recent when it became known (does not apply)",
             numerator=reaches is not None and reaches + late >= publication.known_on,
             denominator=reaches is not None),
    )  # fmt: skip
    return _sum(
        parts,
        id="readiness",
        name_es="Disponibilidad para el uso",
        stage="operation",
        basis="ISO/IEC 25012 currentness, availability, understandability",
        formula_es="Condiciones cumplidas ÷ condiciones que se aplican. Vigente: fecha de consulta "
        "≤ fecha en que se conoció + frecuencia + retraso declarado en el contrato. Reciente: "
        "último período + frecuencia + retraso ≥ fecha en que se conoció.",
        formula_en="Conditions met ÷ conditions that apply. In force: date asked ≤ date known + "
        "frequency + delay stated in the contract. Recent: last period + frequency + delay ≥ date "
        "known.",
    )


def completeness(cells: Ratio, periods: Ratio) -> Indicator:
    """The lower of filled cells of all cells, and periods present of periods expected."""
    parts = (
        Part(es="Celdas con valor ÷ celdas (todas las columnas publicadas del contrato)",
             en="Cells with a value ÷ cells (all published columns of the contract)",
             numerator=cells.numerator, denominator=cells.denominator),
        Part(es="Períodos presentes ÷ períodos esperados entre el primero y el último",
             en="Periods present ÷ periods expected between the first and the last",
             numerator=periods.numerator, denominator=periods.denominator),
    )  # fmt: skip
    return _lowest(
        parts,
        id="completeness",
        name_es="Completitud",
        stage="development",
        basis="ISO/IEC 25012 completeness",
        formula_es="La menor de dos partes: celdas con valor ÷ celdas, y períodos presentes ÷ "
        "períodos esperados. Falta un período donde dos fechas seguidas distan 1,5 pasos "
        "habituales o más.",
        formula_en="The lower of two parts: cells with a value ÷ cells, and periods present ÷ "
        "periods expected. A period is absent where two dates in a row are 1.5 usual steps apart "
        "or more.",
    )


def usability(published: int, flagged: int, quarantined: int) -> Indicator:
    """Published rows without a quality flag, of all rows that were published or refused."""
    parts = (
        Part(es="Filas publicadas ÷ filas publicadas o en cuarentena",
             en="Rows published ÷ rows published or in quarantine",
             numerator=published, denominator=published + quarantined),
        Part(es="Filas publicadas sin marca de calidad ÷ filas publicadas",
             en="Published rows without a quality flag ÷ rows published",
             numerator=published - flagged, denominator=published),
    )  # fmt: skip
    numerator, denominator = published - flagged, published + quarantined
    return Indicator(
        id="usability",
        name_es="Utilidad",
        stage="development",
        basis="ISO/IEC 25012 accuracy, credibility",
        formula_es="Filas publicadas sin marca de calidad ÷ (filas publicadas + filas en "
        "cuarentena de los mismos archivos).",
        formula_en="Published rows without a quality flag ÷ (rows published + rows of the same "
        "files in quarantine).",
        numerator=numerator,
        denominator=denominator,
        percent=100 * numerator / denominator if denominator else None,
        parts=parts,
    )


def conformity(rules: Ratio, standards: Ratio) -> Indicator:
    """The lower of rule checks kept by the rows, and naming standards kept by the contract."""
    parts = (
        Part(es="Comprobaciones de reglas cumplidas ÷ hechas (cada regla en cada valor)",
             en="Rule checks kept ÷ made (each rule on each value)",
             numerator=rules.numerator, denominator=rules.denominator),
        Part(es="Normas de datos que el contrato cumple ÷ normas",
             en="Data standards that the contract keeps ÷ standards",
             numerator=standards.numerator, denominator=standards.denominator),
    )  # fmt: skip
    return _lowest(
        parts,
        id="conformity",
        name_es="Conformidad con las normas",
        stage="preparation",
        basis="ISO/IEC 25012 compliance, consistency",
        formula_es="La menor de dos partes: comprobaciones de reglas cumplidas ÷ hechas al leer "
        "el archivo, antes de apartar filas, y normas de nombres, formatos y códigos cumplidas ÷ "
        "normas.",
        formula_en="The lower of two parts: rule checks kept ÷ made when the file was read, before "
        "rows were set aside, and standards of names, formats and codes kept ÷ standards.",
    )


def _sum(parts: tuple[Part, ...], **about: str) -> Indicator:
    numerator = sum(p.numerator for p in parts)
    denominator = sum(p.denominator for p in parts)
    share = 100 * numerator / denominator if denominator else None
    return Indicator.model_validate(
        {**about, "numerator": numerator, "denominator": denominator, "percent": share,
         "parts": parts}
    )  # fmt: skip


def _lowest(parts: tuple[Part, ...], **about: str) -> Indicator:
    """The part with the lowest share speaks for the indicator."""
    applying = [p for p in parts if p.denominator]
    worst = min(applying, key=lambda p: p.numerator / p.denominator, default=parts[0])
    return Indicator.model_validate(
        {**about, "numerator": worst.numerator, "denominator": worst.denominator,
         "percent": worst.percent, "parts": parts}
    )  # fmt: skip
