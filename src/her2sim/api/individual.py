"""One patient backwards: measured levels, this patient's numbers, and what is to come."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from her2sim.api.arguments import checked
from her2sim.api.result import Reported, Result, typed_frame
from her2sim.api.sources import exposure_facts, sources_frame
from her2sim.errors import DataError
from her2sim.patients.patient import Patient

if TYPE_CHECKING:
    import polars as pl
    from matplotlib.figure import Figure
    from rich.table import Table

    from her2sim.individuals.candidates import Target
    from her2sim.individuals.history import History
    from her2sim.patients.cohort import Cohort
    from her2sim.pk.treatment import Treatment
    from her2sim.studies.individual import IndividualReport

Percent = Annotated[float, Field(ge=1, le=300, allow_inf_nan=False)]
Weight = Annotated[float, Field(ge=0.05, le=1, allow_inf_nan=False)]
Cycles = Annotated[int, Field(ge=1, le=52)]
USUAL_CYCLES = 6


@dataclass(frozen=True, eq=False, repr=False)
class Individual(Reported, Result):
    """What measured levels tell of patients; of a single one, what is to come too."""

    report: IndividualReport

    def heading(self) -> str:
        """Model, regimen, patients and levels."""
        from her2sim.report.individual_view import heading

        return heading(self.report)

    def tables(self) -> tuple[Table, ...]:
        """Parameters, levels, and ways to go on."""
        from her2sim.report.individual_view import individual_tables

        return individual_tables(self.report)

    def frame(self) -> pl.DataFrame:
        """One row a parameter of a patient and model: typical, value, 90 % range, shrinkage."""
        from her2sim.studies.individual import ParameterOf

        return typed_frame(ParameterOf, self.report.parameters)

    def levels(self) -> pl.DataFrame:
        """One row a measured level: what was expected, and what was fitted."""
        from her2sim.studies.individual import LevelOf

        return typed_frame(LevelOf, self.report.levels)

    def fits(self) -> pl.DataFrame:
        """One row a patient and model: how the fit ended, and its weight."""
        from her2sim.studies.individual import StatusOf

        return typed_frame(StatusOf, self.report.fits)

    def candidates(self) -> pl.DataFrame:
        """One row a way to go on: levels to come, and the chance of the target."""
        from her2sim.report.individual_view import candidates_frame

        return candidates_frame(self.report)

    def plot(self) -> Figure:
        """Measured levels, the population's band, the patient's, and what is to come.

        Raises
        ------
        DataError
            If there are several patients.
        """
        from her2sim.report.individual_view import individual_figure

        return individual_figure(self.report)

    def html(self) -> str:
        """The answer as one page."""
        from her2sim.report.individual_view import individual_page

        return individual_page(self.report)

    def sources(self) -> pl.DataFrame:
        """Sources of the drug's models, and of blood and heart where they were fitted."""
        from her2sim.biology.blood import blood_facts
        from her2sim.biology.heart import heart_facts
        from her2sim.drugs.drug import pk_models
        from her2sim.drugs.toxicity import load_toxicity

        drug = self.report.treatment.drug.id
        used = {one.model.partition(",")[0] for one in self.report.fits}
        facts = [(name, pk_models(drug)[name.partition(":")[2]]) for name in sorted(used)]
        body = (
            (f"{drug} toxicity", load_toxicity(drug)), ("blood", blood_facts()),
            ("heart", heart_facts()),
        )  # fmt: skip
        with_body = body if self.report.history.tests else ()
        return sources_frame([*facts, *exposure_facts(self.report.treatment), *with_body])


@checked
def individual(
    levels: str | Path,
    drug: str,
    patient: Patient | Path | str | None = None,
    *,
    doses: Path | str | None = None,
    regimen: str | None = None,
    target: str | None = None,
    candidates: Sequence[str] = (),
    cycles: Cycles = USUAL_CYCLES,
    typical: bool = False,
    average: bool = False,
    tumour: bool = False,
    residual_cv: Percent | None = None,
    prior_weight: Weight = 1.0,
    seed: int = 1,
    time_unit: Literal["h", "day"] = "h",
    carry: Literal["nocb", "locf"] = "nocb",
    covariates: Sequence[str] = (),
    ignore: Sequence[str] = (),
) -> Individual:
    """Fit a drug's model to measured levels of patients, and look ahead for a single one.

    Parameters
    ----------
    levels : CSV with columns ``day`` (or ``date``), ``value``, ``unit``, and perhaps ``test`` and
        ``patient``; ``<0.5`` is below a limit of quantification. Or a NONMEM-style event table,
        which tells doses and characteristics too
    drug : drug, ``DRUG:MODEL`` or ``DRUG/REGIMEN``
    patient : a TOML file of one patient, or a table of patients (``.csv``)
    doses : CSV with columns ``day`` (or ``date``) and ``dose_mg``, or a treatment record; without
        it the doses are those of the label from day 0 on
    regimen : labelled regimen at hand; without it the drug's first
    target : what is wanted of each cycle, as in ``cmin>=20``; without it the drug's target trough
    candidates : further ways to go on, as in ``("q3w%120", "q3w~14")``
    cycles : cycles ahead
    typical : whether what is not told of a patient is taken from the model's reference patient
    average : whether all models of the drug are taken, by how likely they make the levels
    tumour : whether the tumour to come is shown too, as that of patients like this one under
        this patient's levels
    residual_cv : percent that a measured level lies off, in place of the published error
    prior_weight : less than 1 trusts the population less (a flattened prior)
    seed : decides the draws
    time_unit, carry, covariates, ignore : how an event table is read, as for ``simulate``

    Raises
    ------
    DataError
        With all faults of the files, or of what was asked.
    """
    from her2sim.api.drugs import treatment_of
    from her2sim.drugs.drug import pk_models
    from her2sim.formats.csv_table import headings_of
    from her2sim.individuals.of_drug import TESTS
    from her2sim.random import check_seed
    from her2sim.studies.individual import individual_report

    treatment = treatment_of(drug, regimen)
    if average and ":" in drug:
        raise DataError(f"{drug!r} names one model; with average all of the drug are taken")
    models = tuple(pk_models(treatment.drug.id).values()) if average else (treatment.pk,)
    if average and len(models) == 1:
        raise DataError(f"average: {treatment.drug.id} has one model ({models[0].model})")
    treatments = [replace(treatment, pk=pk) for pk in models]
    path = Path(levels)
    is_table = bool({"evid", "amt"} & {name.lower() for name in headings_of(path)})
    if is_table:
        told = {"patient": patient, "doses": doses, "typical": typical or None}
        _refuse(told, f"{path.name} is an event table, which tells of patients and doses")
        found = _of_table(path, treatment, covariates, ignore, time_unit, carry)
    else:
        usual = {
            "covariates": covariates, "ignore": ignore,
            "time_unit": None if time_unit == "h" else time_unit,
            "carry": None if carry == "nocb" else carry,
        }  # fmt: skip
        _refuse(usual, f"{path.name} is no event table (columns ID, TIME, AMT, EVID, DV)")
        found = _of_files(path, treatments, patient, doses, typical)
    if found.known.n_patients > 1:
        looked = {"target": target, "candidates": candidates, "cycles": cycles != USUAL_CYCLES}
        _refuse(looked, f"{path.name} is of several patients, of whom nothing to come is shown")
    wanted = _target(target, treatment)
    if wanted is not None and wanted.metric in TESTS and wanted.metric not in found.tests:
        raise DataError(
            f"target {target}: no {wanted.metric} was measured; give a reading in {path.name}"
        )
    report = individual_report(
        treatments, found, wanted, candidates, cycles,
        residual_cv=None if residual_cv is None else residual_cv / 100,
        prior_weight=prior_weight, seed=check_seed(seed),
        after_anthracycline=_had_anthracycline(patient),
        tumour_of=_tumour_of(patient) if tumour else None,
    )  # fmt: skip
    return Individual(report)


def _tumour_of(patient: Patient | Path | str | None) -> Patient:
    """The patient whose tumour is shown."""
    from her2sim.api.patients import patient_of

    if patient is None or str(patient).lower().endswith(".csv"):
        raise DataError("tumour: needs one patient as a file (TOML), which tells of the tumour")
    return patient_of(patient)


def _had_anthracycline(patient: Patient | Path | str | None) -> bool:
    """Whether one patient is told to have had an anthracycline."""
    from her2sim.api.patients import patient_of

    if patient is None or str(patient).lower().endswith(".csv"):
        return False
    return "prior_anthracycline" in patient_of(patient).history


def _refuse(given: dict[str, Any], why: str) -> None:
    """Refuse what would not be used."""
    unused = [name for name, value in given.items() if value]
    if unused:
        raise DataError(f"{', '.join(unused)}: nothing of it is used, as {why}; leave it out")


def _target(text: str | None, treatment: Treatment) -> Target | None:
    """The target that was asked for, or the trough in the drug's facts."""
    from her2sim.individuals.candidates import Target, parse_target
    from her2sim.studies.target import wanted_target

    if text is not None:
        return parse_target(text)
    trough = wanted_target(treatment, None)
    return None if trough is None else Target("cmin", True, trough)


def _of_files(
    levels: Path, treatments: Sequence[Treatment], patient: Patient | Path | str | None,
    doses: Path | str | None, typical: bool,
) -> History:  # fmt: skip
    """Levels and doses of the patients of a file."""
    from her2sim.individuals.history import read_history
    from her2sim.pk.needs import require_characteristics

    if patient is None:
        raise DataError("patient is missing: give a patient (TOML), or a table of patients (CSV)")
    cohort, names = _patients(patient)
    notes: tuple[str, ...] = ()
    for treatment in treatments if typical else ():
        cohort, own = _completed(cohort, treatment)
        notes += own
    where = f"{cohort.name} (tell it, or take what is typical: --typical)"
    require_characteristics(cohort, treatments, where)
    given = None if doses is None else Path(doses)
    found = read_history(levels, treatments[0], cohort, names, given)
    return replace(found, notes=(*notes, *found.notes))


def _patients(patient: Patient | Path | str) -> tuple[Cohort, tuple[str, ...]]:
    """Patients, and how files call them."""
    from her2sim.api.patients import patient_of
    from her2sim.formats.patient_table import read_patient_table

    if not isinstance(patient, Patient) and str(patient).lower().endswith(".csv"):
        cohort = read_patient_table(Path(patient), 0)
        return cohort, tuple(str(number) for number in cohort.numbers)
    return patient_of(patient).cohort(0), ("",)


def _completed(cohort: Cohort, treatment: Treatment) -> tuple[Cohort, tuple[str, ...]]:
    """Patients with what is not told of them taken from the reference patient of the model."""
    import numpy as np

    pk = treatment.pk
    missing = [name for name in pk.needed_covariates() if name not in cohort.covariates]
    if not missing:
        return cohort, ()
    values = {name: np.repeat(pk.reference_patient[name], cohort.n_patients) for name in missing}
    shown = ", ".join(f"{name} {pk.reference_patient[name]}" for name in missing)
    note = f"Taken from the reference patient of {pk.name}: {shown}."
    return replace(cohort, covariates={**cohort.covariates, **values}), (note,)


def _of_table(
    path: Path, treatment: Treatment, covariates: Sequence[str], ignore: Sequence[str],
    time_unit: str, carry: Literal["nocb", "locf"],
) -> History:  # fmt: skip
    """Patients of an event table."""
    from her2sim.studies.level_events import levels_of_events

    return levels_of_events(path, treatment, covariates, ignore, time_unit, carry)
