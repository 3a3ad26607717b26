"""The first view: a published trial, already drawn."""

from __future__ import annotations

from her2sim.web.jobs import EXAMPLES
from her2sim.web.layout import heading, paragraph, put, view
from her2sim.web.pages.answer import show_answer
from her2sim.web.trial_questions import TrialQuestion

ASKED = (
    ("/patient", "One patient", "From the HER2 test to survival: move a slider, and see all "
     "of it follow."),
    ("/trials", "A trial", "Run a published trial again, or one that nobody has run."),
    ("/drug", "A drug", "Levels in a population, beside what the label says."),
    ("/levels", "Measured levels", "What do they tell of one patient, and what is to come?"),
    ("/record", "A record", "Drop what was given: where does it depart from the label?"),
)  # fmt: skip


def register() -> None:
    """Make the view known."""
    from nicegui import ui

    @ui.page("/")
    def home() -> None:
        with view("HER2-targeted therapy, simulated"):
            heading("HER2-targeted therapy, simulated")
            paragraph(
                "From the HER2 test to survival, for one patient or a hundred thousand, with "
                "published numbers. What do you want to look at?"
            )
            put("questions", questions=ASKED)
            heading("A published trial, predicted: DESTINY-Breast03", 2)
            paragraph(
                "Lines are predicted, points were published. Two drugs, the same disease: "
                "trastuzumab deruxtecan and trastuzumab emtansine."
            )
            show_answer(TrialQuestion(), EXAMPLES)
