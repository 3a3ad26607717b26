"""Trials that took no part in a fit, beside guesses: tables, and the page of the documentation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.table import Table

from her2sim.biology.lesion_model import disease_of
from her2sim.notice import NOTICE
from her2sim.patients.covariates import Setting, TumourTypeId
from her2sim.studies.crossvalidation import POINTS, EndpointSkill, LeftOut, calls, figure_rows

NOTES = (
    "The structure of the model and the priors were chosen with these trials in view: errors on "
    "trials that nobody looked at will be somewhat larger.",
    "A 90 % range holds what members differ in, the spread between trials (from the errors of the "
    "other trials), and the sampling error of the published figure.",
    "Constant: the mean of all other trials. Alike: the mean of other trials of the same class of "
    "drugs and line (with fewer than three, of the class; else of all), in tumours other than "
    "breast cancer of the same line and era (or of the line). Both with their own 90 % ranges.",
    "The numbers that come with her2sim are fitted to more patients an arm (calibration.md).",
)
TITLES = {
    "hazard ratio": "Hazard ratio", "median": "Median PFS or TTP, months",
    "survival": "Median overall survival, months",
    "ORR": "Response, %", "pCR": "Pathological complete response, %",
    "3 to 5 years": "Without event at 3 to 5 years, %",
    "7 to 10 years": "Without event at 7 to 10 years, %",
}  # fmt: skip
HOW = {"ours": "her2sim", "constant": "constant", "alike": "alike"}


def tables(skills: Sequence[EndpointSkill]) -> Iterator[Table]:
    """Errors and intervals by endpoint, then each figure."""
    yield _table("errors of what was left out", SUMMARY, summary_rows(skills))
    for skill in skills:
        yield _table(TITLES[skill.endpoint], FIGURES, list(_figures(skill)))


def _table(title: str, headings: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    table = Table(title=title, title_justify="left")
    for name in headings:
        table.add_column(name, justify="left" if name in _WORDS else "right")
    for row in rows:
        table.add_row(*row)
    return table


_WORDS = ("endpoint", "by", "trial", "arm", "evidence", "inside")
SUMMARY = (
    "endpoint", "by", "figures", "mean error", "RMS error", "bias", "90 % ranges hold",
    "interval score",
)  # fmt: skip
FIGURES = (
    "trial", "arm", "published", "predicted", "90 % range", "inside", "constant", "alike",
    "evidence",
)  # fmt: skip


def summary_rows(skills: Sequence[EndpointSkill]) -> list[tuple[str, ...]]:
    """Errors and intervals of ours and of both guesses, by endpoint."""
    rows = list[tuple[str, ...]]()
    for skill in skills:
        for name, title in HOW.items():
            found = skill.summary(getattr(skill, name))
            digits = 1 if skill.endpoint in POINTS else 3
            low, high = skill.coverage_range(getattr(skill, name))
            rows.append(
                (
                    f"{skill.endpoint} ({'points' if skill.endpoint in POINTS else 'log'})",
                    title, f"{found['n']:.0f}",
                    f"{found['mean_absolute']:.{digits}f}", f"{found['rms']:.{digits}f}",
                    f"{found['bias']:+.{digits}f}",
                    f"{100 * found['coverage']:.0f} % ({100 * low:.0f} to {100 * high:.0f})",
                    f"{found['score']:.{digits}f}",
                )
            )  # fmt: skip
    return rows


def gain_rows(skills: Sequence[EndpointSkill]) -> list[tuple[str, ...]]:
    """What ours gains over both guesses, with the intervals of a bootstrap over trials."""
    rows = list[tuple[str, ...]]()
    for skill in skills:
        for name in ("constant", "alike"):
            digits = 1 if skill.endpoint in POINTS else 3
            for what, (mean, low, high) in skill.gain(getattr(skill, name)).items():
                numbers = f"{mean:+.{digits}f}", f"{low:+.{digits}f} to {high:+.{digits}f}"
                rows.append((skill.endpoint, name, what, *numbers))
    return rows


def _figures(skill: EndpointSkill) -> Iterator[tuple[str, ...]]:
    for row in figure_rows(skill):
        arm = f"{row.arm} over {row.versus}" if row.versus else row.arm
        yield (
            row.trial, arm, f"{row.published:.3g}", f"{row.predicted:.3g}",
            f"{row.low:.3g} to {row.high:.3g}", "yes" if row.is_inside else "no",
            f"{row.constant:.3g}", f"{row.alike:.3g}", row.evidence,
        )  # fmt: skip


def group_rows(skills: Sequence[EndpointSkill]) -> list[tuple[str, ...]]:
    """Errors by class of drugs and by line."""
    rows = list[tuple[str, ...]]()
    for skill in skills:
        digits = 1 if skill.endpoint in POINTS else 3
        for trait in ("drug_class", "line", "evidence"):
            values = [getattr(row, trait) for row in skill.rows]
            for value in dict.fromkeys(values):
                chosen = [k for k, own in enumerate(values) if own == value]
                mask = skill.seen != skill.seen
                mask[chosen] = True
                found = skill.summary(skill.ours, mask)
                rows.append(
                    (
                        skill.endpoint, value, f"{found['n']:.0f}",
                        f"{found['mean_absolute']:.{digits}f}", f"{found['rms']:.{digits}f}",
                        f"{found['bias']:+.{digits}f}", f"{100 * found['coverage']:.0f} %",
                    )
                )  # fmt: skip
    return rows


def markdown(
    heading: str,
    skills: Sequence[EndpointSkill],
    figures: Sequence[LeftOut],
    setting: Setting,
    tumour_type: TumourTypeId,
) -> str:
    """The page of the documentation."""
    called = calls(figures)
    title, name, options = "", "crossvalidation", ""
    if setting == "early":
        title, name, options = " of early disease", f"{name}-early", " --setting early"
    elif tumour_type != "breast":
        title = f" of {disease_of(tumour_type, setting)}"
        name, options = f"{name}-{tumour_type}", f" --tumour {tumour_type}"
    command = f"{options} --markdown docs/{name}.md"
    parts = [
        f"# Cross-validation{title}", "",
        f"Written by `her2sim trial crossvalidate{command}`. Trials are "
        "left out in turn, every number is fitted anew to the others from a shaken start, and "
        "what was left out is then predicted. No trial is left aside.",
        "", f"{heading}.", "", NOTICE, "",
        "## What the errors are", "", *_lines(SUMMARY, summary_rows(skills)), "",
        *(f"- {note}" for note in NOTES), "",
        "The lower the interval score, the better: it is the width of a range, and twenty times "
        "what a figure lies outside it.", "",
        "Gain over the guesses, figure by figure (above zero: her2sim is better), with 90 % "
        "intervals of a bootstrap over trials:", "",
        *_lines(("endpoint", "over", "what", "gain", "90 % interval"), gain_rows(skills)), "",
        "## Success of comparisons", "",
        f"Of {called['n']} comparisons {called['successes']} were significant (at 5 %). Called "
        f"before the trial: sensitivity {_percent(called['sensitivity'])}, specificity "
        f"{_percent(called['specificity'])}; wrong: {', '.join(called['wrong']) or 'none'}.", "",
        "## By class of drugs, line and evidence", "",
        "*Randomised*: each drug of the trial was compared with its absence in another trial of "
        "the same disease. *None*: a drug of it is in no other trial.", "",
        *_lines(
            ("endpoint", "group", "figures", "mean error", "RMS error", "bias", "held"),
            group_rows(skills),
        ),
    ]  # fmt: skip
    for skill in skills:
        parts += ["", f"## {TITLES[skill.endpoint]}", "", *_lines(FIGURES, list(_figures(skill)))]
    return "\n".join(parts) + "\n"


def _percent(share: float | None) -> str:
    return "not known" if share is None else f"{100 * share:.0f} %"


def _lines(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    sides = ["---" if name in (*_WORDS, "over", "what", "group") else "---:" for name in headings]
    return [
        f"| {' | '.join(headings)} |", f"|{'|'.join(sides)}|",
        *(f"| {' | '.join(row)} |" for row in rows),
    ]  # fmt: skip
