"""Features by what they tell of, as explanations speak of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from yupana.core.spec import Bilingual
from yupana.data.national import areas
from yupana.tasks.forecast.entities import ENTITY

if TYPE_CHECKING:
    from yupana.tasks.forecast.dataset.panel_features import Layout
    from yupana.tasks.forecast.places import Noun


@dataclass(frozen=True)
class Group:
    """Features that tell of one thing; `starts` are beginnings of their names."""

    code: str
    es: str
    en: str
    starts: tuple[str, ...]

    @property
    def words(self) -> Bilingual:
        """What the features are about."""
        return Bilingual(es=self.es, en=self.en)


OTHER = Group("other", "Otros datos", "Other data", ())
"""Features that no group names, so that the parts sum to the difference whatever a model reads."""


def of_layout(layout: Layout, noun: Noun) -> tuple[Group, ...]:
    """The groups of a layout's features; those of no layout are in `OTHER`.

    Args:
        noun: what an entity is called.
    """
    year = layout.frequency.year
    long, short = (
        tuple(f"mean_{n}" for n in layout.means if (n >= year) == is_long)
        for is_long in (True, False)
    )
    words = {name: areas.NAMES.get(name, (name, name)) for name in layout.groups}
    groups = (
        # First: `mean_1` begins `mean_12` as well.
        Group("place", f"Nivel habitual {noun.of_the}", f"Usual level of the {noun.en}",
              (ENTITY, *long)),
        Group("recent_cases", f"Casos recientes {noun.of_the}", f"Recent cases of the {noun.en}",
              ("cases_lag_", *short, layout.silence)),
        *(
            Group(name, f"Casos recientes ({es})", f"Recent cases ({en})", (f"{name}_lag_",))
            for name, (es, en) in words.items()
        ),
        Group("season", "Época del año", "Time of the year",
              (*layout.frequency.season, "event_time")),
        Group("measures", "Mediciones recientes", "Recent measurements", tuple(layout.measures)),
        Group("reporting", "Parte ya notificada", "Share reported so far", ("completeness",)),
    )  # fmt: skip
    return tuple(group for group in groups if group.starts)


def group_of(groups: Sequence[Group], feature: str) -> Group:
    """The group that a feature belongs to."""
    return next((g for g in groups if feature.startswith(g.starts)), OTHER)
