"""Parts of the patients of a trial."""

from __future__ import annotations

from pydantic import Field, model_validator

from her2sim.facts import Claim


class Shares(Claim):
    """What part of the patients belongs to each group; the parts add up to one."""

    shares: dict[str, float] = Field(
        min_length=1, title="share of each", description="group = share, with commas; together 1"
    )

    @model_validator(mode="after")
    def _add_up(self) -> Shares:
        if min(self.shares.values()) <= 0 or abs(sum(self.shares.values()) - 1) > 1e-6:
            raise ValueError("shares must be above zero and add up to 1")
        return self
