"""What the report of a HER2 mutation says: only names of a list are activating."""

from __future__ import annotations

import pytest

from her2sim.errors import DataError
from her2sim.patients.her2_mutations import activating, mutation_report, protein_change
from her2sim.patients.her2_status import interpret
from her2sim.patients.her2_test import Her2Test


@pytest.mark.parametrize(
    "report",
    [
        "none", "Negative", "not detected", "wild-type", "WT", "-",
        "HER2 mutation not detected", "no mutation detected",
    ],
)  # fmt: skip
def test_words_of_no_mutation_never_make_a_tumour_positive(report: str) -> None:
    assert mutation_report(report) == "absent"
    assert interpret(Her2Test("lung", mutation=report)).status == "negative"


@pytest.mark.parametrize(
    "report", ["unknown", "not tested", "pending", "ERBB2 amplification", "overexpression"]
)
def test_what_says_nothing_of_a_mutation_asks_for_the_test(report: str) -> None:
    assert mutation_report(report) == "not tested"
    found = interpret(Her2Test("lung", mutation=report))
    assert (found.status, found.next_step) == ("equivocal", "test_mutation")


@pytest.mark.parametrize(
    "report",
    [
        "exon 20 insertion", "Y772_A775dup", "A775_G776insYVMA", "p.(Tyr772_Ala775dup)",
        "ERBB2 p.M774_A775insAYVM", "NP_004439.2:p.(Leu755Ser)", "l755s", "HER2 S310F",
        "p.Gly776delinsValCys", "V777L mutation", "p.Ser310Tyr", "activating",
    ],
)  # fmt: skip
def test_activating_mutations_as_laboratories_write_them(report: str) -> None:
    assert mutation_report(report) == "present"
    assert interpret(Her2Test("lung", mutation=report)).status == "positive"


@pytest.mark.parametrize(
    ("report", "words"),
    [
        ("D123E", "not on the list of activating"),
        ("p.774_775insAYVM", "did you mean 'M774_A775insAYVM'"),
        ("present", "does not say whether it is an activating one"),
        ("ERBB2 mutation", "does not say whether"),
        ("EGFR L858R", "not on the list"),
        ("variant of unknown significance", "not on the list"),
    ],
)
def test_what_tells_nothing_is_refused(report: str, words: str) -> None:
    with pytest.raises(DataError, match=words):
        interpret(Her2Test("lung", mutation=report))


def test_every_name_of_the_list_is_read_as_itself() -> None:
    assert len(activating()) > 60
    for name in activating():
        assert protein_change(name) == name
        assert protein_change(f"ERBB2 p.({name})") == name
