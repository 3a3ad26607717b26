"""The trials that come with her2sim, as a table."""

from __future__ import annotations

from collections.abc import Mapping

from rich.table import Table

from her2sim.trials.trial import Published, Trial


def trials_table(trials: Mapping[str, Trial]) -> Table:
    """Name, tumour, setting, arms, and how many published figures are anchors or predictions.

    Of a question nothing was published.
    """
    table = Table(title="Trials", title_justify="left")
    for name in ("name", "tumour", "setting", "arms", "anchors", "predictions", "title"):
        table.add_column(name, justify="right" if name in ("anchors", "predictions") else "left")
    for name, trial in trials.items():
        rows: list[Published] = [row for row in trial.outcome if row.value is not None]
        rows += [row for row in trial.safety if row.value is not None]
        rows += [row for row in trial.comparison if row.hazard_ratio is not None]
        rows += trial.landmarks
        n_anchors = sum(row.role == "anchor" for row in rows)
        arms = ", ".join(arm.id for arm in trial.arm)
        table.add_row(
            name,
            trial.tumour_type,
            trial.setting,
            arms,
            str(n_anchors),
            str(len(rows) - n_anchors),
            trial.title,
        )
    return table
