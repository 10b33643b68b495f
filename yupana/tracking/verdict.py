"""Champion or challenger: what automation may promote, and the reason in words."""

from __future__ import annotations

from dataclasses import dataclass

METRIC = "wis"


@dataclass(frozen=True)
class Standing:
    """How a model did on some rows: WIS in cases, its baselines', and which rows they were.

    Attributes:
        split: two standings with the same one were scored on the same counts.
        backtest: how its procedure did in an earlier season; None where that was not tried.
    """

    wis: float
    baselines: dict[str, float]
    split: str
    backtest: Standing | None = None

    @property
    def against(self) -> dict[str, float]:
        """WIS relative to each baseline's: 0.9 is a tenth better."""
        return {name: self.wis / wis for name, wis in self.baselines.items() if wis > 0}


def verdict(mine: Standing, present: bool, champion: Standing | None) -> tuple[bool, str]:
    """Whether a model may become champion without a person's word, and why.

    Args:
        present: there is a champion now.
        champion: how it did; None where that is not known.

    Its WIS must be below every baseline's and below the champion's. Two models that were scored
    on different test rows are compared by their WIS relative to a baseline that both have: the
    bare numbers say more of the season than of the model.

    Where there is a backtest, it must not be above any baseline there either, nor above the
    champion's backtest where that is known: one good season may be luck. Even is good enough
    there, since a model that is trained again by the same procedure has the same backtest.
    """
    tried = mine.backtest
    for name, wis in mine.baselines.items():
        if mine.wis >= wis:
            return False, f"WIS {mine.wis:.3f} is not below {name}'s {wis:.3f}"
    for name, wis in tried.baselines.items() if tried else ():
        if tried and tried.wis > wis:
            return False, f"WIS {tried.wis:.3f} on the backtest is above {name}'s {wis:.3f}"
    if present and champion is None:
        return False, "how the champion did is not known"
    if champion is not None:
        if worse := _worse(mine, champion):
            return False, worse
        before = champion.backtest
        if tried and before and not _even(tried, before) and (worse := _worse(tried, before)):
            return False, f"on the backtest, {worse}"
    rest = ", ".join(f"{n} {w:.3f}" for n, w in mine.baselines.items())
    also = f", {tried.wis:.3f} on the backtest" if tried else ""
    return True, f"WIS {mine.wis:.3f} on the test weeks (baselines: {rest}){also}"


def _even(mine: Standing, champion: Standing) -> bool:
    return (mine.split, mine.wis) == (champion.split, champion.wis)


def _worse(mine: Standing, champion: Standing) -> str:
    """Why a standing is not better than the champion's; empty where it is."""
    if mine.split != champion.split:
        return _relative(mine, champion)
    if mine.wis >= champion.wis:
        return f"WIS {mine.wis:.3f} is not below the champion's {champion.wis:.3f}"
    return ""


def _relative(mine: Standing, champion: Standing) -> str:
    shared = sorted(set(mine.against) & set(champion.against), key=lambda n: mine.baselines[n])
    if not shared:
        return "the champion was scored on other test rows, without a baseline in common"
    # The best of the shared baselines: to lead a weak one by much says little.
    name = shared[0]
    one, other = mine.against[name], champion.against[name]
    if one < other:
        return ""
    return f"WIS {one:.3f} × {name}'s is not below the champion's {other:.3f} × (other test rows)"
