"""The command line. Every command calls the same functions as a notebook would."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from her2sim import __version__
from her2sim.errors import DataError
from her2sim.notice import NOTICE
from her2sim.terminal import (
    HelpfulGroup,
    draw_seed,
    print_json,
    print_report,
    print_tables,
    progress_bar,
    reports_errors,
    treats_patients,
)

if TYPE_CHECKING:
    from her2sim.drugs.interactions import Kind


@click.group(
    cls=HelpfulGroup, context_settings={"help_option_names": ["-h", "--help"]}, epilog=NOTICE
)
@click.version_option(__version__, message="her2sim %(version)s")
def main() -> None:
    """Simulate HER2-targeted cancer therapy."""


@main.command()
@treats_patients
@click.option("--json", "as_json", is_flag=True, help="print JSON instead of tables")
@click.option(
    "--figure", type=click.Path(path_type=Path), help="write concentration bands (PNG, PDF, SVG)"
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="write one row a patient and cycle (Parquet)",
)
@click.option("--with", "medicines", multiple=True, metavar="NAME", help="co-medication")
@click.option("--food", metavar="NAME", help="food, as in high-fat")
@click.option("--hepatic", metavar="CLASS", help="hepatic impairment: mild, moderate, severe")
@click.option("--renal", metavar="CLASS", help="renal impairment")
@reports_errors
def exposure(
    drug: str,
    regimen: str | None,
    population: str,
    patients: int | None,
    seed: int | None,
    as_json: bool,
    figure: Path | None,
    output: Path | None,
    threads: int | None,
    medicines: tuple[str, ...],
    food: str | None,
    hepatic: str | None,
    renal: str | None,
) -> None:
    """Exposure of DRUG in a population, beside what was published.

    DRUG is an INN, a brand name, or DRUG:MODEL; `her2sim drug list` shows them all.
    """
    from her2sim.course import load_treatment
    from her2sim.drugs.drug import first_regimen
    from her2sim.formats.patient_table import load_patients
    from her2sim.report import exposure as reports

    interactions: list[tuple[Kind, str]] = [("co-medication", name) for name in medicines]
    impairments: tuple[tuple[Kind, str | None], ...] = (
        ("food", food), ("hepatic", hepatic), ("renal", renal),
    )  # fmt: skip
    interactions += [(kind, name) for kind, name in impairments if name]
    treatment = load_treatment(drug, regimen or first_regimen(drug), interactions)
    number = draw_seed() if seed is None else seed
    people, n = load_patients(population, patients, number)
    with progress_bar(f"{treatment.drug.id} {treatment.regimen.name}") as progress:
        report = reports.exposure(
            treatment, people, n, number, output=output, progress=progress, threads=threads
        )
    if figure is not None:
        from her2sim.report.figures import bands_figure, concentration_bands

        bands = concentration_bands(treatment, people, n, number, report.steady_state_cycle)
        bands_figure(figure, [(report, bands)])
    if as_json:
        print_json(report.as_dict())
        return
    print_report(report)
    for written in (figure, output):
        if written is not None:
            click.echo(f"wrote {written}")
    click.echo(NOTICE)


@main.command()
@click.argument("events", type=click.Path(path_type=Path))
@click.option("--drug", help="drug or DRUG:MODEL whose model is used")
@click.option("--structure", help="named structure, used with --set")
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="NAME=VALUE",
    help='parameter of the structure; with columns: "cl=1.1*(WT/70)^0.75"',
)
@click.option("--typical", is_flag=True, help="no random effects; unknown patients are typical")
@click.option(
    "--covariate",
    "constants",
    multiple=True,
    metavar="NAME=VALUE",
    help="characteristic of all subjects that the file does not tell",
)
@click.option("--ignore", multiple=True, metavar="COLUMN", help="column that is not to be used")
@click.option(
    "--time-unit",
    type=click.Choice(["h", "day"]),
    default="h",
    show_default=True,
    help="unit of TIME, II, DUR, rates and --set",
)
@click.option(
    "--covariates",
    "carry",
    type=click.Choice(["nocb", "locf"]),
    default="nocb",
    show_default=True,
    help="next record's values hold backwards, or last one's on",
)
@click.option("--lag-column", help="column with the lag time of a dose")
@click.option("--f-column", help="column with the bioavailability of a dose")
@click.option("--rate-column", help="column with the rate for RATE -1")
@click.option("--duration-column", help="column with the duration for RATE -2")
@click.option(
    "--acts-on",
    default="central",
    show_default=True,
    help="compartment whose doses lag and bioavailability change, or all",
)
@click.option("--seed", type=int, help="random seed; drawn and shown if not given")
@click.option("--doses", type=click.Path(path_type=Path), help="write the flat dose list (CSV)")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="write the predictions (CSV); printed if not given",
)
@reports_errors
def simulate(events: Path, output: Path | None, doses: Path | None, **options: Any) -> None:
    """Predictions for a NONMEM-style table EVENTS (CSV).

    One row for each EVID 0 record. Amounts are in mg. With --drug, CMT 1 is the dosing compartment
    of its route. A comment column C is skipped.
    """
    from her2sim.report.events import dose_csv, prediction_csv, run_events

    if options["seed"] is None:
        options["seed"] = draw_seed()
    table, course, notes = run_events(events, **options)
    for note in notes:
        click.echo(f"note: {note}", err=True)
    if doses is not None:
        dose_csv(course, doses)
        click.echo(f"wrote {doses}", err=True)
    text = prediction_csv(table, course, output)
    click.echo(
        text if output is None else f"wrote {output}: {course.record.size} predictions",
        nl=output is not None,
    )
    click.echo(NOTICE, err=True)


@main.command()
@click.argument("test")
@click.argument("reference")
@click.option("--population", default="ebc", show_default=True, help="mbc, ebc, ... or a TOML file")
@click.option("--per-arm", type=int, default=250, show_default=True, help="patients in each arm")
@click.option("--cycle", type=click.IntRange(1), default=7, show_default=True)
@click.option("--seed", type=int, help="random seed; drawn and shown if not given")
@click.option("--json", "as_json", is_flag=True, help="print JSON instead of a table")
@click.option("--figure", type=click.Path(path_type=Path), help="write the distributions")
@reports_errors
def compare(
    test: str,
    reference: str,
    population: str,
    per_arm: int,
    cycle: int,
    seed: int | None,
    as_json: bool,
    figure: Path | None,
) -> None:
    """A virtual two-arm study: exposure under TEST over that under REFERENCE.

    An arm is DRUG/REGIMEN or DRUG:MODEL/REGIMEN, as in trastuzumab-sc/q3w. Compare routes inside
    one model: trastuzumab-sc/q3w with trastuzumab-sc/q3w-iv.
    """
    from her2sim.patients.population import load_population
    from her2sim.report import two_arms
    from her2sim.report.tables import ratio_table

    arms = two_arms.load_arm(test), two_arms.load_arm(reference)
    number = draw_seed() if seed is None else seed
    study = two_arms.two_arms(*arms, load_population(population), per_arm, cycle, number)
    if figure is not None:
        two_arms.study_figure(figure, study)
    if as_json:
        print_json(study.as_dict())
        return
    click.echo(f"{test} against {reference}, {population}, {per_arm} an arm, seed {number}")
    print_tables(ratio_table(study))
    for note in study.notes:
        click.echo(f"Note: {note}")
    if arms[0].pk.name != arms[1].pk.name:
        click.echo("Note: the arms have different models; part of the ratio is theirs.")
    if figure is not None:
        click.echo(f"wrote {figure}")
    click.echo(NOTICE)


@main.command()
@treats_patients
@click.option(
    "--cycles",
    type=click.IntRange(1, 200),
    default=17,
    show_default=True,
    help="cycles of treatment before it stops; 17 of three weeks are a year",
)
@click.option(
    "--level",
    type=float,
    default=1.0,
    show_default=True,
    help="concentration, in the unit in which the drug is shown",
)
@click.option(
    "--weeks",
    type=click.IntRange(1, 260),
    default=40,
    show_default=True,
    help="follow-up after the last dose",
)
@click.option("--json", "as_json", is_flag=True, help="print JSON instead of a table")
@click.option("--figure", type=click.Path(path_type=Path), help="write share against time")
@reports_errors
def washout(
    drug: str,
    regimen: str | None,
    population: str,
    patients: int | None,
    seed: int | None,
    cycles: int,
    level: float,
    weeks: int,
    as_json: bool,
    figure: Path | None,
    threads: int | None,
) -> None:
    """Share of patients below a concentration after the last dose of DRUG."""
    from her2sim.course import load_treatment
    from her2sim.drugs.drug import first_regimen
    from her2sim.formats.patient_table import load_patients
    from her2sim.report import washout as reports
    from her2sim.report.tables import washout_table

    treatment = load_treatment(drug, regimen or first_regimen(drug))
    number = draw_seed() if seed is None else seed
    people, n = load_patients(population, patients, number)
    with progress_bar(f"{treatment.drug.id} {treatment.regimen.name}") as progress:
        report = reports.washout(
            treatment, people, n, number, cycles, level, weeks, progress, threads
        )
    if figure is not None:
        reports.washout_figure(figure, report)
    if as_json:
        print_json(report.as_dict())
        return
    click.echo(
        f"{treatment.pk.name}, {treatment.regimen.title}; {report.population}, "
        f"{n} patients, seed {number}"
    )
    print_tables(*washout_table(report))
    for note in report.notes:
        click.echo(f"Note: {note}")
    if figure is not None:
        click.echo(f"wrote {figure}")
    click.echo(NOTICE)


@main.group(cls=HelpfulGroup)
def drug() -> None:
    """What is known of each drug."""


@drug.command("list")
@reports_errors
def drug_list() -> None:
    """All drugs, their models and regimens."""
    from her2sim.drugs.drug import drug_names, load_drug
    from her2sim.report.tables import drug_list_table

    print_tables(drug_list_table([load_drug(name) for name in drug_names()]))
    click.echo(NOTICE)


@drug.command("show")
@click.argument("name")
@reports_errors
def drug_show(name: str) -> None:
    """Model, equations, numbers, sources and status of NAME (or NAME:MODEL)."""
    from her2sim.drugs.drug import load_drug, load_pk
    from her2sim.report.tables import drug_text

    click.echo(drug_text(load_drug(name), load_pk(name)))
    click.echo(NOTICE)


@main.command()
@click.option("--json", "as_json", is_flag=True, help="print JSON instead of a table")
@click.option("--html", type=click.Path(path_type=Path), help="write the page (one HTML file)")
@click.option("--markdown", type=click.Path(path_type=Path), help="write the page (Markdown)")
@click.option("--rows", type=click.Path(path_type=Path), help="published rows of your own (TOML)")
@click.option("--patients", type=click.IntRange(1), default=10_000, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True)
@reports_errors
def validate(
    as_json: bool,
    html: Path | None,
    markdown: Path | None,
    rows: Path | None,
    patients: int,
    seed: int,
) -> None:
    """How well each drug model reproduces what labels and papers printed."""
    from her2sim.formats.files import write_text
    from her2sim.report import validation
    from her2sim.report.tables import validation_table

    with progress_bar("published rows") as progress:
        found = validation.validation_rows(patients, seed, rows, progress)
    for path, page in ((html, validation.html_page), (markdown, validation.markdown_page)):
        if path is not None:
            write_text(path, page(found, patients, seed))
            click.echo(f"wrote {path}", err=True)
    if as_json:
        print_json(validation.validation_dict(found))
        return
    print_tables(validation_table(validation.summary(found), found))
    click.echo(validation.heading_text(found, patients, seed))
    click.echo(NOTICE)


@main.command()
@click.option("--patients", type=click.IntRange(1), default=10_000, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True)
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("demo"),
    show_default=True,
    help="where the figure goes",
)
@reports_errors
def demo(patients: int, seed: int, folder: Path) -> None:
    """Trastuzumab's label regimens on a virtual population, beside the label's numbers."""
    from her2sim.report.demo import run_demo
    from her2sim.report.tables import comparison_table

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"{folder}: cannot be made ({error.strerror})") from None
    with progress_bar("trastuzumab") as progress:
        reports, figure = run_demo(patients, seed, folder, progress)
    for report in reports:
        t = report.treatment
        click.echo(
            f"\n{t.pk.name}, {t.regimen.title}; {report.population}, "
            f"{report.patients} patients, seed {report.seed}"
        )
        print_tables(comparison_table(report))
    click.echo(
        "Ratios are predicted / label; docs/validation.md explains them. The label's range is "
        "narrower than the model's in early\ndisease and reaches lower in metastatic disease; its "
        "weekly cycle-1 Cmax does not fit its own Cmin and AUC."
    )
    click.echo(f"wrote {figure}")
    click.echo(NOTICE)
