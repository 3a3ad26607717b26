"""An explanation for the terminal."""

from __future__ import annotations

from rich.table import Table

from her2sim.report.trial_tables import contrast_cells, contrast_text
from her2sim.studies.explain import Difference, Explanation

SMALL_POINTS = 0.05


def explanation_tables(found: Explanation) -> tuple[Table, ...]:
    """Both patients, what makes them differ, and what trials saw of it.

    Nothing is said of the size of a lesion that has no model.
    """
    seen = (_seen(found),) if found.traits_apart and found.size_percent is not None else ()
    return _both(found), _why(found), *seen


def _seen(found: Explanation) -> Table:
    table = Table(title="What trials saw of these traits", title_justify="left")
    for heading in ("trait", "trial", "contrast", "published", "range", "predicted", "range"):
        left = heading in ("trait", "trial", "contrast")
        table.add_column(heading, overflow="fold", justify="left" if left else "right")
    table.add_column("published figure says")
    for row in found.seen:
        table.add_row(row.trait, row.trial, contrast_text(row), *contrast_cells(row))
    unseen = [t for t in found.traits_apart if t not in {row.trait for row in found.seen}]
    for trait in unseen:
        table.add_row(trait, "", "", "", "", "", "", "no trial here tells")
    return table


def _both(found: Explanation) -> Table:
    sizes = found.size_percent
    both = Table(title=f"After {found.weeks} weeks", title_justify="left")
    of_lesion = ("sum of diameters, % of the first",) if sizes is not None else ()
    for heading in ("patient", *of_lesion, "LVEF %", "tumour"):
        both.add_column(heading, overflow="fold")
    for k, (name, lvef, traits) in enumerate(
        zip(found.names, found.lvef_percent, found.traits, strict=True)
    ):
        told = ", ".join(f"{key} {value}" for key, value in traits.items())
        size = (f"{sizes[k]:.1f}",) if sizes is not None else ()
        both.add_row(name, *size, f"{lvef:.1f}", told)
    return both


def _why(found: Explanation) -> Table:
    why = Table(title=f"{found.names[0]} with one number of {found.names[1]}", title_justify="left")
    of_lesion = ("size, points",) if found.size_percent is not None else ()
    for heading in ("number", *found.names, "unit", *of_lesion, "LVEF, points", "rests on"):
        why.add_column(heading, overflow="fold")
    for d in found.differences:
        if d.largest_points >= SMALL_POINTS:
            size = (f"{d.effect_points:+.1f}",) if d.effect_points is not None else ()
            why.add_row(
                d.meaning, _number(d.first), _number(d.second), d.unit,
                *size, f"{d.lvef_points:+.2f}", _basis(d),
            )  # fmt: skip
    return why


def basis_table(found: Explanation) -> Table:
    """What every number of the model rests on."""
    listed = Table(title="What all numbers rest on", title_justify="left")
    for heading in ("number", "status", "source or reason"):
        listed.add_column(heading, overflow="fold")
    for name, basis in found.basis.items():
        listed.add_row(name, basis.status, basis.text)
    return listed


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"


def _basis(d: Difference) -> str:
    known = "; a range" if d.basis.is_uncertain else ""
    return f"{d.basis.status}{known}: {d.basis.text}" if d.basis.status else ""
