"""One patient backwards made visible: tables, a figure, and a page in one file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.table import Table

from her2sim.errors import DataError
from her2sim.individuals.candidates import LIMITS
from her2sim.individuals.to_come import TUMOUR
from her2sim.report.canvas import (
    BAND,
    COLOURS,
    FAINT,
    LINE,
    PRINTED,
    SMALL,
    STYLES,
    WIDTH,
    finished,
    legend_above,
    new_canvas,
    shown_unit,
    svg_text,
)
from her2sim.report.html import page_table, render
from her2sim.report.tables import counted, number_text, treatment_text
from her2sim.studies.individual import IndividualReport

if TYPE_CHECKING:
    import polars as pl
    from matplotlib.figure import Figure

MOST_WAYS = 4
"""Ways to go on that are drawn beside the regimen at hand."""
NO_PICTURE = "figure and page are of one patient whose levels can be worked out; see the notes"
SHOWN_PATIENTS = 20
"""Patients whose numbers are printed; the rest are in the file."""
_RANGE = ("low", "middle", "high")


def heading(report: IndividualReport) -> str:
    """Model, regimen, patients, levels and seed."""
    n, m = len(report.history.names), len(report.levels)
    who = "one patient" if n == 1 else f"{n:,} patients"
    return f"{treatment_text(report.treatment)}: {who}, {counted(m, 'level')}, seed {report.seed}"


def individual_tables(report: IndividualReport) -> tuple[Table, ...]:
    """Parameters, levels, and ways to go on."""
    found = [parameter_table(report)]
    if report.levels:
        found.append(level_table(report))
    if report.chances:
        found.append(chance_table(report))
    return tuple(found)


def _left_out(report: IndividualReport, title: str) -> str:
    n = len(report.history.names)
    return title if n <= SHOWN_PATIENTS else f"{title} (the first {SHOWN_PATIENTS} of {n:,})"


def parameter_table(report: IndividualReport) -> Table:
    """Each parameter: typical of such a patient, this one's, and how much the data told."""
    table = Table(title=_left_out(report, "Parameters"), title_justify="left")
    is_many, models = len(report.history.names) > 1, False
    rows = report.parameters
    if not is_many and len(report.fits) > 1:  # those of the likeliest model; the rest is in frame()
        likely = max(report.fits, key=lambda fit: fit.weight).model
        rows = tuple(row for row in rows if row.model == likely)
        table.title = f"Parameters: {likely}"
    for name, is_shown in (("patient", is_many), ("model", models), ("parameter", True)):
        if is_shown:
            table.add_column(name)
    table.add_column("meaning")
    table.add_column("unit")
    for name in ("typical", "most likely", "median (90 % range)", "shrinkage"):
        table.add_column(name, justify="right")
    shown = set(report.history.names[:SHOWN_PATIENTS])
    for row in (row for row in rows if row.patient in shown):
        first = [row.patient] * is_many + [row.model] * models
        table.add_row(
            *first, row.parameter, row.meaning, "" if row.unit == "1" else row.unit,
            number_text(row.typical), number_text(row.value),
            _range((row.low, row.median, row.high)), f"{100 * row.shrinkage:.0f} %",
        )  # fmt: skip
    return table


def level_table(report: IndividualReport) -> Table:
    """Each measured level beside what was expected and what was fitted."""
    table = Table(title=_left_out(report, "Levels"), title_justify="left")
    is_many = len(report.history.names) > 1
    if is_many:
        table.add_column("patient")
    table.add_column("day", justify="right")
    table.add_column("of")
    for name in ("measured", "unit", "expected (90 %)", "lower", "fitted", "off by"):
        table.add_column(name, justify="left" if name == "unit" else "right")
    shown = set(report.history.names[:SHOWN_PATIENTS])
    for row in (row for row in report.levels if row.patient in shown):
        band = "-"
        if row.expected_low is not None and row.expected_high is not None:
            band = (
                f"{number_text(row.expected)} ({number_text(row.expected_low)} to "
                f"{number_text(row.expected_high)})"
            )
        lower = row.percent_below
        table.add_row(
            *([row.patient] * is_many), f"{row.day:g}", row.analyte.replace("_", " "),
            f"{'<' if row.is_below else ''}{number_text(row.measured)}", row.unit, band,
            "-" if lower is None else f"{lower:.0f} %", number_text(row.fitted),
            "-" if row.residual is None else f"{row.residual:+.1f} SD",
        )  # fmt: skip
    return table


def chance_table(report: IndividualReport) -> Table:
    """Each way to go on: troughs to come, and the chance of the target."""
    unit = report.treatment.pk.concentration_unit
    target = report.target
    title = f"What would happen from day {report.next_day:g} on (troughs in {unit})"
    table = Table(title=title, title_justify="left")
    table.add_column("way")
    table.add_column("dose")
    table.add_column("next trough", justify="right")
    table.add_column("last trough", justify="right")
    if target is not None:
        table.add_column(f"next {target.text()}", justify="right")
        table.add_column("last", justify="right")
    table.add_column("high AUC", justify="right")
    for low in report.chances[0].lowest:
        table.add_column(f"lowest {low.test}", justify="right")
        table.add_column(f"below {low.limit:g}", justify="right")
    table.add_column("what it is")
    for one in report.chances:
        chances = [] if target is None else [one.next_percent, one.last_percent]
        table.add_row(
            one.name, one.dose, _range(one.next_trough), _range(one.last_trough),
            *(f"{value:.0f} %" for value in chances if value is not None),
            f"{one.exposed_percent:.0f} %",
            *(
                cell
                for low in one.lowest
                for cell in (_range(low.lowest), f"{low.below_percent:.0f} %")
            ),
            one.label,
        )  # fmt: skip
    return table


def _range(values: tuple[float, float, float]) -> str:
    low, middle, high = (number_text(value) for value in values)
    return f"{middle} ({low} to {high})"


def candidates_frame(report: IndividualReport) -> pl.DataFrame:
    """Ways to go on as numbers."""
    import polars as pl

    rows = []
    for one in report.chances:
        row: dict[str, Any] = {"candidate": one.name, "dose": one.dose, "label": one.label}
        for name in ("next_trough", "last_trough", "last_auc_per_day"):
            row |= {f"{name}_{end}": v for end, v in zip(_RANGE, getattr(one, name), strict=True)}
        row |= {
            "next_percent": one.next_percent, "last_percent": one.last_percent,
            "high_auc_percent": one.exposed_percent,
        }  # fmt: skip
        for low in one.lowest:
            ends = zip(_RANGE, low.lowest, strict=True)
            row |= {f"lowest_{low.test}_{end}": value for end, value in ends}
            row[f"{low.test}_below_{low.limit:g}_percent"] = low.below_percent
        rows.append(row)
    return pl.DataFrame(rows, infer_schema_length=None)


def individual_figure(report: IndividualReport, width: float = WIDTH) -> Figure:
    """Measured levels, the population's band, the patient's, and what is to come.

    Raises
    ------
    DataError
        If there are several patients.
    """
    bands = report.bands
    if bands is None:
        raise DataError(NO_PICTURE)
    tests = list(bands.tests)
    heights = [3.6, *(2.0 for _ in tests)]
    figure, panels = new_canvas(
        sum(heights) + 1.0, len(heights), width=width, sharex=True, height_ratios=heights
    )
    axes = panels[0, 0]
    for test, below in zip(tests, panels[1:, 0], strict=True):
        _draw_test(below, test, report)
    axes.fill_between(
        bands.day, bands.population[:, 0], bands.population[:, 2], color="#d9d9d9", linewidth=0,
        label="patients like this one, 90 %",
    )  # fmt: skip
    axes.fill_between(
        bands.day,
        bands.patient[:, 0],
        bands.patient[:, 2],
        color=BAND,
        alpha=0.7,
        linewidth=0,
        label="this patient, 90 %",
    )
    axes.plot(bands.day, bands.patient[:, 1], color=LINE, linewidth=1.4, label="this patient")
    later = bands.day[bands.day >= report.next_day]
    for k, (name, values) in enumerate(list(bands.ahead.items())[:MOST_WAYS]):
        axes.fill_between(
            later, values[:, 0], values[:, 2], color=COLOURS[(k + 2) % len(COLOURS)], alpha=0.12,
            linewidth=0,
        )  # fmt: skip
        axes.plot(
            later, values[:, 1], color=COLOURS[(k + 2) % len(COLOURS)], linewidth=1.1,
            linestyle=STYLES[(k + 1) % len(STYLES)], label=name,
        )  # fmt: skip
    _draw_levels(axes, report)
    axes.axvline(report.next_day, color=FAINT, linewidth=0.8, linestyle=":")
    target = report.target
    if target is not None and target.metric in ("cmin", "cmax"):
        axes.axhline(
            target.value, color=PRINTED, linewidth=0.9, linestyle="--", label=target.text()
        )
    unit = shown_unit(report.treatment.pk.concentration_unit)
    panels[-1, 0].set_xlabel("day", fontsize=SMALL + 1)
    axes.set_ylabel(f"{report.treatment.drug.analyte.replace('_', ' ')} ({unit})", fontsize=SMALL)
    axes.set_xlim(bands.day[0], bands.day[-1])
    axes.set_ylim(bottom=0)
    legend_above(axes, 3 if width >= WIDTH else 1)
    return finished(figure, f"{report.treatment.drug.title}, one patient")


def _draw_test(axes: Any, test: str, report: IndividualReport) -> None:
    """Readings of blood or heart, with the bands of such patients and of this one."""
    bands = report.bands
    assert bands is not None
    population, patient = bands.tests[test]
    axes.fill_between(bands.day, population[:, 0], population[:, 2], color="#d9d9d9", linewidth=0)
    axes.fill_between(bands.day, patient[:, 0], patient[:, 2], color=BAND, alpha=0.7, linewidth=0)
    axes.plot(bands.day, patient[:, 1], color=LINE, linewidth=1.4)
    axes.axvline(report.next_day, color=FAINT, linewidth=0.8, linestyle=":")
    axes.set_ylim(bottom=0)
    if test == TUMOUR:
        axes.set_ylabel("sum of diameters\n(% of the first)", fontsize=SMALL)
        return
    rows = [row for row in report.levels if row.analyte == test]
    axes.plot([r.day for r in rows], [r.measured for r in rows], "o", color="black", markersize=5)
    later = bands.day[bands.day >= report.next_day]
    for k, tests in enumerate(list(bands.tests_ahead.values())[:MOST_WAYS]):
        axes.plot(
            later, tests[test][:, 1], color=COLOURS[(k + 2) % len(COLOURS)], linewidth=1.1,
            linestyle=STYLES[(k + 1) % len(STYLES)],
        )  # fmt: skip
    axes.axhline(LIMITS[test], color=PRINTED, linewidth=0.9, linestyle="--")
    axes.annotate(
        f"{LIMITS[test]:g}", (1.0, LIMITS[test]), xycoords=("axes fraction", "data"),
        xytext=(-2, 2), textcoords="offset points", ha="right", fontsize=SMALL, color=PRINTED,
    )  # fmt: skip
    axes.set_ylabel(f"{test} ({rows[0].unit})", fontsize=SMALL)


def _draw_levels(axes: Any, report: IndividualReport) -> None:
    """What was measured of the first analyte; below a limit as triangles."""
    first = [row for row in report.levels if row.analyte == report.treatment.drug.analyte]
    for is_below, marker, text in ((False, "o", "measured"), (True, "v", "below the limit")):
        rows = [row for row in first if row.is_below == is_below]
        if rows:
            axes.plot(
                [row.day for row in rows], [row.measured for row in rows], marker, color="black",
                markersize=5.5, label=text, zorder=5,
            )  # fmt: skip


def individual_page(report: IndividualReport) -> str:
    """The answer as one page.

    Raises
    ------
    DataError
        If there are several patients.
    """
    if report.bands is None:
        raise DataError(NO_PICTURE)
    told = "" if report.data_percent is None else f"{report.data_percent:.0f}"
    return render(
        "individual", title=f"{report.treatment.drug.title}: one patient, from measured levels",
        heading=heading(report), svg=svg_text(individual_figure(report)),
        data_percent=told,
        picture=_picture(report), target=None if report.target is None else report.target.text(),
        parameters=page_table(parameter_table(report)), has_levels=bool(report.levels),
        levels=page_table(level_table(report)),
        chances=page_table(chance_table(report)) if report.chances else None,
        notes=report.notes,
    )  # fmt: skip


def _picture(report: IndividualReport) -> str:
    """The figure in words."""
    if not report.chances:
        return f"Levels of {report.treatment.drug.id} over time: {len(report.levels)} measurements."
    one = report.chances[0]
    return (
        f"Levels of {report.treatment.drug.id} over time with {len(report.levels)} measurements; "
        f"by {one.name} the next trough is {_range(one.next_trough)} "
        f"{report.treatment.pk.concentration_unit}."
    )
