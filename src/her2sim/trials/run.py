"""Running a trial chunk by chunk, on some cores or a cluster; a run that was stopped goes on."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from her2sim import __version__
from her2sim.arrays import Progress, no_progress
from her2sim.biology.blood import blood_facts
from her2sim.biology.early_disease import early_facts
from her2sim.biology.ensemble import FEWEST_MEMBERS, Members, ensemble, require_members
from her2sim.biology.heart import heart_facts
from her2sim.biology.tumour_profile import tumour_facts
from her2sim.drugs.mechanism import load_mechanism
from her2sim.drugs.supportive import supportive_care
from her2sim.drugs.toxicity import load_toxicity
from her2sim.errors import DataError
from her2sim.notice import NOTICE
from her2sim.pk.combination import load_combination
from her2sim.protocol.label import load_label
from her2sim.store.parts import PartStore
from her2sim.store.workers import in_order
from her2sim.trials.arm import ArmPatients, run_arm
from her2sim.trials.columns import require_dictionary_place, write_dictionary
from her2sim.trials.death import death_facts
from her2sim.trials.endpoints import ArmOutcomes
from her2sim.trials.folder import TrialFolder, require_own
from her2sim.trials.trial import Arm, Trial
from her2sim.virtual_patient.assessment_facts import assessment_facts

if TYPE_CHECKING:
    import polars as pl

FORMAT = 3
"""Of the stored outcomes; files of another one are not gone on with."""
CHUNK = 2000
KEPT_BYTES = 16 * 2**20
"""Columns of an arm that stay in memory between two questions."""
MOST_PER_ARM = 5_000_000
BEST_OF = 3
"""Of so many patients one has the numbers that fit best: a figure is told by them, its range by the
members."""
PATIENTS_PER_MEMBER = 100
"""Patients of an arm below which a member of the ensemble says too little."""
FEWEST_FOR_RANGE = 150
"""Patients of an arm from which on there are members enough for a range of what may be seen: ten,
each with ten patients (a third belong to the numbers that fit best)."""


@dataclass(frozen=True)
class RunSettings:
    """How a trial is run.

    ``per_arm`` patients in an arm of weight 1. With one replicate every patient is treated in every
    arm; one in ``BEST_OF`` has the numbers that fit best (member 0), the others belong to the
    ``members`` in turn. With more, arms have patients of their own, as if randomised, and a
    replicate belongs to one member.
    """

    per_arm: int
    seed: int
    members: int
    replicates: int = 1
    by_rules: bool = True

    def __post_init__(self) -> None:
        if not 2 <= self.per_arm <= MOST_PER_ARM:
            raise DataError(f"{self.per_arm} patients an arm: use 2 to {MOST_PER_ARM}")
        if not 1 <= self.replicates <= 100_000:
            raise DataError(f"{self.replicates} replicates: use 1 to 100000")
        require_members(self.members)

    @property
    def has_best(self) -> bool:
        """Whether some patients have the numbers that fit best, beside those of the members."""
        return self.members > 1 and self.replicates == 1

    def n_of(self, arm: Arm) -> int:
        """Patients of an arm in a replicate."""
        return max(2, round(self.per_arm * arm.allocation))


def sizes(trial: Trial, patients: int | None, per_arm: int | None) -> int:
    """Patients in an arm of weight 1, from the number of all or of those in an arm.

    Raises
    ------
    DataError
        If both are given.
    """
    if patients is not None and per_arm is not None:
        raise DataError("give the patients of the whole trial or those of an arm, not both")
    if patients is not None:
        return max(1, round(patients / sum(arm.allocation for arm in trial.arm)))
    return 2400 if per_arm is None else per_arm


def usual_members(per_arm: int, replicates: int, most: int) -> int:
    """Members of the ensemble for which there are patients enough."""
    if replicates > 1:
        return min(most, replicates)
    usual = per_arm // PATIENTS_PER_MEMBER
    if per_arm >= FEWEST_FOR_RANGE:
        usual = max(FEWEST_MEMBERS, usual)
    return max(1, min(most, usual))


@dataclass(frozen=True)
class ChunkTask:
    """Some patients of an arm, ``first`` to ``last - 1`` of all its replicates."""

    trial: Trial
    arm: str
    asked: RunSettings
    first: int
    last: int

    @property
    def n_patients(self) -> int:
        """How many."""
        return self.last - self.first


def run_chunk(task: ChunkTask) -> pl.DataFrame:
    """Outcomes of the patients of a task, one row each."""
    arm = task.trial.arm_of(task.arm)
    numbers, members, replicate = patient_layout(task, arm)
    patients = ArmPatients(numbers, Members(members))
    asked = task.asked
    frame = run_arm(task.trial, arm, patients, asked.seed, by_rules=asked.by_rules, threads=1)
    import polars as pl

    return frame.with_columns(pl.Series("replicate", replicate))


def patient_layout(
    task: ChunkTask, arm: Arm
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Number, member and replicate of each patient of a task."""
    asked, place = task.asked, np.arange(task.first, task.last)
    replicate, within = np.divmod(place, asked.n_of(arm))
    if asked.replicates == 1:
        numbers, turn = place, place
    else:
        counts = [asked.n_of(a) for a in task.trial.arm]
        before = sum(counts[: [a.id for a in task.trial.arm].index(arm.id)])
        numbers, turn = replicate * sum(counts) + before + within, replicate
    if asked.has_best:
        is_best, turn = place % BEST_OF == 0, place - place // BEST_OF - 1
        members = np.where(is_best, 0, 1 + turn % asked.members)
    else:
        members = np.zeros_like(place) if asked.members == 1 else 1 + turn % asked.members
    return numbers, members, replicate


@dataclass(frozen=True, eq=False)
class TrialRun:
    """A trial that was run, with the stored outcomes of each arm."""

    trial: Trial
    asked: RunSettings
    paths: Mapping[str, Path]

    def arms(self) -> dict[str, ArmOutcomes]:
        """Outcomes of each arm; columns are read from disk when they are asked for."""
        return {arm: _outcomes(self.trial, path) for arm, path in self.paths.items()}


def _outcomes(trial: Trial, path: Path) -> ArmOutcomes:
    import polars as pl

    names = frozenset(pl.scan_parquet(path).collect_schema().names())
    kept: dict[str, NDArray[Any]] = {}

    def column(name: str) -> NDArray[Any]:
        if name not in kept:
            values: NDArray[Any] = pl.scan_parquet(path).select(name).collect()[name].to_numpy()
            if sum(other.nbytes for other in kept.values()) + values.nbytes > KEPT_BYTES:
                kept.clear()
            values.flags.writeable = False  # all who ask get the same
            kept[name] = values
        return kept[name]

    return ArmOutcomes(trial, column, names)


def run_trial(
    trial: Trial,
    asked: RunSettings,
    folder: TrialFolder,
    *,
    workers: int = 1,
    cluster: str | None = None,
    chunk: int = CHUNK,
    progress: Progress = no_progress,
    restart: bool = False,
) -> TrialRun:
    """Run all arms of a trial; chunks that an earlier run finished in the folder are kept.

    One run works in a folder at a time. What another run left there is refused.

    Parameters
    ----------
    trial, asked : what is run
    folder : where outcomes are stored, one Parquet file an arm, with a table (CSV) of what their
        columns mean
    workers : processes; with more than one, a script needs its ``if __name__ == "__main__"``
    cluster : address of a Dask scheduler, instead
    chunk : patients of a task
    progress : told patients done and in all
    restart : replace what another run left in the folder

    Raises
    ------
    DataError
        If another run works in the folder, or left its outcomes there.
    """
    kind = "rules" if asked.by_rules else "no-rules"
    require_own(folder.path, _manifest(trial, trial.arm[0], asked, chunk), restart=restart)
    told = folder.path / f"{trial.id.lower()}-columns.csv"
    require_dictionary_place(told)
    with ExitStack() as stack:
        stores = {
            arm.id: stack.enter_context(
                PartStore(
                    folder.path / f"{trial.id.lower()}-{arm.id}-{kind}.parquet",
                    _manifest(trial, arm, asked, chunk),
                    restart=restart,
                )
            )
            for arm in trial.arm
        }
        _fill(trial, asked, stores, workers, cluster, chunk, progress)
        paths = {arm: store.path for arm, store in stores.items()}
        if not folder.vanishes:
            write_dictionary(told, paths.values())
    return TrialRun(trial, asked, paths)


def _fill(
    trial: Trial,
    asked: RunSettings,
    stores: Mapping[str, PartStore],
    workers: int,
    cluster: str | None,
    chunk: int,
    progress: Progress,
) -> None:
    """Run what the stores of the arms lack, and finish them."""
    tasks, numbers = list[ChunkTask](), list[int]()
    total = done = 0
    for arm in trial.arm:
        n = asked.n_of(arm) * asked.replicates
        total += n
        if stores[arm.id].is_finished():
            done += n
            continue
        for number, first in enumerate(range(0, n, chunk)):
            task = ChunkTask(trial, arm.id, asked, first, min(first + chunk, n))
            if stores[arm.id].has(number):
                done += task.n_patients
            else:
                tasks.append(task)
                numbers.append(number)
    progress(done, total)
    is_open = np.ones(len(tasks), dtype=bool)
    sizes_of = np.array([task.n_patients for task in tasks], dtype=np.float64)

    def inside(shares: Sequence[float]) -> None:
        under_way = (sizes_of * np.asarray(shares))[is_open].sum()
        progress(done + int(under_way), total)

    for place, frame in _results(tasks, workers, cluster, inside):
        task, is_open[place] = tasks[place], False
        stores[task.arm].write(numbers[place], frame)
        done += task.n_patients
        progress(done, total)
    for store in stores.values():
        if not store.is_finished():
            store.finish()


def _results(
    tasks: Sequence[ChunkTask],
    workers: int,
    cluster: str | None,
    inside: Callable[[Sequence[float]], None],
) -> Iterator[tuple[int, pl.DataFrame]]:
    """Frames of tasks as they come, each with the place of its task."""
    if not tasks:
        return
    if cluster is not None:
        from her2sim.store.cluster import on_cluster

        yield from on_cluster(cluster, run_chunk, tasks)
        return
    yield from enumerate(in_order(run_chunk, tasks, workers, inside))


def _numbers(trial: Trial, arm: Arm) -> str:
    """All numbers that decide what becomes of the patients of an arm, beside the trial's own."""
    parts: list[BaseModel | None] = [
        ensemble(), tumour_facts(), heart_facts(), blood_facts(), death_facts(),
        assessment_facts(), supportive_care(), early_facts(),
    ]  # fmt: skip
    early = trial.early
    before = () if early is None else early.before
    for given in (*before, *arm.regimen, *arm.next):
        for treatment in load_combination(given.name).treatments:
            drug = treatment.drug.id
            label = load_label(drug, trial.region)
            parts += [treatment.pk, load_mechanism(drug), load_toxicity(drug), label]
    return "".join(part.model_dump_json() for part in parts if part is not None)


def _manifest(trial: Trial, arm: Arm, asked: RunSettings, chunk: int) -> dict[str, Any]:
    content = trial.model_dump_json().encode()
    return {
        "her2sim": __version__,
        "format": FORMAT,
        "trial": trial.id,
        "trial_sha256": hashlib.sha256(content).hexdigest(),
        "facts_sha256": hashlib.sha256(_numbers(trial, arm).encode()).hexdigest(),
        "arm": arm.id,
        "patients": asked.n_of(arm),
        "replicates": asked.replicates,
        "seed": asked.seed,
        "members": asked.members,
        "best_of": BEST_OF,
        "rules": asked.by_rules,
        "chunk": chunk,
        "notice": NOTICE,
    }
