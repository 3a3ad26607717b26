"""The page of every published exposure beside the predicted one, as Markdown and as HTML."""

from __future__ import annotations

import math
from collections.abc import Sequence

from her2sim.drugs.drug import load_drug
from her2sim.notice import NOTICE
from her2sim.report.html import PageTable, render
from her2sim.report.tables import number_text
from her2sim.studies.validation import ValidationRow

HEADINGS = (
    "regimen", "population", "analyte", "cycle", "metric", "statistic", "published", "predicted",
    "ratio", "5th, 95th: ratio", "inside", "source or reason",
)  # fmt: skip
INSIDE = HEADINGS.index("inside")
INTRODUCTION = (
    "Tolerances belong to the kind of a row and were fixed beforehand: typical value 3 %; median "
    "or geometric mean after IV or SC 15 %; oral drugs and payloads 25 %; arithmetic mean 20 %; "
    "observed trough 25 %. Percentiles are shown and never judged or tuned for.",
    "Percentiles of trastuzumab. In early breast cancer the published model, with its published "
    "variability, gives a wider range than the label prints: the label's percentiles look like "
    "those of individual estimates, which shrink towards the middle. In metastatic disease the "
    "label's 5th percentile of the trough is much lower than ours (1.8 against about 11 ug/mL at "
    "steady state): some of its patients clear the drug faster than independent draws of albumin, "
    "AST and liver metastases make them. Why was not established.",
)


def cells(row: ValidationRow) -> tuple[str, ...]:
    """A compared row as texts under HEADINGS."""
    unit = "" if row.unit == "1" else f" {row.unit}"
    tails = [
        f"{ours / theirs:.2f}" if ours is not None and theirs is not None else ""
        for theirs, ours in ((row.low, row.predicted_low), (row.high, row.predicted_high))
    ]
    source = row.source if row.inside else f"{row.source}. {row.reason}"
    return (
        row.regimen, row.population, row.analyte.replace("_", " "), row.cycle, row.metric,
        row.statistic.replace("_", " "),
        f"{number_text(row.published)}{unit}", number_text(row.predicted),
        f"{row.ratio or math.nan:.3f}", ", ".join(tails) if any(tails) else "",
        {True: "yes", False: "no", None: "calibration"}[row.inside], source,
    )  # fmt: skip


def heading_text(rows: Sequence[ValidationRow], patients: int, seed: int) -> str:
    """One sentence with the score."""
    counted = [row for row in rows if row.use == "counted"]
    n_inside = sum(bool(row.inside) for row in counted)
    n_calibration = sum(row.use == "calibration" for row in rows)
    n_listed = len(rows) - len(counted) - n_calibration
    return (
        f"{patients} virtual patients, seed {seed}. {n_inside} of {len(counted)} counted rows are "
        f"inside their tolerance; {n_calibration} set a parameter of a surrogate and are not "
        f"counted; {n_listed} are listed and not compared."
    )


def not_compared_texts(rows: Sequence[ValidationRow]) -> list[str]:
    """A line for each row that is listed only."""
    return [
        f"{r.regimen}, {r.population}, {r.cycle}, {r.metric} {r.published:g} {r.unit}: {r.reason}"
        for r in rows
        if r.use == "not_comparable"
    ]


def markdown_page(rows: Sequence[ValidationRow], patients: int, seed: int) -> str:
    """The page as Markdown."""
    lines = ["# Predicted beside published", "", "Made by `make validation`.",
             heading_text(rows, patients, seed), ""]  # fmt: skip
    for paragraph in INTRODUCTION:
        lines += [paragraph, ""]
    for drug in dict.fromkeys(row.drug for row in rows):
        own = [row for row in rows if row.drug == drug]
        lines += [f"## {load_drug(drug).title}", ""]
        compared = [row for row in own if row.use != "not_comparable"]
        for model in dict.fromkeys(row.model for row in compared):
            shown = [row for row in compared if row.model == model]
            lines += [f"Model {model} ({shown[0].model_status})", ""]
            lines += [f"| {' | '.join(HEADINGS)} |", "|" + "---|" * len(HEADINGS)]
            for row in shown:
                texts = list(cells(row))
                texts[INSIDE] = "**no**" if row.inside is False else texts[INSIDE]
                lines.append(f"| {' | '.join(texts)} |")
            lines.append("")
        listed = not_compared_texts(own)
        if listed:
            lines += ["Published, not compared:", "", *(f"- {text}" for text in listed), ""]
    return "\n".join([*lines, f"_{NOTICE}_", ""])


def html_page(rows: Sequence[ValidationRow], patients: int, seed: int) -> str:
    """The page as one self-contained HTML file."""
    paragraphs = (heading_text(rows, patients, seed), *INTRODUCTION)
    drugs = [
        _drug_part(drug, [row for row in rows if row.drug == drug])
        for drug in dict.fromkeys(row.drug for row in rows)
    ]
    return render("validation", paragraphs=paragraphs, drugs=drugs)


def _drug_part(drug: str, rows: Sequence[ValidationRow]) -> dict[str, object]:
    """What the page has of a drug; rows outside their tolerance are marked."""
    title = load_drug(drug).title
    compared = [row for row in rows if row.use != "not_comparable"]
    table = PageTable(
        f"{title}: published and predicted",
        ("model", *HEADINGS),
        [(row.model, *cells(row)) for row in compared],
        marked=frozenset(place for place, row in enumerate(compared) if row.inside is False),
    )
    return {"title": title, "table": table, "not_compared": not_compared_texts(rows)}
