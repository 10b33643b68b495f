"""Folds of whole groups: a text is scored by a model that has seen nothing of its thread.

Split by rows, a model is scored on the words of threads that it has learned: the macro-F1 of a
public data set of citizens' comments is then told as 0.7 where it is 0.3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from yupana.core.errors import TerminalError
from yupana.features import splits
from yupana.tasks.classify import options
from yupana.tasks.classify.dataset.texts import GROUP, LABEL

if TYPE_CHECKING:
    import pandas as pd

FOLDS = 5


def with_folds(rows: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    """Add `part`, `fold_0` to `fold_4`: groups whole, labels alike in each as far as they allow.

    Args:
        rows: labelled, with `label` and `group`.

    Raises:
        TerminalError: there are fewer groups than folds, or but one label.
    """
    import warnings

    from sklearn.model_selection import StratifiedGroupKFold

    groups, labels = rows[GROUP].nunique(), rows[LABEL].nunique()
    if groups < options.LEAST_GROUPS or labels < 2:
        raise TerminalError(
            f"{groups} groups with {labels} labels are too few to learn from and be scored on.",
            where="the labelled texts",
            fix=f"Publish texts of {options.LEAST_GROUPS} groups and two labels or more.",
        )
    part = rows[LABEL].map(lambda _: "")
    with warnings.catch_warnings():
        # That a label has fewer rows than there are folds is told by its score.
        warnings.simplefilter("ignore", UserWarning)
        splitter = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=seed)
        for number, (_, held) in enumerate(splitter.split(rows, rows[LABEL], rows[GROUP])):
            part.iloc[held] = f"fold_{number}"
    parts = rows.assign(part=part)
    splits.check_disjoint(parts, [GROUP])
    return parts
