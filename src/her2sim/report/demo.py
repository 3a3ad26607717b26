"""The demonstration: trastuzumab's label regimens beside the label."""

from __future__ import annotations

from pathlib import Path

from her2sim.course import load_treatment
from her2sim.patients.population import load_population
from her2sim.report.exposure import ExposureReport, Progress, exposure
from her2sim.report.figures import bands_figure, concentration_bands

SCENES = (("q3w", "mbc"), ("q3w", "ebc"), ("qw", "mbc"))


def run_demo(
    patients: int, seed: int, folder: Path, progress: Progress | None = None
) -> tuple[list[ExposureReport], Path]:
    """Run the regimens and draw the figure; returns the reports and the figure's path."""
    reports, panels = [], []
    for regimen, population in SCENES:
        treatment, people = load_treatment("trastuzumab", regimen), load_population(population)
        report = exposure(treatment, people, patients, seed, progress=progress)
        bands = concentration_bands(treatment, people, patients, seed, report.steady_state_cycle)
        reports.append(report)
        panels.append((report, bands))
    figure = folder / "trastuzumab.png"
    bands_figure(figure, panels, "Trastuzumab: predicted concentrations and the label's values")
    return reports, figure
