"""Whether the parts of a trial file fit together, whatever else is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from her2sim.biology.lesion_model import MODELLED, modelled_types, no_model_text
from her2sim.errors import Her2SimError, did_you_mean
from her2sim.patients.population import load_population
from her2sim.trials.measures import (
    CURVES,
    DATED,
    EARLY_CURVES,
    EARLY_RATES,
    GRADES,
    PAIRS,
    RATES,
    SAFETY,
    SCANNED_CURVES,
    SCANNED_RATES,
    SUBGROUPS,
    UNGRADED,
    WITHOUT_MODEL,
    measures_of,
)

Fault = tuple[str, str]
"""Place in the file, and what is wrong there."""
SHORTEST_WEEKS = 0.14
MOST_UNEVEN = 1.25
"""Randomisation leaves arms a little uneven; more than this is another allocation."""
EARLY = ("breast", "early")
_OF_ARMS = ("outcome", "comparison", "safety", "landmarks", "crossover")
_OF_ENDPOINTS = ("outcome", "comparison", "landmarks", "prognosis")


def fit_faults(raw: Mapping[str, Any]) -> Iterator[Fault]:
    """Faults of a trial as it was read, before its fields are known to be right."""
    yield from _arm_faults(raw)
    yield from _allocation_faults(raw)
    yield from _crossover_faults(raw)
    yield from _endpoint_faults(raw)
    yield from _row_faults(raw)
    yield from _pace_faults(raw)
    enrolled = raw.get("enrolled")
    has_lines = isinstance(enrolled, dict) and "earlier_lines" in enrolled
    if raw.get("setting") == "metastatic" and not has_lines:
        yield "enrolled.earlier_lines", "say how many lines of treatment came before"
    if raw.get("setting") != "early":
        return
    if has_lines:
        yield "enrolled.earlier_lines", "early disease has none; leave it out"
    arms = raw.get("arm", ())
    places = [("enrolled", enrolled), *((f"arm.{k}", arm) for k, arm in enumerate(arms))]
    for place, table in places:
        if isinstance(table, dict) and "earlier_drugs" in table:
            yield f"{place}.earlier_drugs", "they change a lesion, and early disease has none"


def _rows(raw: Mapping[str, Any], kind: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Rows of a table of the file, each with its place."""
    rows = raw.get(kind, ())
    for number, row in enumerate(rows if isinstance(rows, (list, tuple)) else ()):
        if isinstance(row, dict):
            yield f"{kind}.{number}", row


def _word(row: Mapping[str, Any], name: str) -> str | None:
    value = row.get(name)
    return value if isinstance(value, str) else None


def _arm_faults(raw: Mapping[str, Any]) -> Iterator[Fault]:
    ids = [arm_id for _, row in _rows(raw, "arm") if (arm_id := _word(row, "id"))]
    for twice in sorted({i for i in ids if ids.count(i) > 1}):
        yield "arm", f"{twice!r} is there twice"
    for kind in _OF_ARMS:
        for place, row in _rows(raw, kind):
            for name in ("arm", "versus", "to"):
                arm_id = _word(row, name)
                if arm_id is not None and arm_id not in ids:
                    yield f"{place}.{name}", f"no arm {arm_id!r}{did_you_mean(arm_id, ids)}"


def _allocation_faults(raw: Mapping[str, Any]) -> Iterator[Fault]:
    """Arms of unequal size without weights: a run follows the weights, and they would be equal."""
    arms = [row for _, row in _rows(raw, "arm")]
    sizes = [n for row in arms if isinstance(n := row.get("n"), (int, float)) and n > 0]
    if len(sizes) < len(arms) or any("allocation" in row for row in arms) or not sizes:
        return
    least = min(sizes)
    if max(sizes) > MOST_UNEVEN * least:
        weights = ", ".join(f"{n / least:.3g}" for n in sizes)
        yield (
            "arm",
            f"n is {', '.join(f'{n:g}' for n in sizes)}, but allocation decides how many are "
            f"simulated, and it is 1 if not told: give the arms allocation {weights} (or 1 each)",
        )


def _crossover_faults(raw: Mapping[str, Any]) -> Iterator[Fault]:
    """Crossover that was planned: nobody gets the other arm's drugs after progression here."""
    listed = raw.get("endpoints", ())
    asked = [*(listed if isinstance(listed, (list, tuple)) else ())]
    asked += [row.get("endpoint") for kind in _OF_ENDPOINTS for _, row in _rows(raw, kind)]
    if "OS" not in asked:
        return
    for place, row in _rows(raw, "crossover"):
        value = row.get("value")
        if "at_month" in row:
            continue  # early disease: it is simulated
        if row.get("status") == "assumed" and isinstance(value, (int, float)) and value > 0:
            yield (
                place,
                "planned crossover is not simulated, and overall survival would ignore it: take "
                "OS out of the endpoints, or the crossover out",
            )


def _endpoint_faults(raw: Mapping[str, Any]) -> Iterator[Fault]:
    places = [
        (f"{place}.endpoint", endpoint)
        for kind in _OF_ENDPOINTS
        for place, row in _rows(raw, kind)
        if (endpoint := _word(row, "endpoint"))
    ]
    listed = raw.get("endpoints", ())
    named = [(f"endpoints.{n}", e) for n, e in enumerate(listed) if isinstance(e, str)]
    first = {endpoint: place for place, endpoint in reversed(named)}
    for place, endpoint in named:
        if first[endpoint] != place:
            yield place, f"{endpoint} is told twice; leave one out"
    places += named
    known = (*CURVES, *RATES, "safety")
    early, scanned = (*EARLY_CURVES, *EARLY_RATES), (*SCANNED_CURVES, *SCANNED_RATES)
    disease = _disease(raw)
    for place, endpoint in places:
        if endpoint in WITHOUT_MODEL:
            yield place, f"{endpoint}: no model yet"
        elif endpoint not in known:
            yield place, f"unknown endpoint {endpoint!r}{did_you_mean(endpoint, known)}"
        elif endpoint == "safety":
            continue
        elif disease == EARLY:
            if endpoint in scanned:
                yield place, f"{endpoint}: early disease is not scanned; use {', '.join(early)}, OS"
            elif not isinstance(raw.get("early"), dict):
                yield place, f"{endpoint} needs [early]: when treatment and surgery are"
            elif endpoint in EARLY_RATES and not raw["early"].get("surgery_week"):
                yield place, f"{endpoint} needs surgery_week in [early]"
        elif disease[0] not in modelled_types() or disease[1] != MODELLED[1]:
            yield place, no_model_text(endpoint, *disease)
        elif endpoint in early:
            yield place, f"{endpoint} is of early disease; use {', '.join(scanned)}, OS"
        elif not raw.get("scans"):
            yield place, f"{endpoint} needs a schedule of scans, and there is none"


def _disease(raw: Mapping[str, Any]) -> tuple[str, str]:
    """Tumour type and setting of a trial's patients; another fault tells if they are not known."""
    enrolled = raw.get("enrolled")
    base = _word(enrolled, "base") if isinstance(enrolled, dict) else None
    tumour_type, setting = MODELLED
    if raw.get("setting") == "early":
        setting = "early"
    if base is not None:
        with suppress(Her2SimError):
            tumour_type = load_population(base).tumour_type
    return tumour_type, setting


def _row_faults(raw: Mapping[str, Any]) -> Iterator[Fault]:
    yield from _early_faults(raw)
    for kind in _OF_ENDPOINTS:
        for place, row in _rows(raw, kind):
            for name in ("subgroup", "versus") if kind == "prognosis" else ("subgroup",):
                group = _word(row, name)
                if group is not None and group not in SUBGROUPS:
                    yield f"{place}.{name}", f"unknown {group!r}{did_you_mean(group, SUBGROUPS)}"
    for place, row in _rows(raw, "comparison"):
        if "versus" not in row or row.get("arm") == row.get("versus"):
            yield f"{place}.versus", "a hazard ratio needs a control, another arm"
        if row.get("endpoint") in RATES:
            yield f"{place}.endpoint", f"{row['endpoint']} is a rate and has no hazard ratio"
    for place, row in _rows(raw, "prognosis"):
        if row.get("endpoint") not in ("PFS", "TTP"):
            yield f"{place}.endpoint", f"{row.get('endpoint')}: use PFS or TTP"
        pair = (row.get("subgroup"), row.get("versus"))
        known = [own for pairs in PAIRS.values() for own in pairs]
        if set(pair) <= {*SUBGROUPS} and pair not in known:
            texts = ", ".join(f"{group} versus {over}" for group, over in known)
            yield f"{place}.versus", f"{pair[0]} versus {pair[1]} is no pair; use {texts}"
    for kind, name in (("outcome", "value"), ("comparison", "hazard_ratio"),
                       ("prognosis", "hazard_ratio")):  # fmt: skip
        for place, row in _rows(raw, kind):
            yield from _number_faults(place, row, name)
    for place, row in _rows(raw, "outcome"):
        measure, allowed = _word(row, "measure"), measures_of(str(row.get("endpoint")))
        if measure is not None and allowed and measure not in allowed:
            yield f"{place}.measure", f"unknown {measure!r}{did_you_mean(measure, allowed)}"
    for place, row in _rows(raw, "landmarks"):
        yield from _curve_faults(place, row)
    for place, row in _rows(raw, "safety"):
        event, grade = _word(row, "event"), row.get("grade", "any")
        if event is not None and event not in SAFETY:
            yield f"{place}.event", f"unknown {event!r}{did_you_mean(event, SAFETY)}"
        if "until_month" in row and event in SAFETY and event not in DATED:
            yield f"{place}.until_month", f"the day of {event!r} is not known: leave it out"
        if event in UNGRADED and grade != "any":
            yield f"{place}.grade", f"{event!r} has no grades: write any, or leave it out"
        if grade not in GRADES:
            yield f"{place}.grade", f"{grade!r}: write any, 2, 3, 4 or 5 in quotes"


def _early_faults(raw: Mapping[str, Any]) -> Iterator[Fault]:
    """What is told of early disease and would not be used, or cannot be."""
    early, enrolled = raw.get("early"), raw.get("enrolled")
    if raw.get("setting") == "early":
        yield from _of_early(raw, early if isinstance(early, dict) else {})
        return
    what = "treatment and surgery of early disease are not described here"
    if isinstance(early, dict):
        yield "early", "the setting is not early: leave it out"
    for place, row in _rows(raw, "arm"):
        if row.get("next"):
            yield f"{place}.next", f"{what}: leave it out"
    for place, row in _rows(raw, "crossover"):
        if "at_month" in row or row.get("regimen"):
            yield place, f"at_month and regimen are of early disease, and {what}"
    for name in ("tumour_mm", "nodes", "locally_advanced"):
        if isinstance(enrolled, dict) and name in enrolled:
            yield f"enrolled.{name}", f"{what}: leave it out"


def _of_early(raw: Mapping[str, Any], early: Mapping[str, Any]) -> Iterator[Fault]:
    """Faults of a trial of early disease."""
    if raw.get("scans"):
        yield "scans", "early disease is not scanned: leave them out"
    enrolled = raw.get("enrolled")
    base = _word(enrolled, "base") if isinstance(enrolled, dict) else None
    if base is not None:
        with suppress(Her2SimError):
            if load_population(base).setting != "early":
                yield "enrolled.base", f"{base!r} is metastatic; take a population of early disease"
    for place, row in _rows(raw, "arm"):
        yield from _next_faults(f"{place}.next", row.get("next", ()), early)
    yield from _early_crossover_faults(raw)
    yield from _response_faults(raw, early)


def _response_faults(raw: Mapping[str, Any], early: Mapping[str, Any]) -> Iterator[Fault]:
    """A response that decides who is taken, or that is seen at a month."""
    if early.get("takes", "all") != "all":
        endpoints = raw.get("endpoints", ())
        told = [name for name in EARLY_RATES if isinstance(endpoints, list) and name in endpoints]
        if told:
            yield "endpoints", f"{', '.join(told)}: takes tells it of everybody: leave it out"
    for place, row in _rows(raw, "outcome"):
        if row.get("endpoint") in EARLY_RATES and "at_month" in row:
            yield f"{place}.at_month", "a response is seen at surgery: leave it out"


def _next_faults(place: str, told: Any, early: Mapping[str, Any]) -> Iterator[Fault]:
    """What follows surgery: after it, and one thing at a time for each patient."""
    rows = [row for row in told if isinstance(row, dict)] if isinstance(told, list | tuple) else []
    surgery = early.get("surgery_week")
    for row in rows:
        if row.get("when", "all") != "all" and not surgery:
            yield place, "only surgery tells the response: give surgery_week"
        week = row.get("week")
        if isinstance(surgery, int | float) and isinstance(week, int | float) and week < surgery:
            yield place, f"week {week:g} comes before surgery in week {surgery:g}"
    starts = [(row.get("week"), row.get("when", "all")) for row in rows]
    for week, when in starts:
        others = [own for at, own in starts if at == week]
        if others.count(when) > 1 or (len(others) > 1 and "all" in others):
            yield place, f"two regimens begin in week {week} for the same patients: join them by +"
            return


def _early_crossover_faults(raw: Mapping[str, Any]) -> Iterator[Fault]:
    seen = set[str]()
    for place, row in _rows(raw, "crossover"):
        if "at_month" not in row:
            yield f"{place}.at_month", "say when patients without relapse cross over"
        arm = _word(row, "arm")
        if arm is not None and arm == row.get("to"):
            yield f"{place}.to", "patients cross over to another arm"
        if arm is not None and arm in seen:
            yield f"{place}.arm", f"patients of {arm} cross over once: keep one row"
        seen.add(arm or "")


def _number_faults(place: str, row: Mapping[str, Any], name: str) -> Iterator[Fault]:
    """A published figure that cannot be, or lies outside its interval."""
    low, value, high = (row.get(key) for key in ("low", name, "high"))
    numbers = [v for v in (low, value, high) if isinstance(v, (int, float))]
    if numbers != sorted(numbers):
        yield f"{place}.{name}", "low, the figure and high have to be in order"
    is_rate = row.get("measure") == "rate_percent"
    least = -1e-9 if is_rate else 1e-9
    if any(v < least or (is_rate and v > 100) for v in numbers):
        yield f"{place}.{name}", "a rate is 0 to 100 %" if is_rate else "has to be above zero"


def _curve_faults(place: str, row: Mapping[str, Any]) -> Iterator[Fault]:
    """Points of a curve that cannot be: not in order, no shares, or rising."""
    months, shares = row.get("months", ()), row.get("survival", ())
    numbers = [v for v in (*months, *shares) if isinstance(v, (int, float))]
    if len(numbers) < len(months) + len(shares):
        return
    if list(months) != sorted(set(months)) or (months and months[0] <= 0):
        yield f"{place}.months", "give months above zero in order, each once"
    if any(not 0 <= share <= 1 for share in shares):
        yield f"{place}.survival", "give shares from 0 to 1 (0.7, not 70)"
    elif list(shares) != sorted(shares, reverse=True):
        yield f"{place}.survival", "a survival curve never rises"


def _pace_faults(raw: Mapping[str, Any]) -> Iterator[Fault]:
    for kind in ("scans", "lvef_tests"):
        paces = [row for _, row in _rows(raw, kind)]
        if any("until_week" not in pace for pace in paces[:-1]):
            yield kind, "only the last pace may go on to the end"
        for place, pace in _rows(raw, kind):
            every, until = pace.get("every_week"), pace.get("until_week")
            if not isinstance(every, (int, float)):
                continue
            if isinstance(until, (int, float)) and until < every:
                yield f"{place}.until_week", f"{until:g} comes before the first one at {every:g}"
            if 0 < every < SHORTEST_WEEKS:
                yield f"{place}.every_week", f"{every:g}: use a day (0.143) or more"
        if paces and "until_week" in paces[-1]:
            yield kind, "the last pace goes on to the end; leave its until_week out"
