"""Tables for the terminal."""

from __future__ import annotations

from rich.table import Table

from her2sim.drugs.drug import Drug
from her2sim.drugs.pk import PkModel
from her2sim.report.exposure import STEADY_STATE, ExposureReport


def _number(value: float) -> str:
    return f"{value:.4g}"


def exposure_table(report: ExposureReport) -> Table:
    """Predicted exposures of the first cycle and at steady state."""
    table = Table(title="Predicted exposure", title_justify="left")
    for heading in ("cycle", "metric", "median", "5th", "95th", "mean", "geometric mean", "CV %"):
        table.add_column(heading, justify="left" if heading in ("cycle", "metric") else "right")
    table.add_column("unit")
    for row in report.exposures:
        if row.cycle in ("1", STEADY_STATE):
            s = row.statistics
            values = (s.median, s.p5, s.p95, s.mean, s.geometric_mean, s.cv_percent)
            table.add_row(row.cycle, row.metric, *map(_number, values), row.unit)
    return table


def comparison_table(report: ExposureReport) -> Table:
    """Published numbers beside predicted ones."""
    table = Table(title="Published beside predicted", title_justify="left")
    for heading in ("cycle", "metric", "statistic", "published", "predicted", "ratio", "unit"):
        is_number = heading in ("published", "predicted", "ratio")
        table.add_column(heading, justify="right" if is_number else "left")
    table.add_column("source", overflow="fold")
    for row in report.published:
        table.add_row(
            row.cycle,
            row.metric,
            row.statistic.replace("_", " "),
            _number(row.value),
            _number(row.predicted),
            f"{row.ratio:.3f}",
            row.unit,
            row.source,
        )
    return table


def drug_list_table(drugs: list[Drug]) -> Table:
    """All drugs with their models and regimens."""
    table = Table(title_justify="left")
    for heading in ("drug", "title", "model", "status", "regimens", "also called"):
        table.add_column(heading)
    from her2sim.drugs.drug import load_pk

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
        f"estimated in {pk.population.n_patients} patients: {pk.population.summary}",
        "",
        "Equations (amounts in mg, time in days; infusions enter the dosed compartment)",
        *(f"  {line}" for line in pk.structural.model.equations()),
        f"  dosed: {', '.join(f'{r} -> {s}' for r, s in pk.structural.dosed.items())}",
        "",
        "Typical values",
    ]
    for name, quantity in pk.parameter.items():
        factors = [c.formula() for c in pk.covariate if c.on == name]
        formula = " ".join([f"{quantity.value:g} {quantity.unit}", *factors])
        lines += [f"  {name} = {formula}", *_basis(quantity.basis(), quantity.status)]
        for switch in (s for s in pk.switch if s.on == name):
            for kind, other in switch.values().items():
                lines += [
                    f"    {other.value:g} {other.unit} if tumour type is {kind}",
                    *_basis(other.basis(), other.status),
                ]
        for relation in (c for c in pk.covariate if c.on == name):
            lines += [
                f"    {relation.formula()}",
                *_basis(relation.coefficient.basis(), relation.coefficient.status),
            ]
    lines += ["", "Variability between patients", f"  {pk.variability.convention}"]
    for name, cv in pk.variability.cv_percent.items():
        lines += [f"  {name}: CV {cv.value:g} %", *_basis(cv.basis(), cv.status)]
    for covariance in pk.variability.covariance:
        a, b = covariance.between
        lines += [
            f"  covariance {a}, {b}: {covariance.value:g}",
            *_basis(covariance.basis(), covariance.status),
        ]
    lines += ["", "Residual error (not part of predicted exposures)"]
    for name, value in (
        ("proportional", pk.residual.proportional_sd),
        ("additive", pk.residual.additive_sd),
    ):
        if value is not None:
            lines += [
                f"  {name} SD {value.value:g} {value.unit}",
                *_basis(value.basis(), value.status),
            ]
    lines += ["", "Regimens"]
    for name, regimen in drug.regimen.items():
        lines += [f"  {name}: {regimen.title}", *_basis(regimen.basis(), regimen.status)]
    lines += ["", "Sources"]
    lines += [f"  {key}: {source.text()}" for key, source in (pk.sources | drug.sources).items()]
    return "\n".join(lines)


def _basis(basis: str, status: str) -> list[str]:
    return [f"      [{status}; {basis}]"]
