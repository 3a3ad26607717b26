"""Scans of the tumour and what RECIST 1.1 makes of them: response and progression."""

from __future__ import annotations

import numpy as np

from her2sim.arrays import Array, Mask, Positions
from her2sim.biology.tumour_profile import tumour_facts
from her2sim.biology.virtual_cohort import VirtualCohort
from her2sim.protocol.readings import Visit
from her2sim.random import Purpose, codes_by
from her2sim.virtual_patient.assessment_facts import assessment_number
from her2sim.virtual_patient.calendar import ON_THE_DAY, Calendar


class Scans:
    """Measured sums of diameters of each patient so far.

    ``best`` is the smallest measured sum over the first; ``response_day`` and ``complete_day`` are
    the scans at which a response, and a complete one, was first seen, ``confirmed_day`` and
    ``complete_confirmed_day`` those that confirmed it; ``progressed_day`` that of progression
    (each infinite if there was none); ``series`` has of each visit who was scanned, on which day,
    and the measured sum over the first; ``by_target`` says whether target lesions progressed.
    Scanned are those who have a lesion model (``is_scanned``), and without a calendar nobody.
    """

    def __init__(
        self,
        people: VirtualCohort,
        true_mm: Array | None = None,
        start_day: float = 0.0,
        calendar: Calendar | None = None,
    ) -> None:
        n, facts = people.cohort.n_patients, tumour_facts().parameter
        true_mm = people.tumours.parameters["baseline_mm"] if true_mm is None else true_mm
        self.people, self.calendar, self.start_day = people, calendar, start_day
        self.is_scanned = people.tumours.has_lesion_model & (calendar is not None)
        self.error, self.gone_mm = facts["reading_error"].value, facts["complete_mm"].value
        self.first_mm = self._measured(true_mm, np.arange(n), np.full(n, np.rint(start_day)))
        self.nadir_mm = self.first_mm.copy()
        self.best = np.ones(n)
        self.since_day, self.gone_since_day = np.full(n, np.inf), np.full(n, np.inf)
        self.response_day, self.confirmed_day = np.full(n, np.inf), np.full(n, np.inf)
        self.complete_day, self.complete_confirmed_day = np.full(n, np.inf), np.full(n, np.inf)
        self.progressed_day = np.full(n, np.inf)
        self.seen_day = np.full(n, start_day)
        self.by_target = np.zeros(n, dtype=bool)
        self.series: list[tuple[Positions, Array, Array]] = []
        self.next_day = np.where(self.is_scanned, self._after(np.full(n, start_day)), np.inf)

    def _after(self, day: Array) -> Array:
        if self.calendar is None:
            return np.full(day.shape, np.inf)
        return self.start_day + self.calendar.after(day - self.start_day)

    def _measured(self, true_mm: Array, who: Positions, number: Array) -> Array:
        stream = self.people.cohort.stream(Purpose.VISITS).of(who)
        names = codes_by(lambda one: f"diameters:{int(one)}", number)
        found: Array = true_mm * np.exp(self.error * stream.normal(names))
        return found

    def look(self, visit: Visit, true_mm: Array, elsewhere_day: Array) -> Array:
        """Scans that are due at a visit: 1 for progression, 0 for none, NaN without a scan.

        Parameters
        ----------
        visit : who comes, and when
        true_mm : sums of diameters of those who come
        elsewhere_day : when lesions outside the targets progress
        """
        due = self.next_day[visit.who] <= visit.day + ON_THE_DAY
        found = np.full(visit.who.size, np.nan)
        who = visit.who[due]
        if not who.size:
            return found
        day = visit.day[due]
        measured = self._measured(true_mm[due], who, np.rint(day))
        nadir = self.nadir_mm[who]
        target = _has_progressed(measured, nadir)
        progressed = target | (elsewhere_day[due] <= day)
        self.nadir_mm[who] = np.minimum(nadir, measured)
        self._respond(who[~progressed], measured[~progressed], day[~progressed])
        self.progressed_day[who[progressed]] = day[progressed]
        self.by_target[who] = target
        self.seen_day[who] = day
        self.next_day[who] = np.where(progressed, np.inf, self._after(day))
        found[due] = progressed
        self.series.append((who, day, measured / self.first_mm[who]))
        return found

    def pass_by(self, visit: Visit) -> None:
        """Scans that are due at a visit and are not looked at."""
        due = self.next_day[visit.who] <= visit.day + ON_THE_DAY
        self.next_day[visit.who[due]] = self._after(visit.day[due])

    def _respond(self, who: Positions, measured: Array, day: Array) -> None:
        """Responses at a scan without progression, and those that it confirms."""
        share = measured / self.first_mm[who]
        self.best[who] = np.minimum(self.best[who], share)
        pairs = (
            (is_response(share), self.since_day, self.response_day, self.confirmed_day),
            (
                measured < self.gone_mm, self.gone_since_day, self.complete_day,
                self.complete_confirmed_day,
            ),
        )  # fmt: skip
        for is_there, since, first, confirmed in pairs:
            begun = np.where(is_there, np.minimum(since[who], day), np.inf)
            since[who] = begun
            first[who] = np.minimum(first[who], begun)
            again = is_there & (day - begun >= assessment_number("confirmation") - ON_THE_DAY)
            confirmed[who] = np.where(again, np.minimum(confirmed[who], day), confirmed[who])


def is_response(share: Array) -> Mask:
    """Whether a sum of diameters over the first is a partial response, or a complete one."""
    found: Mask = share <= assessment_number("partial_response")
    return found


def _has_progressed(measured_mm: Array, nadir_mm: Array) -> Mask:
    """Whether target lesions have grown by enough, in share and in mm."""
    found: Mask = (measured_mm >= assessment_number("progression") * nadir_mm) & (
        measured_mm - nadir_mm >= assessment_number("progression_mm")
    )
    return found
