"""What is known of drugs and regimens, in words: equations, numbers, sources, labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.table import Table

from her2sim.drugs.drug import Drug, load_pk
from her2sim.drugs.pk import PkModel
from her2sim.facts import Claim, Quantity
from her2sim.pk.combination import Combination
from her2sim.protocol.label import REGIONS, load_label
from her2sim.protocol.variables import VARIABLES
from her2sim.regimens.library import NamedRegimen

if TYPE_CHECKING:
    import polars as pl


def facts_table(frame: pl.DataFrame) -> Table:
    """Facts as they are, one row each."""
    table = Table(title_justify="left")
    for name in frame.columns:
        table.add_column(name.replace("_", " "), overflow="fold")
    for row in frame.iter_rows():
        table.add_row(*("" if value is None else _cell(value) for value in row))
    return table


def _cell(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def regimen_list_table(regimens: Sequence[NamedRegimen]) -> Table:
    """All named regimens."""
    table = Table(title_justify="left")
    for heading in ("regimen", "title", "setting", "also called"):
        table.add_column(heading, overflow="fold")
    for regimen in regimens:
        table.add_row(regimen.id, regimen.title, regimen.setting, ", ".join(regimen.aliases))
    return table


def regimen_text(regimen: NamedRegimen, combination: Combination) -> str:
    """Drugs, doses, interactions and sources of a regimen."""
    lines = [f"{regimen.id}: {regimen.title}"]
    lines += [regimen.setting] if regimen.setting else []
    lines += ["", "Drugs"]
    for part, treatment in zip(regimen.part, combination.treatments, strict=True):
        how = f"{treatment.pk.name} ({treatment.pk.status}): {treatment.regimen.title}"
        if part.doses is not None:
            how += f", {part.doses} doses"
        if part.start_day:
            how += f", from day {part.start_day:g}"
        lines.append(_line(f"  {how}", part))
    if combination.notes:
        lines += ["", "Between them", *(f"  {note}" for note in combination.notes)]
    lines += _label_lines(regimen)
    if regimen.sources:
        lines += ["", "Sources"]
        lines += [f"  {key}: {source.text()}" for key, source in regimen.sources.items()]
    return "\n".join(lines)


def _label_lines(regimen: NamedRegimen) -> list[str]:
    """Dose levels, premedication and monitoring that the labels of the drugs name."""
    lines: list[str] = []
    for name in dict.fromkeys(part.drug for part in regimen.part):
        for label in filter(None, (load_label(name, region) for region in REGIONS)):
            found = [_line(f"  dose levels {ladder.text()}", ladder) for ladder in label.ladder]
            found += [_line(f"  {', '.join(p.what)}: {p.when}", p) for p in label.premedication]
            for test in label.monitoring:
                found.append(_line(f"  {VARIABLES[test.variable].meaning}: {test.text()}", test))
            lines += ["", f"{label.region.upper()} label of {name} ({label.dated})", *found]
    return lines


def drug_list_table(drugs: list[Drug]) -> Table:
    """All drugs with their models and regimens."""
    table = Table(title_justify="left")
    for heading in ("drug", "title", "model", "status", "regimens", "also called"):
        table.add_column(heading)
    for drug in drugs:
        pk = load_pk(drug.id)
        table.add_row(
            drug.id,
            drug.title,
            pk.model,
            pk.status,
            ", ".join(drug.regimen),
            ", ".join(drug.aliases),
        )
    return table


def drug_text(drug: Drug, pk: PkModel) -> str:
    """Everything that is known of a drug model: equations, numbers, sources, status."""
    lines = [
        f"{drug.id}: {drug.title} ({drug.drug_class})",
        f"model {pk.name}, {pk.title}; status: {pk.status}",
        f"structure {pk.structure}: {pk.structural.meaning}",
        *_studied_lines(pk),
        "",
        "Equations (amounts in mg, time in days; infusions enter the dosed compartment)",
        *(f"  {line}" for line in pk.structural.model.equations()),
        f"  dosed: {', '.join(f'{r} -> {s}' for r, s in pk.structural.dosed.items())}",
        "",
        "Typical values",
    ]
    for name, quantity in pk.parameter.items():
        lines += _parameter_lines(pk, name, quantity)
    lines += ["", "Variability between patients", f"  {pk.variability.convention}"]
    for name, cv in pk.variability.cv_percent.items():
        lines.append(_line(f"  {name}: CV {cv.value:g} %", cv))
    for covariance in pk.variability.covariance:
        a, b = covariance.between
        lines.append(_line(f"  covariance {a}, {b}: {covariance.value:g}", covariance))
    lines += ["", "Residual error (of simulated observations, not part of predicted exposures)"]
    for name, value in (
        ("proportional", pk.residual.proportional_sd),
        ("additive", pk.residual.additive_sd),
        ("additive on the log scale", pk.residual.log_sd),
    ):
        if value is not None:
            lines.append(_line(f"  {name} SD {_with_unit(value)}", value))
    lines += ["", "Regimens"]
    for name, regimen in drug.regimen.items():
        lines.append(_line(f"  {name}: {regimen.title}", regimen))
    lines += ["", "Sources"]
    lines += [f"  {key}: {source.text()}" for key, source in (pk.sources | drug.sources).items()]
    return "\n".join(lines)


def _studied_lines(pk: PkModel) -> list[str]:
    if pk.population.n_patients is None:
        return [pk.population.summary]
    return [f"estimated in {pk.population.n_patients} patients: {pk.population.summary}"]


def _parameter_lines(pk: PkModel, name: str, quantity: Quantity) -> list[str]:
    lines = [_line(f"  {name} = {_with_unit(quantity)}", quantity)]
    for switch in (s for s in pk.switch if s.on == name):
        for kind, other in switch.values().items():
            lines.append(_line(f"    or {_with_unit(other)} if tumour type is {kind}", other))
    relations = (c for c in pk.covariate if c.on == name)
    lines += [_line(f"    x {c.formula()}", c.coefficient) for c in relations]
    return lines


def _with_unit(quantity: Quantity) -> str:
    return f"{quantity.value:g}" + ("" if quantity.unit == "1" else f" {quantity.unit}")


def _line(text: str, claim: Claim) -> str:
    """A line with its status and basis set off to the right."""
    doubt = "" if getattr(claim, "is_confirmed", True) else "; not confirmed"
    return f"{text:<52}  [{claim.status}; {claim.source or claim.reason}{doubt}]"
