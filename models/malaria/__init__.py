"""Malaria cases by parasite and district, 1 to 3 months ahead: what malaria adds to the kit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from yupana.core import spec
from yupana.core.spec import Bilingual
from yupana.tasks.forecast.places import Noun, Places
from yupana.tasks.forecast.usecases import ForecastUseCase

if TYPE_CHECKING:
    import polars as pl

    from yupana.tasks.forecast.dataset.panel_features import Layout


class Series(Places):
    """Series by the district's INEI code and the parasite, `160101-vivax`."""

    noun = Noun("serie", "series", "series", "series", feminine=True)
    listing = "series"
    code = Bilingual(es="código INEI y parásito", en="INEI code and parasite")
    how_to_code = Bilingual(
        es="un código INEI de seis dígitos y un parásito, como '160101-vivax'",
        en="a six-digit INEI code and a parasite, such as '160101-vivax'",
    )
    pattern = "^[0-9]{6}-[a-z]{1,20}$"


class Malaria(ForecastUseCase):
    """Monthly cases of P. vivax and P. falciparum, two series a district: `160101-vivax`."""

    places = Series()

    def layout(self) -> Layout:
        """See `feature_repo.malaria.monthly`."""
        from feature_repo.malaria import monthly

        return monthly.LAYOUT

    def counts(self, table: pl.DataFrame) -> pl.DataFrame:
        """A row a parasite, district and month, with the month's climate."""
        from feature_repo.malaria import monthly

        return monthly.counts(table)


USE_CASE = Malaria(spec.load("malaria"))
