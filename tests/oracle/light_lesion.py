"""The lesion of a patient once more, in plain NumPy: days as steps, antibody at its steady state.

Written from docs/tumour.md, apart from the equations of the package: no compiler, no solver, no
schedule. It takes from the package who the patients are, at which hazard each progresses elsewhere,
which doses they get, and the levels in plasma.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from her2sim.biology.ensemble import Members
from her2sim.biology.virtual_cohort import VirtualCohort
from her2sim.regimens.dosing_record import DosingRecord
from her2sim.trials.arm import ArmPatients, regimen_groups
from her2sim.trials.efficacy import arm_doses
from her2sim.trials.enrolment import enrol
from her2sim.trials.trial import Arm, Trial
from her2sim.virtual_patient.cohort_state import hazard_levels
from her2sim.virtual_patient.composition import VirtualPatient, virtual_patient
from her2sim.virtual_patient.run import run_virtual_patient

Array = NDArray[np.float64]
SCAN_ERROR, GROWN, GROWN_MM, RESPONDED, CONFIRMED_DAY, WINDOW_DAY = 0.07, 1.2, 5.0, 0.7, 28.0, 7.0
LOG_SMALLEST_ROOM = 0.2
KPD = ("cytotoxic", "endocrine")


@dataclass(frozen=True)
class LightArm:
    """Days of progression, and of a confirmed response, infinite without, shape (n,) each."""

    progressed_day: Array
    confirmed_day: Array


def light_arm(trial: Trial, arm: Arm, n: int, seed: int) -> LightArm:
    """An arm of a trial without deaths and drop-outs."""
    numbers = np.arange(n)
    patients = ArmPatients(numbers, Members(np.zeros(n, dtype=np.int64)))
    people = enrol(trial, arm, numbers, seed, patients.members)
    doses = arm_doses(trial, arm, patients, seed)
    found = LightArm(np.full(n, np.inf), np.full(n, np.inf))
    scans = np.array(list(_scan_days(trial)))
    random = np.random.default_rng(seed)
    for given in regimen_groups(arm, numbers, seed):
        whole, some = virtual_patient(given.drugs), people.take(given.rows)
        size = _sizes(whole, some, doses.records[given.name].of_patients(given.rows), scans)
        level = hazard_levels(whole, some)[0]
        progressed, confirmed = _read(*size, scans, some, level, random)
        found.progressed_day[given.rows] = progressed
        found.confirmed_day[given.rows] = confirmed
    return found


def _scan_days(trial: Trial) -> Iterator[float]:
    week, end = 0.0, trial.end_month * 30.4375 / 7
    for pace in trial.scans:
        until = min(end, np.inf if pace.until_week is None else pace.until_week)
        while week + pace.every_week <= until + 1e-9:
            week += pace.every_week
            yield 7.0 * week


def _sizes(
    whole: VirtualPatient, people: VirtualCohort, record: DosingRecord, scans: Array
) -> tuple[Array, Array]:
    """Sum of diameters over the first, and cumulative hazard elsewhere, at scans, (n, n_scans)."""
    n, n_days = people.cohort.n_patients, int(scans[-1])
    p = dict(zip(whole.model.parameters, whole.parameters(people), strict=True))
    cells = np.array([people.tumours.start[f"cells_{c}"] for c in "slm"])
    level = _plasma(whole, people, record, n_days)
    given = {d.tag: _given(whole, k, people, record, n_days) for k, d in _kpd(whole)}
    left = {tag: np.ones(n) for tag in given}
    active = {d.tag: np.ones(n) for d in whole.drugs if d.mechanism.kind == "covalent"}
    dying, mean_gain = np.zeros(n), p["growth"].copy()
    elsewhere, sizes, hazards = np.zeros(n), [], []
    for day in range(n_days):
        kinase = _kinase(whole, p, level, active, day)
        kept = 1 + p["stabilisation"] * (1 - kinase)
        high = cells[0] + cells[2] + 1e-12
        receptors = (high * p["receptors_s"] + cells[1] * p["receptors_l"]) / (high + cells[1])
        epitopes = _epitopes(whole, p, level, day, p["receptor_density"] * receptors * kept)
        alone, driven, immune = np.ones(n), np.ones(n), np.zeros(n)
        for drug, share, _, _ in epitopes:
            is_iv = drug.mechanism.epitope == "iv"
            alone = alone * (1 - p["block_iv" if is_iv else "cross_ii"] * share)
            driven = driven * (1 - p["cross_iv" if is_iv else "block_ii"] * share)
            immune = immune + p[f"fc_affinity_{drug.tag}"] * share
        signal = ((1 - p["ligand_share"]) * alone + p["ligand_share"] * driven) * kinase
        drive = [p[f"own_growth_{c}"] + (1 - p[f"own_growth_{c}"]) * signal for c in "sl"]
        drive.append(1 - p["resist_signal"] * (1 - drive[0]))
        death = [p["regression"] * (1 - d) for d in drive]
        kills = [_adcc(p, immune * kept, c) for c in "sl"] if epitopes else [0.0, 0.0]
        death = [
            a + b
            for a, b in zip(death, [*kills, p.get("resist_immune", 0) * kills[0]], strict=True)
        ]
        for tag, share in given.items():
            kill = p[f"chemo_kill_{tag}"] * share[day] * left[tag]
            death = [death[0] + kill, death[1] + kill, death[2] + p[f"resist_{tag}"] * kill]
            left[tag] = left[tag] * np.exp(-p[f"waning_{tag}"] * share[day])
        for drug, _, bound, free in epitopes:
            if drug.mechanism.kind == "conjugate":
                of_s, of_l = _payload(drug, p, bound, free, receptors, level, day)
                resist = p[f"resist_{drug.tag}"]
                death = [death[0] + of_s, death[1] + of_l, death[2] + resist * of_s]
        volume = np.maximum(cells.sum(axis=0) + dying, 1e-12)
        room = np.maximum(1 - np.log(volume) / p["log_largest"], LOG_SMALLEST_ROOM)
        net = np.array([p["growth"] * room * d - k for d, k in zip(drive, death, strict=True)])
        gain = (net * cells).sum(axis=0) / (cells.sum(axis=0) + 1e-12)
        mean_gain = gain + (mean_gain - gain) * np.exp(-1 / p["growth_memory"])
        elsewhere = elsewhere + p["new_lesions"] * volume * np.maximum(
            1 + mean_gain / p["growth_scale"], 0.0
        )
        lost = (np.array(death) * cells).sum(axis=0)
        dying = dying * np.exp(-p["clearing"]) + lost * (1 - np.exp(-p["clearing"])) / p["clearing"]
        cells = cells * np.exp(net)
        if day + 1 in scans:
            sizes.append(np.cbrt(np.maximum(cells.sum(axis=0) + dying, 1e-12)))
            hazards.append(elsewhere)
    return np.array(sizes).T, np.array(hazards).T


def _plasma(
    whole: VirtualPatient, people: VirtualCohort, record: DosingRecord, n_days: int
) -> dict[str, Array]:
    """Levels in plasma in the middle of each day, shape (n_days, n) each, in nmol/L."""
    names = [n for n in whole.model.outputs if n.startswith("plasma_")]
    if not names:
        return {}
    course = run_virtual_patient(
        whole, people, record, float(n_days), np.arange(n_days) + 0.5, threads=2
    )
    return {name: np.maximum(course.output(name).T, 0.0) for name in names}


def _kpd(whole: VirtualPatient) -> Iterator[tuple[int, object]]:
    return ((k, d) for k, d in enumerate(whole.drugs) if d.mechanism.kind in KPD)


def _given(whole, position: int, people: VirtualCohort, record: DosingRecord, n_days: int) -> Array:
    """Dose that acts on each day over the planned one, shape (n_days, n)."""
    drug = whole.drugs[position]
    planned = drug.planned_mg(people.cohort)
    interval = drug.treatment.regimen.phases[-1].interval_min / 1440
    found = np.zeros((n_days, people.cohort.n_patients))
    own = record.of(position)
    for who, day, mg, number in zip(own.patient, own.day, own.dose_mg, own.number, strict=True):
        first, last = round(day), round(day + number * interval)
        found[first:last, who] = mg / planned[who]
    return found


def _kinase(whole, p, level, active, day: int) -> Array:
    left = np.ones(next(iter(p.values())).size)
    for drug in whole.drugs:
        tag, kind = drug.tag, drug.mechanism.kind
        if kind == "reversible":
            ratio = p[f"unbound_{tag}"] * level[f"plasma_{tag}"][day] / p[f"ic50_{tag}"]
            left = left / (1 + ratio ** p["hill_kinase"])
        elif kind == "covalent":
            conc = p[f"unbound_{tag}"] * level[f"plasma_{tag}"][day]
            rate = p[f"kinact_{tag}"] * conc / (p[f"ki_{tag}"] + conc)
            steady = p["knet"] / (rate + p["knet"])
            active[tag] = steady + (active[tag] - steady) * np.exp(-(rate + p["knet"]))
            left = left * active[tag]
    return left


def _epitopes(whole, p, level, day: int, receptors: Array) -> list[tuple]:
    """Each antibody with its bound share of receptors, what is bound, and what is free."""
    found = []
    for drug in whole.drugs:
        if drug.mechanism.kind not in ("antibody", "conjugate"):
            continue
        tag, epitope = drug.tag, drug.mechanism.epitope
        weak = p[f"kd_{epitope}"] + p["knet"] / p["kon"]
        flow, plasma = p["kex"], level[f"plasma_{tag}"][day]
        clipped = p[f"clipping_{tag}"] * p["void"] if drug.mechanism.is_permeable else 0.0
        # in: flow (plasma - free); out: internalised with its receptor, or clipped.
        out = flow + clipped
        half = out * weak + p["knet"] * receptors - flow * plasma
        free = (-half + np.sqrt(half**2 + 4 * out * flow * plasma * weak)) / (2 * out)
        share = free / (free + weak)
        found.append((drug, share, receptors * share, free))
    return found


def _adcc(p, parts: Array, clone: str) -> Array:
    parts = parts * p[f"receptors_{clone}"]
    return p["adcc_max"] * p["effector_cells"] * parts / (p["adcc_half"] + parts)


def _payload(drug, p, bound: Array, free: Array, mean: Array, level, day: int) -> list[Array]:
    """Kill by the payload in the sensitive and the HER2-low clone."""
    tag = drug.tag
    inside = p[f"dar_{tag}"] * p["knet"] * bound
    outside = np.zeros_like(inside)
    if drug.mechanism.is_permeable:
        released = inside + p[f"dar_{tag}"] * p[f"clipping_{tag}"] * p["void"] * free
        around = released / p[f"kex_payload_{tag}"] + level[f"plasma_payload_{tag}"][day]
        outside = p[f"influx_{tag}"] / p[f"kout_{tag}"] * around
    found = []
    for clone in "sl":
        own = inside * p[f"receptors_{clone}"] / mean / p["cell_share"] / p[f"kout_{tag}"]
        strength = (p[f"sensitivity_{tag}"] * (own + outside) / p[f"kc50_{tag}"]) ** p[
            f"hill_{tag}"
        ]
        found.append(p[f"kmax_{tag}"] * strength / (1 + strength))
    return found


def _read(
    sizes: Array,
    hazards: Array,
    scans: Array,
    people: VirtualCohort,
    level: Array,
    random: np.random.Generator,
) -> tuple[Array, Array]:
    """What scans show: the day of progression, and that of a confirmed response."""
    n = sizes.shape[0]
    first_mm = people.tumours.parameters["baseline_mm"]
    start = first_mm * np.exp(SCAN_ERROR * random.standard_normal(n))
    nadir, since = start.copy(), np.full(n, np.inf)
    progressed, confirmed = np.full(n, np.inf), np.full(n, np.inf)
    for k, day in enumerate(scans):
        on = np.isinf(progressed)
        mm = first_mm * sizes[:, k] * np.exp(SCAN_ERROR * random.standard_normal(n))
        grown = (mm >= GROWN * nadir) & (mm - nadir >= GROWN_MM)
        progressed[on & (grown | (hazards[:, k] >= level))] = day
        nadir = np.minimum(nadir, mm)
        on &= np.isinf(progressed)
        responds = mm <= RESPONDED * start
        since = np.where(responds, np.minimum(since, day), np.inf)
        again = on & responds & (day - since >= CONFIRMED_DAY - 1e-6)
        confirmed[again] = np.minimum(confirmed[again], day)
    return progressed + WINDOW_DAY * (2 * random.random(n) - 1), confirmed
