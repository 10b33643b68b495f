"""Champion or challenger: what automation may promote, and the reason in words."""

from __future__ import annotations

from dataclasses import dataclass

METRIC = "wis"


@dataclass(frozen=True)
class Standing:
    """How a model did on its test rows: WIS in cases, its baselines', and which split it was."""

    wis: float
    baselines: dict[str, float]
    split: str

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
    """
    for name, wis in mine.baselines.items():
        if mine.wis >= wis:
            return False, f"WIS {mine.wis:.3f} is not below {name}'s {wis:.3f}"
    if present and champion is None:
        return False, "how the champion did is not known"
    if champion is not None:
        if mine.split == champion.split:
            if mine.wis >= champion.wis:
                return False, f"WIS {mine.wis:.3f} is not below the champion's {champion.wis:.3f}"
        elif worse := _relative(mine, champion):
            return False, worse
    rest = ", ".join(f"{n} {w:.3f}" for n, w in mine.baselines.items())
    return True, f"WIS {mine.wis:.3f} on the test weeks (baselines: {rest})"


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
