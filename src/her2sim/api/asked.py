"""What a question is about: what is given, to whom, and the seed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from her2sim.api.drugs import treatment_of
from her2sim.api.patients import Patients, patients_of
from her2sim.api.result import seed_or_drawn

if TYPE_CHECKING:
    from her2sim.drugs.interactions import Kind
    from her2sim.patients.cohort import Cohort
    from her2sim.patients.population import Population
    from her2sim.pk.combination import Combination
    from her2sim.pk.treatment import Treatment

T = TypeVar("T")


@dataclass(frozen=True)
class Whom:
    """Who is treated: ``n`` of ``found`` with a seed."""

    who: Patients
    found: Population | Cohort
    n: int
    seed: int


def asked(
    make: Callable[[], T],
    treatments: Callable[[T], Iterable[Treatment]],
    patients: Patients | Path | str,
    n: int | None,
    seed: int | None,
) -> tuple[T, Whom]:
    """What is given, to whom, and the seed.

    Parameters
    ----------
    make : gives what is given, or refuses it
    treatments : of it
    patients, n, seed : as a user gave them

    Raises
    ------
    Her2SimError
        With all faults of these in one message.
    """
    from her2sim.errors import all_of
    from her2sim.pk.exposure_run import cohort_chunks
    from her2sim.pk.needs import require_characteristics

    def counted() -> tuple[Patients, int]:
        who = patients_of(patients)
        return who, who.load(n, 0)[1]

    made, (who, n_found), number = all_of(make, counted, lambda: seed_or_drawn(seed))
    found, _ = who.load(n, number)
    require_characteristics(next(cohort_chunks(found, 1, number)), treatments(made), who.name)
    return made, Whom(who, found, n_found, number)


def asked_of_drug(
    drug: str,
    regimen: str | None,
    patients: Patients | Path | str,
    n: int | None,
    seed: int | None,
    interactions: Sequence[tuple[Kind, str]] = (),
) -> tuple[Treatment, Whom]:
    """A drug with its regimen, to whom it is given, and the seed; see :func:`asked`."""
    return asked(
        lambda: treatment_of(drug, regimen, interactions), lambda one: [one], patients, n, seed
    )


def asked_of_regimen(
    regimen: str, patients: Patients | Path | str, n: int | None, seed: int | None
) -> tuple[Combination, Whom]:
    """A regimen, to whom it is given, and the seed; see :func:`asked`."""
    from her2sim.pk.combination import load_combination

    return asked(lambda: load_combination(regimen), lambda one: one.treatments, patients, n, seed)
