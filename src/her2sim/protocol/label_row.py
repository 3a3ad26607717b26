"""What every row of a label has."""

from __future__ import annotations

from her2sim.facts import Claim


class LabelRow(Claim):
    """What a label says in one row.

    ``is_confirmed`` is false where the text of this region was not read, but that of another
    country or a summary; ``note`` says which.
    """

    is_confirmed: bool = True
