"""An indication: dates as they were read, and what is refused in a fact file."""

from __future__ import annotations

import datetime

import pytest

from her2sim.regimens.indication import DATE_NOT_KNOWN, Indication, first_day

USUAL = {
    "region": "us", "tumour": "breast", "setting": "metastatic", "her2": ["positive"],
    "source": "label:indications",
}  # fmt: skip


def indication(**told: object) -> Indication:
    return Indication.model_validate(USUAL | told)


@pytest.mark.parametrize(
    ("told", "text"),
    [
        ({}, DATE_NOT_KNOWN),
        ({"since": "2022-08-05"}, "since 2022-08-05"),
        ({"since": "2022-08"}, "since 2022-08, day not known"),
        ({"since": "2022"}, "since 2022, day not known"),
        ({"since": "2022-08-05", "since_is": "announced"}, "since 2022-08-05, as announced"),
        (
            {"since": "2015-06", "since_is": "opinion"},
            "since 2015-06, the agency's opinion; the date of the decision is not known",
        ),
        ({"since": "2021-05-05", "until": "2023-11-07"}, "from 2021-05-05 to 2023-11-07"),
    ],
)
def test_the_date_in_words(told: dict[str, str], text: str) -> None:
    assert indication(**told).dated == text


@pytest.mark.parametrize(
    ("since", "day", "holds"),
    [
        ("2022-08-05", "2022-08-04", False),
        ("2022-08-05", "2022-08-05", True),
        ("2022-08", "2022-07-31", False),
        ("2022-08", "2022-08-01", True),
        ("2022", "2021-12-31", False),
        ("2022", "2022-01-01", True),
        (None, "1990-01-01", True),
    ],
)
def test_a_month_or_a_year_begins_with_its_first_day(
    since: str | None, day: str, holds: bool
) -> None:
    assert indication(since=since).holds_on(datetime.date.fromisoformat(day)) is holds
    assert indication(since=since).holds_on(None)


@pytest.mark.parametrize("text", ["05-08-2022", "August 2022", "2022-13", "2022-02-30", "22", ""])
def test_another_form_is_no_date(text: str) -> None:
    with pytest.raises(ValueError, match=r"is no date|must be in|out of range"):
        first_day(text)


@pytest.mark.parametrize(
    ("told", "message"),
    [
        ({"since": "May 2022"}, "since: 'May 2022' is no date"),
        ({"until": "2023-11-07"}, "until: needs an earlier since"),
        ({"since": "2024", "until": "2023-11-07"}, "until: needs an earlier since"),
        ({"needs": ["prior_taxan"]}, "did you mean 'prior_taxane'"),
        ({"unless": ["prior_taxan"]}, "did you mean 'prior_taxane'"),
        ({"one_of": [["high_risk"], ["node_positiv"]]}, "did you mean 'node_positive'"),
    ],
)
def test_a_faulty_row_is_refused(told: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message.replace("'", ".")):
        indication(**told)
