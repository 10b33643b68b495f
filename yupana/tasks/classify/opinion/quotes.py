"""Typical texts of a label: those nearest to the mean of its groups by TF-IDF."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from yupana.tasks.classify.opinion.texts import masked

Array = np.ndarray[Any, np.dtype[Any]]

MOST = 3
SHORTEST, LONGEST = 50, 280
"""Characters of a text that is quoted whole: a cut one may say what its author did not."""

_WORDS_OF_A_SENTENCE = 4
_LEADS_OUT = re.compile(r"https?:|www\.|@\w|<[a-z/]|&[a-z]+;", re.IGNORECASE)
_CALLS_SOMEBODY = re.compile(
    r"^\W*\w+,|\b(?:apreciad|estimad|querid)[oa]\b|\b(?=\w*\d)(?=\w*[a-z])\w{4,}\b", re.IGNORECASE
)
"""«María, …», «Estimado …», and what looks like an account: eb4ctv."""

ALIKE = 0.5
"""Cosine from which on a text says what another quoted one does."""


class Quotes:
    """Chooses among masked texts."""

    def __init__(self, texts: Sequence[str], groups: Array, terms: Any) -> None:
        """
        Args:
            texts: masked.
            groups: number of each text's group (texts,).
            terms: which terms each text has, sparse, shape (texts, terms).
        """
        from sklearn.feature_extraction.text import TfidfTransformer

        self._texts, self._groups = [" ".join(text.split()) for text in texts], groups
        self._vectors = TfidfTransformer().fit_transform(terms) if terms.shape[1] else terms

    def of(self, mine: Array, allowed: Array) -> tuple[str, ...]:
        """The most typical of some texts, of each group one.

        Args:
            mine: which texts are of the label (texts,).
            allowed: which may be quoted: of no cell that is hidden (texts,).
        """
        rows = np.flatnonzero(mine)
        # A loud group is one voice among the groups.
        names, of, sizes = np.unique(self._groups[rows], return_inverse=True, return_counts=True)
        weight = 1 / sizes[of] / len(names)
        centre = np.asarray(weight @ self._vectors[rows]).ravel()
        near = np.asarray(self._vectors[rows] @ centre).ravel()
        chosen: list[int] = []
        heard: set[int] = set()
        for at in np.argsort(-near, kind="stable"):
            row = int(rows[at])
            if not allowed[row] or self._groups[row] in heard or not _is_plain(self._texts[row]):
                continue
            if any((self._vectors[row] @ self._vectors[c].T).sum() > ALIKE for c in chosen):
                continue
            chosen.append(row)
            heard.add(int(self._groups[row]))
            if len(chosen) == MOST:
                break
        # Lines that are joined may show what they hid.
        return tuple(masked(self._texts[row]) for row in chosen)


def _is_plain(text: str) -> bool:
    """Whether a text is short enough, leads to nobody's page, and names nobody at its ends."""
    if not SHORTEST <= len(text) <= LONGEST:
        return False
    if _LEADS_OUT.search(text) or _CALLS_SOMEBODY.search(text):
        return False
    # A greeting or a name that the detector does not know stands alone at the end.
    last = [part for part in re.split(r"[.!?\n]+", text) if part.strip()][-1:]
    return bool(last) and len(last[0].split()) >= _WORDS_OF_A_SENTENCE
