"""Fit all anchors, and write what came of it into the fact files: make calibrate.

It takes some twenty minutes on two cores for metastatic disease, as long again for early disease
(``--setting early``), which keeps the numbers of metastatic disease, and a minute for each other
tumour type (``--tumour``), which keeps those of metastatic breast cancer. Run it twice and the
files are the same.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

import numpy as np
import tomlkit
from scipy.optimize import brentq
from scipy.special import expit

from her2sim.biology.ensemble import Members, ensemble
from her2sim.biology.tumour_type import described_types
from her2sim.calibration.anchors import Anchor
from her2sim.calibration.evidence import SEED, Evidence
from her2sim.calibration.map_fit import Misses
from her2sim.calibration.plan import (
    MIDDLE_90,
    CalibrationPlan,
    Parameters,
    calibration_plan,
)
from her2sim.calibration.run import PATIENTS, STARTS, Calibration, calibrate
from her2sim.drugs.drug import load_drug
from her2sim.engine.advance import available_cores
from her2sim.trials.arm import ArmPatients
from her2sim.trials.death import days_of, draw_levels
from her2sim.trials.efficacy import arm_doses, run_efficacy
from her2sim.trials.library import load_trial
from her2sim.trials.survival import kaplan_meier
from her2sim.trials.trial import Trial
from her2sim.units import DAY_PER_MONTH

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src" / "her2sim"
DEATHS = ((1, "cleopatra", "placebo"), (3, "nala", "lapatinib"), (2, "emilia", "lap_cape"))
DEATH_PATIENTS = 100


def main() -> None:
    """Fit, and write what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--setting", choices=("metastatic", "early"), default="metastatic")
    parser.add_argument("--tumour", choices=("breast", *described_types()), default="breast")
    parser.add_argument("--patients", type=int, default=PATIENTS)
    parser.add_argument("--starts", type=int, default=STARTS)
    parser.add_argument("--deaths", action="store_true", help="only the times to death")
    asked = parser.parse_args()
    if asked.deaths:
        write_deaths()
        return
    plan = calibration_plan(asked.setting, asked.tumour)
    evidence = Evidence(asked.patients, available_cores(), plan=plan)
    found = calibrate(evidence, starts=asked.starts, note=print)
    write_parameters(evidence.parameters, found)
    write_page(evidence, found)
    if plan.keeps_members:
        return
    write_draws(found)
    # Facts are read once a process: what was written counts in the next.
    subprocess.run([sys.executable, __file__, "--deaths"], check=True)


def write_deaths() -> None:
    """Median times from progression to death, line by line, from control arms."""
    path = SOURCE / "trials" / "death.toml"
    document = tomlkit.parse(path.read_text(encoding="utf-8"))
    medians = np.array([document["parameter"][f"after_line_{k}"]["value"] for k in (1, 2, 3)])
    for line, trial, arm in DEATHS:
        medians[line - 1] = _fitted_median(medians, line, load_trial(trial), arm)
        document["parameter"][f"after_line_{line}"]["value"] = float(f"{medians[line - 1]:.3g}")
        print(f"line {line}: {medians[line - 1]:.3g} months from progression to death")
    path.write_text(tomlkit.dumps(document), encoding="utf-8")


def _fitted_median(medians: np.ndarray, line: int, trial: Trial, arm_id: str) -> float:
    """The median that gives the published survival of an arm."""
    rows = [r for r in trial.outcome if r.arm == arm_id and r.endpoint == "OS" and not r.at_month]
    published = rows[0].value
    n_members = len(ensemble().draws)
    number = np.arange(DEATH_PATIENTS * n_members)
    patients = ArmPatients(number, Members(1 + number % n_members))
    arm = trial.arm_of(arm_id)
    frame = run_efficacy(trial, arm, patients, arm_doses(trial, arm, patients, SEED), SEED)
    column = {name: frame[name].to_numpy() for name in frame.columns}
    levels = draw_levels(SEED, number)
    until = np.minimum(column["cut_day"], column["lost_day"])

    def gap(median: float) -> float:
        changed = np.where(np.arange(3) == line - 1, median, medians) * DAY_PER_MONTH
        died = days_of(*levels, column["progressed_day"], column["earlier_lines"], changed)
        curve = kaplan_meier(np.minimum(died, until), died <= until)
        return curve.median()[0] / DAY_PER_MONTH - published

    return float(brentq(gap, 2.0, 60.0, xtol=0.05))


def place_of(name: str) -> tuple[Path, str, str]:
    """File of a parameter, its name there, and whether it is its spread."""
    owner, _, of = name.partition(":")
    of, _, part = of.partition(".")
    if owner in described_types():
        return SOURCE / "biology" / "tumour_types" / owner / "tumour_type.toml", of, part
    if owner in ("tumour", "early"):
        return SOURCE / "biology" / f"{owner}.toml", of, part
    drug = load_drug(owner)
    return SOURCE / "drugs" / (drug.substance or drug.id) / "mechanism.toml", of, part


def write_parameters(parameters: Parameters, found: Calibration) -> None:
    """Values, members and ranges into the fact files; everything else in them stays."""
    best = parameters.values(found.fit.at[:, None])
    members = parameters.values(found.members.sets)
    for name, values in members.items():
        path, of, part = place_of(name)
        document = tomlkit.parse(path.read_text(encoding="utf-8"))
        table = document["parameter"][of]
        value = float(f"{best[name][0]:.4g}")
        rounded = [float(f"{v:.4g}") for v in values]
        if part:
            table["spread"] = value
            table["spread_members"] = rounded
        else:
            low, high = (float(f"{q:.4g}") for q in np.quantile(rounded, [0.05, 0.95]))
            table["value"] = value
            table["low"], table["high"] = min(low, value), max(high, value)
            table["members"] = rounded
        table["status"] = "calibrated"
        table["source"] = source_of(parameters.plan)
        table.pop("reason", None)
        sources = document.setdefault("sources", tomlkit.table(is_super_table=True))
        if "calibration" not in sources:
            source = tomlkit.table()
            page, _ = page_of(parameters.plan)
            source["citation"] = f"her2sim, fit to published trials (docs/{page})"
            sources["calibration"] = source
        path.write_text(tomlkit.dumps(document), encoding="utf-8")


def source_of(plan: CalibrationPlan) -> str:
    """Where a calibrated number is from."""
    if plan.tumour_type == "breast":
        return "calibration:all anchors"
    return f"calibration:trials of {described_types()[plan.tumour_type].title}"


def write_draws(found: Calibration) -> None:
    """The draws of what was not calibrated, of the members."""
    text = ", ".join(str(draw) for draw in found.members.draws)
    (SOURCE / "biology" / "ensemble.toml").write_text(
        "# Members of the ensemble: the draw of each, from which it takes what was not fitted.\n"
        f"# Written by make calibrate.\n\ndraws = [{text}]\n",
        encoding="utf-8",
    )


def shown(anchor: Anchor, values: np.ndarray) -> np.ndarray:
    """Figures on the scale on which they are read."""
    if anchor.kind == "target":
        return 100 * values
    logs = ("ratio", "median", "contrast")
    return np.exp(values) if anchor.kind in logs else 100 * expit(values)


def write_page(evidence: Evidence, found: Calibration) -> None:
    """The anchors beside the fit, and the parameters."""
    sets = np.column_stack([found.fit.at, found.members.sets])
    draws = np.append(0, found.members.draws)
    predicted = evidence.predict(sets, draws=draws, months=True)
    misses = Misses(evidence)
    distance = float(np.mean(misses(found.fit.predicted[:, None]) ** 2))
    name, head = page_of(evidence.plan)
    trials = {a.trial for a in evidence.anchors} - {"all"}
    lines = [
        head.format(
            kept=len(found.members.draws), n=len(evidence.anchors), patients=evidence.n_patients,
            trials=len(trials), distance=distance,
            costs=", ".join(f"{cost:.0f}" for cost in found.costs),
        )
    ]  # fmt: skip
    lines += ["| trial | arm | figure | published | fit | 5th to 95th of members |"]
    lines += ["|---|---|---|---:|---:|---:|"]
    for anchor, row in zip(evidence.anchors, predicted, strict=True):
        fit, low, high = shown(anchor, np.array([row[0], *np.quantile(row[1:], [0.05, 0.95])]))
        lines.append(
            f"| {anchor.trial} | {anchor.arm} | {anchor.text} | {anchor.published:.3g} "
            f"| {fit:.3g} | {low:.3g} to {high:.3g} |"
        )
    lines += [
        "",
        PARAMETERS_HEAD.format(widening=evidence.plan.error("prior_widening")),
        *parameter_rows(evidence.parameters, found),
    ]
    (ROOT / "docs" / name).write_text("\n".join(lines) + "\n", encoding="utf-8")


def page_of(plan: CalibrationPlan) -> tuple[str, str]:
    """The page of a calibration in the documentation, and what it begins with."""
    if plan.setting == "early":
        return "calibration-early.md", EARLY_HEAD
    if plan.tumour_type != "breast":
        type_id = plan.tumour_type
        head = TYPE_HEAD.replace("{title}", described_types()[type_id].title)
        return f"tumours/{type_id}-calibration.md", head.replace("{type_id}", type_id)
    return "calibration.md", PAGE_HEAD


def parameter_rows(parameters: Parameters, found: Calibration) -> list[str]:
    """Prior and posterior of each parameter; outside its prior is said with the reason."""
    best = parameters.values(found.fit.at[:, None])
    members = parameters.values(found.members.sets)
    rows = []
    for prior, at, sets in zip(
        parameters.plan.parameter, found.fit.at, found.members.sets, strict=True
    ):
        low, high = np.quantile(members[prior.name], [0.05, 0.95])
        is_outside = abs(at) * parameters.plan.error("prior_widening") > MIDDLE_90 / 2
        note = f"outside: {prior.reason or 'no reason is known'}" if is_outside else ""
        rows.append(
            f"| {prior.name} | {prior.low:g} to {prior.high:g} | {best[prior.name][0]:.3g} "
            f"| {low:.3g} to {high:.3g} | {sets.std():.2f} | {note} |"
        )
    return rows


PAGE_HEAD = """# Calibration

What the bench cannot tell is fitted to published trials: all {trials} trials of metastatic breast
cancer that come with her2sim, {n} figures, each parameter to every figure that it touches.
Structure and numbers were chosen with these trials in view, so the table below is a fit and no
proof. How well trials are predicted that took no part:
[crossvalidation.md](crossvalidation.md). What each part of the model earns there:
[calibration-parts.md](calibration-parts.md).

`make calibrate` finds the set of numbers that fits best (Levenberg and Marquardt, with priors) from
several starts, {patients} patients an arm, in the same model that predicts. Costs of the fits:
{costs}. Then {kept} members of the ensemble are drawn around the best: each fits figures and
priors that are perturbed by their errors, and takes its own draw of what is not calibrated
(randomised maximum likelihood). The best fit may lie beyond them: predictions are those of the best
fit, and the members tell how far they may be off. What the errors of figures are:
`src/her2sim/calibration/plan.toml`. Mean squared miss, in these errors: {distance:.2f}.

Research and education only.

## Anchors

Shares and rates in per cent, times in months. Points of one curve count together as two. A figure
that no member reaches is a miss of the model, and stands here.
"""

EARLY_HEAD = """# Calibration of early disease

What differs between early and metastatic disease, where spread is hidden and what pathology sees is
fitted to {trials} published trials of early breast cancer, {n} figures. How drugs act is taken from
the calibration of metastatic disease ([calibration.md](calibration.md)), times factors that are
fitted here. Structure and numbers were chosen with these trials in view, so the table below is a
fit and no proof. How well trials are predicted that took no part:
[crossvalidation-early.md](crossvalidation-early.md).

`make calibrate-early` fits {patients} patients an arm in the same model that predicts, from several
starts (costs of the fits: {costs}). Then {kept} members are drawn around the best, each with the
numbers of that member for metastatic disease: what one lets a drug do less, another number has to
do more, so kill, spread and what pathology misses move together over members. What the errors of
figures are: `src/her2sim/calibration/early_plan.toml`. Mean squared miss, in these errors:
{distance:.2f}.

Research and education only.

## Anchors

Shares and rates in per cent. Points of one curve count together as two.
"""

TYPE_HEAD = """# Calibration of {title}

What differs between {title} and breast cancer is fitted to the published trials of {title} that
come with her2sim ({trials}; {n} figures). Drugs against HER2 act as in metastatic breast cancer
([calibration](../calibration.md)). The table is a fit and no proof; what was learnt from it, and
how well trials are predicted that took no part: [{title}]({type_id}.md).

`python tools/calibrate.py --tumour {type_id}` fits {patients} patients an arm from several starts
(costs of the fits: {costs}). Then {kept} members are drawn around the best, each with the numbers
of that member for breast cancer. Responses count as numbers of patients, by the binomial
likelihood. Mean squared miss, in the errors of figures: {distance:.2f}.

Research and education only.

## Anchors

Shares and rates in per cent, times in months. Points of one curve count together as two.
"""

PARAMETERS_HEAD = """## Parameters

The prior is the middle 90 % of what a number may be, as judged before; for the fit it is widened
{widening:g} times. *Spread* is the SD of the members over that of the widened prior: 1 means that
the trials say nothing.

| parameter | prior | fit | 5th to 95th of members | spread | |
|---|---:|---:|---:|---:|---|"""


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("stopped before the fit was written; `git status` shows whether files changed")
