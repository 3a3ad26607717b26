"""The figures and the measured numbers of docs/early.md: make early.

It runs all trials of early disease with all members, some minutes on two cores, and prints what
the page quotes.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from pathlib import Path

import numpy as np

from her2sim.api.scorecard import score
from her2sim.api.trial import run_trial
from her2sim.engine.advance import available_cores
from her2sim.report.canvas import COLOURS, FAINT, SMALL, finished, new_canvas, write_figure
from her2sim.studies.trial.report import TrialReport
from her2sim.studies.trial.rows import EndpointRow
from her2sim.studies.trial.scorecard import skills
from her2sim.trials.library import early_trials
from her2sim.trials.survival import hazard_ratio

DOCS = Path(__file__).parents[1] / "docs"
PER_ARM, SEED = 4800, 1
ROW = 0.19


def main() -> None:
    """Run all early trials; draw, and print."""
    found = score(
        [trial.id for trial in early_trials()], PER_ARM, SEED, workers=available_cores()
    )  # fmt: skip
    reports = found.reports
    told = [(report.trial.id, row) for report in reports for row in report.endpoints]
    told = [(name, row) for name, row in told if row.figure.published is not None]
    whole = [(name, row) for name, row in told if row.subgroup is None]
    responses = [pair for pair in whole if pair[1].endpoint in ("bpCR", "tpCR")]
    late = [pair for pair in whole if pair[1].at_month is not None and pair[1].at_month >= 36]
    _draw(DOCS / "early-pcr.png", responses, "Pathological complete response, %")
    _draw(DOCS / "early-dfs.png", late, "Without an event at three years and later, %")
    _print(found.scores, reports, responses, late)


def _draw(path: Path, rows: Sequence[tuple[str, EndpointRow]], title: str) -> None:
    """Predictions with their ranges, and published figures, one line each."""
    figure, panels = new_canvas(ROW * len(rows) + 1.2, 1)
    axes, place = panels[0, 0], np.arange(len(rows))[::-1]
    for y, (name, row) in zip(place, rows, strict=True):
        shown = row.figure
        axes.plot([shown.low, shown.high], [y, y], color=COLOURS[0], linewidth=3, alpha=0.35)
        axes.plot(shown.predicted, y, "o", color=COLOURS[0], markersize=4)
        axes.plot(shown.published, y, "D", color=COLOURS[3], markersize=4)
        at = "" if row.at_month is None else f" {row.at_month:g} mo"
        axes.text(-0.01, y, f"{name}, {row.arm}, {row.endpoint}{at}", ha="right", va="center",
                  fontsize=SMALL - 1, transform=axes.get_yaxis_transform())  # fmt: skip
    axes.plot([], [], "o", color=COLOURS[0], label="predicted (fitted), with 90 % range")
    axes.plot([], [], "D", color=COLOURS[3], label="published")
    axes.set_yticks([])
    axes.set_ylim(-1, len(rows))
    axes.grid(axis="x", color=FAINT, linewidth=0.4, alpha=0.4)
    axes.tick_params(labelsize=SMALL)
    axes.legend(fontsize=SMALL, frameon=False, loc="upper center", ncols=2,
                bbox_to_anchor=(0.5, 1.0 + 0.9 / (ROW * len(rows) + 1.2)))  # fmt: skip
    write_figure(path, finished(figure, title))


def _print(scores, reports, responses, late) -> None:  # type: ignore[no-untyped-def]
    for one in scores:
        print(f"{one.title}: {one.hits} of {len(one.rows)}")
    for skill in skills(reports):
        print(f"{skill.endpoint}: error {skill.ours:.3g}, constant {skill.constant:.3g}, "
              f"alike {skill.alike:.3g} ({skill.n})")  # fmt: skip
    for what, rows in (("pCR", responses), ("late", late)):
        error = [abs(row.figure.predicted - row.figure.published) for _, row in rows]
        inside = [row.figure.is_inside for _, row in rows]
        print(f"{what}: mean error {np.mean(error):.2f} of {len(error)}, "
              f"{100 * np.mean(inside):.0f} % inside the ranges")  # fmt: skip
    mid = [abs(r.figure.predicted - r.figure.published) for _, r in late if r.at_month <= 60]
    far = [abs(r.figure.predicted - r.figure.published) for _, r in late if r.at_month > 60]
    print(f"3 to 5 years: {np.mean(mid):.2f}; 7 to 10 years: {np.mean(far):.2f}")
    ratios = [(r.trial.id, row) for r in reports for row in r.ratios]
    ratios = [(n, row) for n, row in ratios if row.figure.published and row.subgroup is None]
    logs = [abs(np.log(row.figure.predicted / row.figure.published)) for _, row in ratios]
    print(f"hazard ratios: mean factor {np.exp(np.mean(logs)):.3f} of {len(logs)}")
    for name, row in ratios:
        f = row.figure
        known = "" if f.published_low is None else f"({f.published_low} to {f.published_high})"
        print(f"  {name} {row.endpoint} {row.arm}/{row.versus}: {f.predicted:.2f} "
              f"({f.low:.2f} to {f.high:.2f}), published {f.published} {known}")  # fmt: skip
    kept = [
        run_trial(name, PER_ARM // 2, SEED, members=24, workers=available_cores())
        for name in ("neosphere", "neoaltto", "calgb40601", "nsabp-b41", "noah")
    ]
    _neosphere(kept[0].report)
    _surrogate([one.report for one in kept])


def _neosphere(report: TrialReport) -> None:
    """In how many members pertuzumab with trastuzumab and docetaxel is best."""
    arms = report.run.arms()
    share = {}
    for name, arm in arms.items():
        shares, member = arm.responded("bpCR"), arm.member
        share[name] = np.array([shares[member == m].mean() for m in np.unique(member)])
    best = np.all([share["thp"] > share[name] for name in ("th", "hp", "tp")], axis=0)[1:]
    gap = 100 * (share["th"] - share["tp"])
    print(f"NeoSphere: THP best in {100 * best.mean():.0f} % of members; TH - TP {gap[0]:.1f}, "
          f"HP {100 * share['hp'][0]:.1f} %")  # fmt: skip


def _surrogate(reports: Sequence[TrialReport]) -> None:
    """What response tells of patients, and what its differences tell of arms."""
    differences, logs = [], []
    for report in reports:
        arms = report.run.arms()
        for (_, a), (_, b) in combinations(arms.items(), 2):
            own = [arm.times("EFS") for arm in (a, b)]
            chosen = [arm.member == 0 for arm in (a, b)]
            month = np.concatenate([t.month[c] for t, c in zip(own, chosen, strict=True)])
            event = np.concatenate([t.event[c] for t, c in zip(own, chosen, strict=True)])
            in_arm = np.arange(month.size) < np.count_nonzero(chosen[0])
            logs.append(np.log(hazard_ratio(month, event, in_arm).value))
            differences.append(
                a.responded("tpCR")[chosen[0]].mean() - b.responded("tpCR")[chosen[1]].mean()
            )
        if report.trial.id == "NeoALTTO":
            arm = arms["trastuzumab"]
            times, best = arm.times("EFS"), arm.member == 0
            found = hazard_ratio(times.month[best], times.event[best], arm.responded("tpCR")[best])
            print(f"pCR to EFS in patients (NeoALTTO, trastuzumab): {found.value:.2f}")
    r = np.corrcoef(differences, logs)[0, 1]
    print(f"differences in pCR and log hazard ratios of EFS between arms: R2 {r * r:.2f} "
          f"of {len(logs)} pairs")  # fmt: skip


if __name__ == "__main__":
    main()
