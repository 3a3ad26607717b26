"""Fit the ensemble to the anchors, and write it into the fact files: make calibrate.

It takes about two minutes on two cores. Run it twice and the files are the same.
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
from her2sim.calibration.fit import SEED, Datum, Fit, calibrate
from her2sim.calibration.selection import Selected, select_best
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
MEMBERS, PATIENTS, KEPT = 128, 60, 24
DEATHS = ((1, "cleopatra", "placebo"), (3, "nala", "lapatinib"), (2, "emilia", "lap_cape"))
DEATH_PATIENTS = 100
CITATION = "her2sim, fit to published trials (docs/calibration.md)"


def main() -> None:
    """Fit, and write what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--members", type=int, default=MEMBERS)
    parser.add_argument("--patients", type=int, default=PATIENTS)
    parser.add_argument("--kept", type=int, default=KEPT)
    parser.add_argument("--deaths", action="store_true", help="only the times to death")
    asked = parser.parse_args()
    if asked.deaths:
        write_deaths()
        return
    fit, data, predicted = calibrate(asked.members, asked.patients, available_cores(), print)
    kept = select_best(data, predicted, fit.values(), asked.kept)
    write_parameters(fit, kept)
    write_draws(kept)
    columns = [draw - 1 for draw in kept.draws]
    write_page(fit, kept, data, predicted[:, columns])
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
    if owner == "tumour":
        return SOURCE / "biology" / "tumour.toml", of, part
    drug = load_drug(owner)
    return SOURCE / "drugs" / (drug.substance or drug.id) / "mechanism.toml", of, part


def write_parameters(fit: Fit, kept: Selected) -> None:
    """Values, spreads and anchors into the fact files; everything else in them stays."""
    anchors = {
        name: ", ".join(mechanism.anchors)
        for mechanism in fit.plan.mechanism
        for name in [p.name for p in mechanism.parameter] + [t.name for t in mechanism.tied]
    }
    for name in kept.values:
        path, of, part = place_of(name)
        document = tomlkit.parse(path.read_text(encoding="utf-8"))
        table = document["parameter"][of]
        number = kept.number(name)
        if part:
            table["spread"] = number["value"]
            table["spread_members"] = number["members"]
        else:
            table |= number
        table["status"] = "calibrated"
        table["source"] = f"calibration:{anchors[name]}"
        table.pop("reason", None)
        sources = document.setdefault("sources", tomlkit.table(is_super_table=True))
        if "calibration" not in sources:
            source = tomlkit.table()
            source["citation"] = CITATION
            sources["calibration"] = source
        path.write_text(tomlkit.dumps(document), encoding="utf-8")


def write_draws(kept: Selected) -> None:
    """The draws of what was not calibrated, of the members that are kept."""
    text = ", ".join(str(draw) for draw in kept.draws)
    (SOURCE / "biology" / "ensemble.toml").write_text(
        "# Members of the ensemble in order of fit: the draw of each, from which it takes\n"
        f"# what was not calibrated. Written by make calibrate.\n\ndraws = [{text}]\n",
        encoding="utf-8",
    )


def shown(datum: Datum, values: np.ndarray) -> np.ndarray:
    """Figures on the scale on which they are read."""
    if "target" in datum.text:
        return 100 * values
    return 100 * expit(values) if "rate" in datum.text else np.exp(values)


def write_page(fit: Fit, kept: Selected, data: list[Datum], predicted: np.ndarray) -> None:
    """The anchors beside the members that are kept, and the parameters."""
    lines = [PAGE_HEAD.format(n=len(fit.members[0]), kept=len(kept.draws))]
    lines += ["| arm | figure | published | predicted | 5th to 95th |", "|---|---|---:|---:|---:|"]
    for datum, row in zip(data, predicted, strict=True):
        low, middle, high = shown(datum, np.quantile(row, [0.05, 0.5, 0.95]))
        published = float(shown(datum, np.array(datum.value)))
        lines.append(
            f"| {datum.place} | {datum.text.replace('_', ' ')} | {published:.3g} | {middle:.3g} "
            f"| {low:.3g} to {high:.3g} |"
        )
    lines += ["", "## Parameters", "", "| parameter | prior | median | 5th to 95th | anchors |"]
    lines += ["|---|---:|---:|---:|---|"]
    for mechanism in fit.plan.mechanism:
        for prior in mechanism.parameter:
            number = kept.number(prior.name)
            lines.append(
                f"| {prior.name} | {prior.low:g} to {prior.high:g} | {number['value']:g} "
                f"| {number['low']:g} to {number['high']:g} | {', '.join(mechanism.anchors)} |"
            )
    (ROOT / "docs" / "calibration.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


PAGE_HEAD = """# Calibration

What the bench cannot tell is fitted to published trials, the anchors, and to nothing else. One set
of numbers is not enough: many sets fit about equally well and predict different things. So
`make calibrate` moves {n} sets at once (an ensemble smoother: Emerick and Reynolds 2013, doi
10.1016/j.cageo.2012.03.011), each with some of 512 patients an arm and with its own draw of what
stays unknown, and keeps the {kept} that fit best. A parameter moves with the anchors of its
mechanism only (`src/her2sim/calibration/plan.toml`); the sets begin around where an earlier,
wider fit ended. A median counts with the error of its patients and of the step between scans. Every
prediction is made with all sets; its range is theirs.

Research and education only.

## Anchors

Shares and rates in per cent, medians in months. Responses, durations of response and curves count
beside the median. A figure that no set reaches is a miss of the model, and stands here.
"""


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("stopped before the fit was written; `git status` shows whether files changed")
