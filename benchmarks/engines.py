"""Adapters: each engine solves problem A and returns concentration and AUC on the grid.

``solve(patients, relative)`` gives an array of shape (n, 379, 2). The absolute tolerance (mg) is
ten times the relative one in all of them.
"""

from __future__ import annotations

import os

os.environ.setdefault("XLA_FLAGS", "--xla_force_host_platform_device_count=2")

from collections.abc import Callable

import numpy as np
from problem_a import GRID_DAY, TYPICAL, Patients, segments

ABSOLUTE_PER_RELATIVE = 10.0
Solve = Callable[[Patients, float], np.ndarray]


def her2sim_engine(threads: int | None = None, vector: int | None = None) -> Solve:
    """``threads``: all cores if not given; ``vector``: doubles a vector, as the CPU has if not."""
    from her2sim.engine.advance import Kernel, advance
    from her2sim.engine.codegen.kernel import kernel_ir
    from her2sim.engine.codegen.machine import LoadedCode, Machine, compile_object, this_machine
    from her2sim.engine.model import Analyte, Part, compose
    from her2sim.engine.schedule import Action, shared_schedule
    from her2sim.engine.trajectories import Reductions, Request, Tolerance
    from her2sim.models import pharmacokinetics as pk
    from her2sim.models.symbols import SYMBOLS, Symbol

    def exposure_so_far(auc):  # the grid wants the AUC too
        return Part(outputs={"exposure": auc})

    symbols = SYMBOLS | {"exposure": Symbol("exposure", "output", "mg*day/L", "AUC so far")}
    components = (
        pk.central_concentration,
        pk.peripheral_exchange,
        pk.linear_elimination,
        pk.michaelis_menten_elimination,
        pk.area_under_curve,
        exposure_so_far,
    )
    analytes = (Analyte("central", "conc", "auc"),)
    model = compose("problem_a", components, symbols, analytes, infused=["central"])
    central = model.index("states", "central")
    rows = []
    for start, _, rate in segments():
        rows.append((start, Action.INFUSION, central, rate))
    rows.append((GRID_DAY[-1], Action.STOP, 0, 0.0))
    kernel = None
    if vector is not None:
        here = this_machine()
        if here.vector <= vector:
            raise ImportError(f"this CPU has no wider vectors than {vector} doubles")
        narrow = Machine(here.triple, "x86-64-v3", "", vector)
        lanes = narrow.lanes_for(len(model.states))
        code = compile_object(kernel_ir(model, lanes, Reductions.NONE), narrow)
        kernel = Kernel(model, lanes, Reductions.NONE, LoadedCode(code, narrow))

    def solve(patients: Patients, relative: float) -> np.ndarray:
        scale = np.ones((len(model.states), patients.n))
        scale[central] = patients.weight_kg
        request = Request(
            np.array([patients.parameters[p] for p in model.parameters]),
            shared_schedule(rows, patients.n),
            scale,
            grid_day=GRID_DAY,
        )
        tolerance = Tolerance(relative, ABSOLUTE_PER_RELATIVE * relative)
        found = advance(model, request, tolerance, threads, kernel)
        found.require_finished(model, request.schedule)
        return found.grid

    return solve


def _pieces_with_grid():
    """Evaluation times of each segment and the grid position of each (-1: none), flat."""
    times, places, starts, rates = [], [], [0], []
    for start, end, rate in segments():
        inside = np.flatnonzero((start < GRID_DAY) & (end >= GRID_DAY))
        t = [start, *GRID_DAY[inside]]
        p = [-1, *inside]
        if t[-1] != end:
            t.append(end)
            p.append(-1)
        times += t
        places += p
        starts.append(len(times))
        rates.append(rate)
    return np.array(times), np.array(places), np.array(starts), np.array(rates)


def numbalsoda_engine(method: str, threads: int = 2) -> Solve:
    import numba as nb
    import numbalsoda

    solver = getattr(numbalsoda, method)

    @nb.cfunc(numbalsoda.lsoda_sig)
    def rhs(t, u, du, p):
        cl, vc, q, vp, vmax, km, rate = p[0], p[1], p[2], p[3], p[4], p[5], p[6]
        conc = u[0] / vc
        net = q * conc - q / vp * u[1]
        du[0] = rate - net - cl * conc - vmax * conc / (km + conc)
        du[1] = net
        du[2] = conc

    address = rhs.address
    times, places, starts, rates = _pieces_with_grid()
    n_grid = GRID_DAY.size

    @nb.njit(parallel=True)
    def run(matrix, relative, absolute):
        n = matrix.shape[0]
        out = np.zeros((n, n_grid, 2))
        for i in nb.prange(n):
            p = matrix[i].copy()
            weight = p[6]
            y = np.zeros(3)
            for s in range(rates.size):
                p[6] = rates[s] * weight
                t = times[starts[s] : starts[s + 1]]
                solution, _ = solver(address, y, t, p, relative, absolute)
                for j in range(t.size):
                    k = places[starts[s] + j]
                    if k >= 0:
                        out[i, k, 0] = solution[j, 0] / p[1]
                        out[i, k, 1] = solution[j, 2]
                y = solution[t.size - 1].copy()
        return out

    nb.set_num_threads(min(threads, nb.config.NUMBA_NUM_THREADS))
    return lambda patients, relative: run(
        patients.matrix(), relative, ABSOLUTE_PER_RELATIVE * relative
    )


def diffrax_engine() -> Solve:
    import diffrax as dx
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    edges = jnp.array([s[0] for s in segments()])
    rates = jnp.array([s[2] for s in segments()])
    grid = jnp.array(GRID_DAY)

    def field(t, y, p):
        cl, vc, q, vp, vmax, km, weight = p
        rate = rates[jnp.searchsorted(edges, t, side="right") - 1] * weight
        conc = y[0] / vc
        net = q * conc - q / vp * y[1]
        central = rate - net - cl * conc - vmax * conc / (km + conc)
        return jnp.stack([central, net, conc])

    def one(p, relative):
        inner = dx.PIDController(rtol=relative, atol=ABSOLUTE_PER_RELATIVE * relative)
        controller = dx.ClipStepSizeController(inner, jump_ts=edges[1:])
        found = dx.diffeqsolve(
            dx.ODETerm(field),
            dx.Tsit5(),
            0.0,
            378.0,
            0.01,
            jnp.zeros(3),
            args=p,
            saveat=dx.SaveAt(ts=grid),
            stepsize_controller=controller,
            max_steps=200_000,
        )
        return jnp.stack([found.ys[:, 0] / p[1], found.ys[:, 2]], axis=-1)

    devices = jax.local_device_count()
    batch = jax.pmap(jax.vmap(one, in_axes=(0, None)), in_axes=(0, None))

    def solve(patients: Patients, relative: float) -> np.ndarray:
        matrix = patients.matrix()
        share = -(-matrix.shape[0] // devices)
        padded = np.resize(matrix, (share * devices, 7)).reshape(devices, share, 7)
        found = np.asarray(batch(padded, relative)).reshape(share * devices, GRID_DAY.size, 2)
        return found[: matrix.shape[0]]

    return solve


_SBML = """<?xml version="1.0" encoding="UTF-8"?>
<sbml xmlns="http://www.sbml.org/sbml/level3/version1/core" level="3" version="1">
<model id="a"><listOfParameters>{parameters}</listOfParameters><listOfRules>{rules}</listOfRules>
</model></sbml>"""


def roadrunner_engine() -> Solve:
    import roadrunner

    def ref(name: str) -> str:
        return f"<ci>{name}</ci>"

    def op(name: str, *args: str) -> str:
        return f"<apply><{name}/>{''.join(args)}</apply>"

    conc = op("divide", ref("y0"), ref("vc"))
    net = op(
        "minus",
        op("times", ref("q"), conc),
        op("times", op("divide", ref("q"), ref("vp")), ref("y1")),
    )
    mm = op("divide", op("times", ref("vmax"), conc), op("plus", ref("km"), conc))
    central = op(
        "minus", op("minus", op("minus", ref("rate"), net), op("times", ref("cl"), conc)), mm
    )
    names = [*TYPICAL, "rate", "y0", "y1", "y2"]
    parameters = "".join(f'<parameter id="{n}" value="0" constant="false"/>' for n in names)
    rules = "".join(
        f'<rateRule variable="{y}"><math xmlns="http://www.w3.org/1998/Math/MathML">{m}</math></rateRule>'
        for y, m in (("y0", central), ("y1", net), ("y2", conc))
    )
    roadrunner.Logger.disableLogging()
    model = roadrunner.RoadRunner(_SBML.format(parameters=parameters, rules=rules))
    model.timeCourseSelections = ["time", "y0", "y2"]

    def solve(patients: Patients, relative: float) -> np.ndarray:
        model.integrator.relative_tolerance = relative
        model.integrator.absolute_tolerance = ABSOLUTE_PER_RELATIVE * relative
        model.integrator.maximum_num_steps = 200_000
        out = np.zeros((patients.n, GRID_DAY.size, 2))
        for i in range(patients.n):
            for name in TYPICAL:
                model.setValue(name, patients.parameters[name][i])
            for y in ("y0", "y1", "y2"):
                model.setValue(y, 0.0)
            for start, end, rate in segments():
                model.setValue("rate", rate * patients.weight_kg[i])
                inside = np.flatnonzero((start < GRID_DAY) & (end >= GRID_DAY))
                times = [start, *GRID_DAY[inside]]
                if times[-1] != end:
                    times.append(end)
                found = np.asarray(model.simulate(times=times))
                out[i, inside, 0] = found[1 : inside.size + 1, 1] / patients.parameters["vc"][i]
                out[i, inside, 1] = found[1 : inside.size + 1, 2]
        return out

    return solve


def scipy_engine() -> Solve:
    from scipy.integrate import solve_ivp

    def rhs(t, u, rate, cl, vc, q, vp, vmax, km):
        conc = u[0] / vc
        net = q * conc - q / vp * u[1]
        return rate - net - cl * conc - vmax * conc / (km + conc), net, conc

    def solve(patients: Patients, relative: float) -> np.ndarray:
        out = np.zeros((patients.n, GRID_DAY.size, 2))
        tolerance = {"rtol": relative, "atol": ABSOLUTE_PER_RELATIVE * relative}
        for i, (*parameters, weight) in enumerate(patients.matrix()):
            y = np.zeros(3)
            for start, end, per_kg in segments():
                inside = np.flatnonzero((start < GRID_DAY) & (end >= GRID_DAY))
                times = [*GRID_DAY[inside]]
                if not times or times[-1] != end:
                    times.append(end)
                found = solve_ivp(
                    rhs,
                    (start, end),
                    y,
                    method="DOP853",
                    t_eval=times,
                    args=(per_kg * weight, *parameters),
                    **tolerance,
                )
                out[i, inside, 0] = found.y[0, : inside.size] / parameters[1]
                out[i, inside, 1] = found.y[2, : inside.size]
                y = found.y[:, -1]
        return out

    return solve


def mrgsolve_engine() -> Solve:
    """Through R, in one process: the time is that of a call of Rscript without its start."""
    import shutil
    import subprocess
    import tempfile
    from pathlib import Path

    if shutil.which("Rscript") is None:
        raise ImportError("R is not on this machine")
    asked = ["Rscript", "-e", "cat(requireNamespace('mrgsolve', quietly = TRUE))"]
    if subprocess.run(asked, capture_output=True, text=True, check=False).stdout != "TRUE":
        raise ImportError("R has no package mrgsolve")
    folder = Path(tempfile.mkdtemp(prefix="mrgsolve-"))
    script = Path(__file__).parent / "problem_a.R"
    server = subprocess.Popen(
        ["Rscript", "--vanilla", str(script), str(folder)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert server.stdin is not None
    assert server.stdout is not None
    told, answers = server.stdin, server.stdout

    def solve(patients: Patients, relative: float) -> np.ndarray:
        header = ",".join([*TYPICAL, "weight"])
        np.savetxt(folder / "in.csv", patients.matrix(), delimiter=",", header=header, comments="")
        told.write(f"{relative:.17g}\n")
        told.flush()
        answers.readline()
        raw = np.fromfile(folder / "out.bin", dtype=np.float64)
        return raw.reshape(patients.n, GRID_DAY.size, 2)

    return solve


ENGINES: dict[str, tuple[Callable[[], Solve], int]] = {
    "her2sim": (her2sim_engine, 4_000),
    "her2sim, 1,000 a call": (her2sim_engine, 1_000),
    "her2sim, one core": (lambda: her2sim_engine(threads=1), 4_000),
    "her2sim, AVX2": (lambda: her2sim_engine(vector=4), 4_000),
    "numbalsoda LSODA": (lambda: numbalsoda_engine("lsoda"), 1_000),
    "numbalsoda DOP853": (lambda: numbalsoda_engine("dop853"), 1_000),
    "numbalsoda DOP853, one core": (lambda: numbalsoda_engine("dop853", 1), 1_000),
    "mrgsolve": (mrgsolve_engine, 1_000),
    "diffrax Tsit5": (diffrax_engine, 1_000),
    "libroadrunner CVODE": (roadrunner_engine, 100),
    "SciPy DOP853": (scipy_engine, 20),
}
"""Engines and how many patients a timed round takes (results stay below 32 MB, which the allocator
reuses; larger ones would time the operating system's page clearing)."""
