"""The members of a calibration that are kept, and the numbers that they give to the fact files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from her2sim.arrays import Array
from her2sim.calibration.fit import Datum


@dataclass(frozen=True, eq=False)
class Selected:
    """Draws of the members that are kept, in order of fit, and the values of each parameter.

    ``distance`` is the mean squared distance of a member from the anchors, in their errors.
    """

    draws: tuple[int, ...]
    distance: Array
    values: Mapping[str, Array]

    def number(self, name: str) -> dict[str, float | list[float]]:
        """Median, 5th and 95th percentile of a parameter, and its value in each member."""
        values = np.array([float(f"{v:.4g}") for v in self.values[name]])
        low, middle, high = (float(f"{q:.4g}") for q in np.quantile(values, [0.05, 0.5, 0.95]))
        return {
            "value": middle,
            "low": min(low, middle),
            "high": max(high, middle),
            "members": values.tolist(),
        }


def select_best(
    data: Sequence[Datum], predicted: Array, values: Mapping[str, Array], n_kept: int
) -> Selected:
    """The members that fit best.

    Parameters
    ----------
    data : anchors
    predicted : what each member predicts, shape (n_data, n_members)
    values : parameters of each member, each of shape (n_members,)
    n_kept : how many are kept
    """
    wanted, sd = (np.array([getattr(d, name) for d in data]) for name in ("value", "sd"))
    misses = (predicted - wanted[:, None]) / sd[:, None]
    distance = np.mean(np.minimum(misses**2, FARTHEST**2), axis=0)
    order = np.argsort(distance)[:n_kept]
    kept = {name: row[order] for name, row in values.items()}
    return Selected(tuple(int(k) + 1 for k in order), distance[order], kept)


FARTHEST = 5.0
"""Distance beyond which a figure counts no more: one that no member reaches must not choose."""
