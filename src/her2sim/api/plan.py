"""What is planned for a patient, and where a record departs from the labels."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from her2sim.api.arguments import Day, checked
from her2sim.api.patients import patient_of
from her2sim.api.result import Answer, Result, plain, typed_frame
from her2sim.api.sources import cited
from her2sim.patients.covariates import Setting
from her2sim.patients.patient import Patient
from her2sim.protocol.label import Region

if TYPE_CHECKING:
    import polars as pl
    from matplotlib.figure import Figure
    from rich.table import Table

    from her2sim.protocol.departures import CheckReport
    from her2sim.protocol.monitoring_plan import MonitoringPlan
    from her2sim.protocol.record import Entry


@dataclass(frozen=True, eq=False, repr=False)
class Plan(Answer):
    """What is planned and monitored for a patient on a regimen."""

    plan: MonitoringPlan

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader must know of the plan."""
        return self.plan.notes

    def heading(self) -> str:
        """Regimen, weeks, whether it is labelled, and the cardiovascular risk."""
        from her2sim.report.protocol_tables import plan_heading

        return plan_heading(self.plan)

    def tables(self) -> tuple[Table, ...]:
        """Doses, what goes with them, tests, and what follows the last dose."""
        from her2sim.report.protocol_tables import plan_tables

        return plan_tables(self.plan)

    def frame(self) -> pl.DataFrame:
        """One row a planned dose; ``tests()`` has the tests."""
        import polars as pl

        return pl.DataFrame([vars(dose) for dose in self.plan.doses])

    def tests(self) -> pl.DataFrame:
        """One row a test, with its days."""
        import polars as pl

        return pl.DataFrame([vars(test) for test in self.plan.tests])

    def sources(self) -> pl.DataFrame:
        """Who asks for each test, and the sources of what follows the last dose."""
        asked = [(test.test, "", test.asked_by) for test in self.plan.tests]
        later = [(line.what, line.drug, line.source) for line in self.plan.afterwards]
        return cited([*asked, *later])

    def as_dict(self) -> dict[str, Any]:
        """The plan as plain data, for JSON."""
        return plain(self.plan.as_dict())


@dataclass(frozen=True, eq=False, repr=False)
class Check(Result):
    """Where a record of what was given departs from the labels."""

    record: Path
    region: Region
    report: CheckReport
    entries: tuple[Entry, ...]

    @property
    def notes(self) -> tuple[str, ...]:
        """What could not be checked."""
        return self.report.notes

    def heading(self) -> str:
        """How many departures there are."""
        from her2sim.report.tables import counted

        n, report = len(self.report.departures), self.report
        return (
            f"{self.record.name}: {n} departures from the {self.region.upper()} labels; "
            f"{counted(report.n_patients, 'patient')}, {counted(report.n_entries, 'line')} "
            "against doses, intervals, routes, combinations, tests that are due, and rules"
        )

    def tables(self) -> tuple[Table, ...]:
        """Departures, one row each."""
        from her2sim.report.protocol_tables import departures_table

        return (departures_table(self.report),) if self.report.departures else ()

    def frame(self) -> pl.DataFrame:
        """One row a departure."""
        from her2sim.protocol.departures import Departure

        return typed_frame(Departure, self.report.departures)

    def plot(self) -> Figure:
        """Doses, tests and events of each patient, and where they depart from the label."""
        from her2sim.report.record_figure import record_figure

        return record_figure(self.record.name, self.entries, self.report.departures)

    def sources(self) -> pl.DataFrame:
        """The rules that were departed from."""
        return cited([(d.rule_id, d.code, d.source) for d in self.report.departures])

    def as_dict(self) -> dict[str, Any]:
        """The report as plain data, for JSON."""
        return plain(self.report.as_dict())


@checked
def plan(
    patient: Patient | Path | str,
    regimen: str,
    weeks: Annotated[int, Field(ge=1, le=520)] = 52,
    *,
    region: Region = "us",
    start: Day | None = None,
) -> Plan:
    """Doses, heart and blood tests, and what is kept up afterwards.

    Parameters
    ----------
    patient : a TOML file
    regimen : a named regimen, or drugs joined by ``+``
    weeks : how far the plan goes
    start : date of the first dose; dates are then shown beside days

    Raises
    ------
    DataError
        With all faults of the file, or of the regimen.
    """
    from her2sim.protocol.monitoring_plan import monitoring_plan
    from her2sim.regimens.library import load_regimen

    return Plan(monitoring_plan(patient_of(patient), load_regimen(regimen), weeks, region, start))


@checked
def check(
    record: Path | str,
    *,
    region: Region = "us",
    setting: Setting = "metastatic",
) -> Check:
    """Where a record of what was given (CSV) departs from the labels.

    Columns: patient, date, type (dose, lab, event), drug, route, dose_mg, test, value, unit, grade.

    Raises
    ------
    DataError
        With all faults of the file.
    """
    from her2sim.formats.record_csv import read_record
    from her2sim.protocol.audit import check_record

    path = Path(record)
    entries = tuple(read_record(path))
    return Check(path, region, check_record(entries, region, setting), entries)
