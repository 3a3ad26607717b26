"""Counter-based streams: known answers, and independence of everything else."""

from __future__ import annotations

import numpy as np
import pytest

from her2sim.errors import DataError
from her2sim.random import Purpose, normals, philox4x32, uniforms

# TumourProfile answers of the Random123 distribution (Salmon et al. 2011), philox4x32-10.
KNOWN = [
    ([0, 0, 0, 0], (0, 0), "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
    ([0xFFFFFFFF] * 4, (0xFFFFFFFF, 0xFFFFFFFF), "408f276d 41c83b0e a20bc7c6 6d5451fd"),
    (
        [0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344],
        (0xA4093822, 0x299F31D0),
        "d16cfe09 94fdcceb 5001e420 24126ea1",
    ),
]


@pytest.mark.parametrize(("counter", "key", "answer"), KNOWN)
def test_known_answers(counter: list[int], key: tuple[int, int], answer: str) -> None:
    block = philox4x32(np.array(counter, dtype=np.uint32)[:, None], key)[:, 0]
    assert " ".join(f"{word:08x}" for word in block) == answer


def draw(patients, seed=1, replicate=0, purpose=Purpose.ETAS, name="cl") -> np.ndarray:
    return uniforms(seed, replicate, np.asarray(patients), purpose, name)


def test_a_patient_keeps_its_numbers_in_any_company() -> None:
    everyone = draw(np.arange(1, 1001))
    assert draw([77])[0] == everyone[76]
    assert (draw(np.arange(1000, 0, -1)) == everyone[::-1]).all()


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 2},
        {"seed": 1 + 2**40},
        {"replicate": 1},
        {"purpose": Purpose.COVARIATES},
        {"name": "vc"},
    ],
)
def test_every_part_of_the_key_matters(change: dict) -> None:
    a, b = draw(np.arange(5000)), draw(np.arange(5000), **change)
    assert not (a == b).any()
    assert abs(np.corrcoef(a, b)[0, 1]) < 0.06  # 4 standard errors of 5,000 pairs


def test_numbers_are_uniform_and_normal() -> None:
    n = 200_000
    u = draw(np.arange(n))
    assert u.min() > 0
    assert u.max() < 1
    assert np.abs(np.quantile(u, [0.1, 0.5, 0.9]) - [0.1, 0.5, 0.9]).max() < 0.005
    z = normals(1, 0, np.arange(n), Purpose.ETAS, "cl")
    assert np.isfinite(z).all()
    assert (z.mean(), z.std()) == pytest.approx((0, 1), abs=0.01)  # 4 standard errors


@pytest.mark.parametrize("seed", [-1, 2**64])
def test_a_seed_must_fit(seed: int) -> None:
    with pytest.raises(DataError, match="a seed is a whole number"):
        draw([1], seed=seed)
