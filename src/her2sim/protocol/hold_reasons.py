"""Why holds began, and which readings have to be made anew before they end."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from her2sim.arrays import Array, Mask, Positions
from her2sim.protocol.conditions import Condition
from her2sim.protocol.variables import DERIVED


class HoldReasons:
    """Reasons of the holds of one rule: variables of its ``resume_when``, shape (variables, n).

    Reasons are the readings with which a hold began, and those that were too bad to end it. A
    hold ends only with a new reading of each reason. A reading that never was a reason does not
    keep the drug on hold by not being made; if it is made, it has to be good too.
    """

    def __init__(self, hold: Condition | None, resume: Condition | None, n_patients: int) -> None:
        self.hold, self.resume = hold, resume
        self.variables = () if resume is None else resume.variables
        self.is_reason = np.zeros((len(self.variables), n_patients), dtype=bool)

    def end_hold(
        self, values: Mapping[str, Array], settings: Mapping[str, float], who: Positions
    ) -> Mask:
        """Whether the readings of a day are good enough to go on after a hold.

        Parameters
        ----------
        values : readings by variable, each of shape (n of who,), NaN where nothing was measured
        settings : named limits
        who : patients (positions)
        """
        if self.resume is None:
            return np.zeros(who.size, dtype=bool)
        known = _with_all(values, self.variables, who.size)
        needed = dict(zip(self.variables, self.is_reason[:, who], strict=True))
        return self.resume.is_met_by(known, needed, settings)

    def keep(
        self, values: Mapping[str, Array], settings: Mapping[str, float], who: Positions
    ) -> None:
        """Note the reasons of patients on hold, by the readings of a day."""
        if self.hold is None or self.resume is None:
            return
        known = _with_all(values, (*self.hold.variables, *self.variables), who.size)
        began, bad = self.hold.reasons(known, settings), self.resume.failures(known, settings)
        for place, variable in enumerate(self.variables):
            found = self.is_reason[place, who] | bad[variable]
            for name, acted in began.items():
                if _measured(name) & _measured(variable):
                    found |= acted
            self.is_reason[place, who] = found

    def forget(self, who: Positions) -> None:
        """The holds of patients have ended."""
        self.is_reason[:, who] = False


def _measured(variable: str) -> set[str]:
    return set(DERIVED.get(variable, (variable,)))


def _with_all(values: Mapping[str, Array], names: tuple[str, ...], n: int) -> dict[str, Array]:
    unknown = np.full(n, np.nan)
    return {name: values.get(name, unknown) for name in names}
