"""Predicted beside published over all trials, as a page of the documentation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from her2sim.notice import NOTICE
from her2sim.report.tables import number_text
from her2sim.report.trial_tables import (
    contrast_cells,
    contrast_text,
    endpoint_text,
    event_text,
    guess_cells,
    predicted_range,
    predicted_text,
    range_text,
)
from her2sim.studies.trial.report import TrialReport
from her2sim.studies.trial.rows import Estimate
from her2sim.studies.trial.scorecard import Score, scorecard, skills
from her2sim.trials.measures import PAIRS
from her2sim.trials.seen_subgroups import SeenContrast

HEAD = """# Trials: predicted beside published

Written by `make trials` ({per_arm} patients an arm, {members} members of the ensemble, seed
{seed}). The predicted figure is that of the numbers that fit best; a median is the mean of the
times at which survival passes levels around a half. Its range is that of what may be seen, with
90 %: members, trials and the sample of the published figure. **Anchors** were used by the
calibration ([calibration.md](calibration.md)); everything else is a **prediction**. *All* and
*alike*: the mean of all other trials, and of those of the same class of drugs and line. Hits and
misses stand alike; a figure without a prediction is neither.
What the model cannot be trusted for: [trials-limits.md](trials-limits.md). How to run one:
[trial-run.md](trial-run.md).

{notice}

## Score
"""


def trials_markdown(reports: Sequence[TrialReport]) -> str:
    """The page as Markdown."""
    asked = reports[0].run.asked
    head = HEAD.format(per_arm=asked.per_arm, members=asked.members, seed=asked.seed, notice=NOTICE)
    scores = scorecard(reports)
    lines = [head, "| criterion | role | hits | of | no prediction |", "|---|---|---:|---:|---:|"]
    lines += [
        f"| {s.title} | {s.role} | {s.hits} | {len(s.rows)} | {len(s.unpredicted)} |"
        for s in scores
    ]
    lines += ["", *_skills(reports)]
    for score in scores:
        lines += ["", *_misses(score)]
    lines += _unpredicted(scores)
    lines += _contrasts([row for report in reports for row in report.contrasts])
    for report in reports:
        lines += ["", *_trial(report)]
    return "\n".join(lines) + "\n"


def _skills(reports: Sequence[TrialReport]) -> Iterator[str]:
    """Errors beside guesses, as a table."""
    yield "Mean absolute errors beside guesses that need no model: the mean of all other trials,"
    yield "and of other trials of the same class of drugs and line. This is a fit; for trials that"
    yield "took no part see [crossvalidation.md](crossvalidation.md)."
    yield ""
    yield "| endpoint | figures | her2sim, fitted | all other trials | trials alike |"
    yield "|---|---:|---:|---:|---:|"
    for row in skills(reports):
        numbers = " | ".join(f"{value:.3g}" for value in (row.ours, row.constant, row.alike))
        yield f"| {row.endpoint} ({row.unit}) | {row.n} | {numbers} |"


def _misses(score: Score) -> Iterator[str]:
    misses = [row for row in score.rows if not row.is_hit]
    if not misses:
        return
    yield f"Misses of {score.title} ({score.role}s):"
    yield ""
    for row in misses:
        f = row.figure
        yield (
            f"- {row.trial}, {row.arm}, {row.what}: {number_text(f.predicted)} "
            f"({predicted_range(f)}) against {number_text(f.published)}"
        )


def _unpredicted(scores: Sequence[Score]) -> Iterator[str]:
    rows = [row for score in scores for row in score.unpredicted]
    if not rows:
        return
    yield from ("", "No prediction (neither hit nor miss; not counted above):", "")
    for row in rows:
        yield (
            f"- {row.trial}, {row.arm}, {row.what}, published "
            f"{number_text(row.figure.published)}: needs {row.figure.needs}"
        )


def _contrasts(rows: Sequence[SeenContrast]) -> Iterator[str]:
    """Subgroups as a table, trait by trait."""
    if not rows:
        return
    yield from ("", "## Subgroups", "")
    yield "Ratios between two groups of patients of a trial, with 90 % ranges; 1 is no difference."
    yield "Where only one group was published it is compared with all patients. *Supported*: the"
    yield "published figure shows what is predicted (a difference, or none to speak of). *Not"
    yield "seen*: it is too uncertain to tell. *Contradicted*: both differ by more than their"
    yield "errors."
    yield ""
    yield "| trait | trial | contrast | published | range | predicted | range | verdict |"
    yield "|---|---|---|---:|---:|---:|---:|---|"
    for row in sorted(rows, key=lambda row: list(PAIRS).index(row.trait)):
        cells = " | ".join([row.trait, row.trial, contrast_text(row), *contrast_cells(row)])
        yield f"| {cells} |"
    unseen = [trait for trait in PAIRS if trait not in {row.trait for row in rows}]
    if unseen:
        yield from ("", f"No trial here tells of: {', '.join(unseen)}.")


def _cells(figure: Estimate) -> str:
    published = number_text(figure.published)
    interval = range_text(figure.published_low, figure.published_high)
    return (
        f"{predicted_text(figure)} | {predicted_range(figure)} | {published} "
        f"| {interval} | {figure.role if figure.published is not None else ''} |"
    )


def _guesses(figure: Estimate) -> str:
    return f"{' | '.join(guess_cells(figure))} |"


_HEADS = "predicted | 90 % range | published | 95 % interval | role |"
_RULE = "---:|---:|---:|---:|---|"


def _trial(report: TrialReport) -> Iterator[str]:
    trial = report.trial
    registered = f" ({trial.nct})" if trial.nct else ""
    yield f"## {trial.id}"
    yield ""
    yield f"{trial.title}{registered}."
    published = [row for row in report.endpoints if row.figure.published is not None]
    if published or report.ratios:
        yield from ("", f"| arm | endpoint | {_HEADS} all | alike |", f"|---|---|{_RULE}---:|---:|")
    for row in published:
        text = endpoint_text(row.endpoint, row.measure, row.at_month, row.subgroup)
        yield f"| {row.arm} | {text}, {row.unit} | {_cells(row.figure)} {_guesses(row.figure)}"
    for ratio in report.ratios:
        group = f", {ratio.subgroup.replace('_', ' ')}" if ratio.subgroup else ""
        text = f"{ratio.endpoint} hazard ratio over {ratio.versus}{group}"
        yield f"| {ratio.arm} | {text} | {_cells(ratio.figure)} {_guesses(ratio.figure)}"
    events = [row for row in report.safety if row.figure.published is not None]
    if events:
        yield from ("", f"| arm | adverse event, % | {_HEADS}", f"|---|---|{_RULE}")
    for event in events:
        text = event_text(event.event, event.grade, event.until_month)
        yield f"| {event.arm} | {text} | {_cells(event.figure)}"
    if report.notes:
        yield ""
        yield from (f"- {note}" for note in report.notes)
