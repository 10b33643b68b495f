"""What a use case's entities are called, in words, and where they lie."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from yupana.core.errors import UsageError
from yupana.core.spec import Bilingual


@dataclass(frozen=True)
class Noun:
    """A word for people, in Spanish and English, one and many."""

    es: str
    es_many: str
    en: str
    en_many: str
    feminine: bool = False

    @property
    def o(self) -> str:
        """The vowel that Spanish adjectives and the articles of many take from it."""
        return "a" if self.feminine else "o"

    @property
    def a(self) -> str:
        """With the indefinite article, Spanish."""
        return f"{'una' if self.feminine else 'un'} {self.es}"

    @property
    def this(self) -> str:
        """This one, Spanish."""
        return f"{'esta' if self.feminine else 'este'} {self.es}"

    @property
    def of_the(self) -> str:
        """Of the one, Spanish."""
        return f"{'de la' if self.feminine else 'del'} {self.es}"

    def count(self, many: int) -> Bilingual:
        """So many of them."""
        es, en = (self.es, self.en) if many == 1 else (self.es_many, self.en_many)
        return Bilingual(es=f"{many} {es}", en=f"{many} {en}")

    @property
    def the(self) -> str:
        """The one, Spanish."""
        return f"{'la' if self.feminine else 'el'} {self.es}"

    @property
    def the_many(self) -> str:
        """All that there are, Spanish."""
        return f"l{self.o}s {self.es_many}"


WEEK = Noun("semana", "semanas", "week", "weeks", feminine=True)
MONTH = Noun("mes", "meses", "month", "months")
PERIODS = {"week": WEEK, "month": MONTH}


class Places:
    """Names of entities, and the areas that they lie in; this one knows neither.

    Attributes:
        noun: what an entity is.
        listing: field of answers that lists entities.
        area: field and parameter that names an area; empty: there are none.
        area_pattern: how its codes look.
        everywhere: what the file of all areas is called.
        code: what an entity's code is called.
        how_to_code: how a code is sent.
        pattern: how a code looks.
        wider: the sums that change with an entity's counts.
    """

    noun: ClassVar[Noun] = Noun("lugar", "lugares", "place", "places")
    listing: ClassVar[str] = "places"
    area: ClassVar[str] = ""
    area_pattern: ClassVar[str] = "^$"
    everywhere: ClassVar[str] = "all"
    code: ClassVar[Bilingual] = Bilingual(es="código", en="code")
    how_to_code: ClassVar[Bilingual] = Bilingual(es="un código", en="a code")
    how_to_area: ClassVar[str] = "No envíe un área. / Send no area."
    pattern: ClassVar[str] = r"^\S{1,64}$"
    wider: ClassVar[Bilingual] = Bilingual(es="las áreas en que está", en="the areas it lies in")
    names_of: ClassVar[tuple[str, ...]] = ()
    """Fields that `names` fills."""

    def names(self, entity: str) -> dict[str, str]:
        """Names of an entity and of what it lies in, by field; empty where its code is none."""
        return {}

    def area_of(self, entity: str) -> str:
        """Code of the area that an entity lies in; the features look no further."""
        return ""

    def area_name(self, code: str) -> str:
        """Name of an area.

        Raises:
            UsageError: there is no such area.
        """
        raise UsageError(
            f"No hay un área {code}. / There is no area {code}.",
            where=self.area or "area",
            fix=self.how_to_area,
        )

    def boundaries(self, path: Path) -> dict[str, Any]:
        """GeoJSON geometry by entity, of a file of boundaries; none where they are not known."""
        return {}
