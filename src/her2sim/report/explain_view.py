"""An explanation for the terminal."""

from __future__ import annotations

from rich.table import Table

from her2sim.report.explain import Difference, Explanation

SMALL_POINTS = 0.05


def explanation_tables(found: Explanation, all_numbers: bool) -> tuple[Table, ...]:
    """Both patients, what makes them differ, and (if wanted) what all numbers rest on."""
    both = Table(title=f"After {found.weeks} weeks", title_justify="left")
    for heading in ("patient", "sum of diameters, % of the first", "LVEF %", "tumour"):
        both.add_column(heading, overflow="fold")
    for name, size, lvef, traits in zip(
        found.names, found.size_percent, found.lvef_percent, found.traits, strict=True
    ):
        told = ", ".join(f"{key} {value}" for key, value in traits.items())
        both.add_row(name, f"{size:.1f}", f"{lvef:.1f}", told)
    why = Table(title=f"{found.names[0]} with one number of {found.names[1]}", title_justify="left")
    for heading in ("number", *found.names, "unit", "size, points", "LVEF, points", "rests on"):
        why.add_column(heading, overflow="fold")
    for d in found.differences:
        if max(abs(d.effect_points), abs(d.lvef_points)) >= SMALL_POINTS:
            why.add_row(
                d.meaning, _number(d.first), _number(d.second), d.unit,
                f"{d.effect_points:+.1f}", f"{d.lvef_points:+.2f}", _basis(d),
            )  # fmt: skip
    if not all_numbers:
        return both, why
    listed = Table(title="What all numbers rest on", title_justify="left")
    for heading in ("number", "status", "source or reason"):
        listed.add_column(heading, overflow="fold")
    for name, basis in found.basis.items():
        listed.add_row(name, basis.status, basis.text)
    return both, why, listed


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"


def _basis(d: Difference) -> str:
    known = "; a range" if d.basis.is_uncertain else ""
    return f"{d.basis.status}{known}: {d.basis.text}" if d.basis.status else ""
