"""Words that tell a label from the others: log-odds with an informative Dirichlet prior.

Monroe, Colaresi, Quinn 2008, Fightin' Words, Political Analysis 16:372. A word counts once a text,
and what is told holds beyond chance over groups.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from yupana.core.disclosure import FEWEST
from yupana.tasks.classify import resamples
from yupana.tasks.classify.fold import fold
from yupana.tasks.classify.opinion.result import Term
from yupana.tasks.classify.resamples import Resamples

Array = np.ndarray[Any, np.dtype[Any]]

MOST = 12
PRIOR = 500.0
"""Words of the prior, spread as those of all texts."""

FILLED = 6
"""Terms up to which those of a few groups are told too, as such."""

LEAST = float(np.log(1.5))
"""Log-odds above which the whole interval of a told term lies."""

_TRIED = 200
"""Terms of a label, the surest first, whose interval is looked at."""

_WORD = re.compile(r"[^\W\d_]{3,}")
_NO_WORD = re.compile(r"\[[^\]\s]{2,20}\]|https?://\S+|<[^>]*>|&\w+;|@\S+")


@dataclass(frozen=True)
class Counts:
    """In which texts terms stand.

    Attributes:
        matrix: sparse, shape (texts, terms), 1 where a text has a term.
        terms: as they are most often spelt.
    """

    matrix: Any
    terms: Array


def count(texts: Sequence[str]) -> Counts:
    """The words, and pairs of neighbours, that five texts or more have."""
    from sklearn.feature_extraction.text import CountVectorizer

    spelt: dict[str, Counter[str]] = defaultdict(Counter)
    of_texts = [_terms(text, spelt) for text in texts]
    vectorizer = CountVectorizer(analyzer=lambda terms: terms, binary=True, dtype=np.float64)
    # It refuses texts without any term; the blank is of one text, and goes as too rare.
    matrix = vectorizer.fit_transform([*of_texts, [" "]])[:-1]
    often = np.asarray(matrix.sum(axis=0)).ravel() >= FEWEST
    names = vectorizer.get_feature_names_out()[often]
    return Counts(matrix[:, often], np.array([_spelling(name, spelt) for name in names], object))


def of_label(
    counts: Counts, mine: Array, groups: Array, draws: Resamples, most: int = MOST
) -> tuple[Term, ...]:
    """The terms that tell some texts from the others, the surest first.

    Args:
        mine: which texts (texts,).
        groups: number of each text's group (texts,).
    """
    from scipy import sparse

    if mine.all() or not len(counts.terms):
        return ()
    whole = np.asarray(counts.matrix.sum(axis=0)).ravel()
    inside = np.asarray(counts.matrix[mine].sum(axis=0)).ravel()
    prior, sums = PRIOR * whole / whole.sum(), np.array([inside.sum(), whole.sum()])
    odds = _log_odds(inside, whole - inside, sums[0], sums[1] - sums[0], prior)
    z = odds / np.sqrt(1 / (inside + prior) + 1 / (whole - inside + prior))
    order = np.argsort(-z, kind="stable")
    tried = order[(z[order] > 1.96) & (inside[order] >= FEWEST)][:_TRIED]
    if not len(tried):
        return ()
    rows = np.arange(len(mine))
    by_group = sparse.csr_matrix((np.ones(len(mine)), (groups, rows)), (draws.groups, len(mine)))
    only = sparse.diags(mine.astype(float)) @ counts.matrix
    length = [sparse.csr_matrix(m.sum(axis=1)) for m in (only, counts.matrix)]
    columns = [only[:, tried], counts.matrix[:, tried], *length]
    drawn = draws.sums((by_group @ sparse.hstack(columns)).tocsr())
    a, b = drawn[:, : len(tried)], drawn[:, len(tried) : 2 * len(tried)]
    n = drawn[:, -2:]
    values = _log_odds(a, b - a, n[:, :1], n[:, 1:] - n[:, :1], prior[tried])
    # Where no drawn group says it, the prior alone would speak, and for the smaller body.
    values[a == 0] = -np.log(PRIOR)
    sure, unsure = [], []
    spoken = (by_group @ only[:, tried] > 0).sum(axis=0).A1
    for at, term in enumerate(tried):
        ends = resamples.interval(values[:, at], draws.groups)
        facts = str(counts.terms[term]), round(float(odds[term]), 2), round(float(z[term]), 1)
        if ends and ends[0] > LEAST:
            sure.append(Term(*facts, (round(ends[0], 2), round(ends[1], 2))))
        elif spoken[at] > 1:
            unsure.append(Term(*facts, None))
    # What is surely said more comes before what may be said much more.
    first = _distinct(sorted(sure, key=lambda t: (-(t.interval or (0,))[0], t.words)))[:most]
    others = _distinct(unsure)[: max(0, FILLED - len(first))]
    return _distinct([*first, *others])


def _log_odds(one: Array, other: Array, one_all: Any, other_all: Any, prior: Array) -> Array:
    """The difference of the log-odds of each term in two bodies of words."""
    mine = np.log(one + prior) - np.log(np.maximum(one_all + PRIOR - one - prior, 1))
    theirs = np.log(other + prior) - np.log(np.maximum(other_all + PRIOR - other - prior, 1))
    difference: Array = mine - theirs
    return difference


def _distinct(terms: Sequence[Term]) -> tuple[Term, ...]:
    """Without those that hold a word of a surer one."""
    seen: set[str] = set()
    kept = []
    for term in terms:
        words = {_singular(fold(word)) for word in term.words.split()}
        if not words & seen:
            kept.append(term)
        seen |= words
    return tuple(kept)


def _singular(word: str) -> str:
    """Spanish plurals, roughly: carriles → carril, coches → coch, as coche."""
    return re.sub(r"(es|e|s)$", "", word)


def _terms(text: str, spelt: dict[str, Counter[str]]) -> list[str]:
    """Folded words and pairs of a text, without those that every text has."""
    common = _common()
    found: list[str] = []
    for stretch in re.split(r"[.,;:!?()\n]", _NO_WORD.sub(". ", text)):
        words = [(fold(word), word.lower()) for word in _WORD.findall(stretch)]
        for folded, word in words:
            spelt[folded][word] += 1
        useful = [folded if folded not in common else "" for folded, _ in words]
        found += [word for word in useful if word]
        found += [f"{one} {other}" for one, other in pairwise(useful) if one and other]
    return found


def _spelling(term: str, spelt: dict[str, Counter[str]]) -> str:
    """Its words as most people spell them."""
    return " ".join(
        max(spelt[word], key=lambda w: (spelt[word][w], w)) for word in term.split()
    )


@lru_cache
def _common() -> frozenset[str]:
    """Words without a matter of their own, folded."""
    path = Path(__file__).with_name("common_words.txt")
    return frozenset(fold(path.read_text("utf-8")).split())
