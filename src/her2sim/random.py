"""Counter-based random numbers: the same patient whatever the cohort, chunk, thread or arm.

Philox4x32-10 (Salmon et al. 2011, doi 10.1145/2063384.2063405), vectorised over patients. The
key is the seed; the counter holds patient number, replicate, purpose and the name of the drawn
quantity. So a draw depends on nothing else: another cohort size, an added covariate or a longer
run moves no other number.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from her2sim.errors import DataError

_MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
_WEYL = (0x9E3779B9, 0xBB67AE85)
_LOW = 0xFFFFFFFF
_SHIFT = 32
_ROUNDS = 10
_FEW = 16
"""Up to so many counters, plain integers are faster than arrays, and the same."""


class Purpose(IntEnum):
    """What a stream is for; streams of different purposes never touch."""

    COVARIATES = 1
    ETAS = 2
    RESIDUALS = 3
    VISITS = 4
    HAZARDS = 5
    DROPOUT = 6
    BIOLOGY = 7
    ENSEMBLE = 8
    POSTERIOR = 9


def philox4x32(counter: NDArray[np.uint32], key: tuple[int, int]) -> NDArray[np.uint32]:
    """Return the Philox4x32-10 block of each counter.

    Parameters
    ----------
    counter : array of uint32, shape (4, n)
    key : two 32-bit integers

    Returns
    -------
    array of uint32, shape (4, n)
    """
    if counter.shape[1] <= _FEW:
        blocks = [_rounds(one, key) for one in zip(*counter.tolist(), strict=True)]
        return np.array(blocks, dtype=np.uint32).reshape(-1, 4).T
    return np.stack(_rounds(counter.astype(np.uint64), key)).astype(np.uint32)


def _rounds(counter: Iterable[Any], key: tuple[int, int]) -> tuple[Any, ...]:
    """Ten rounds on words of 32 bits: arrays of 64-bit integers, or plain integers."""
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for _ in range(_ROUNDS):
        product0, product1 = c0 * _MULTIPLIERS[0], c2 * _MULTIPLIERS[1]
        c0, c1, c2, c3 = (
            (product1 >> _SHIFT) ^ c1 ^ k0,
            product1 & _LOW,
            (product0 >> _SHIFT) ^ c3 ^ k1,
            product0 & _LOW,
        )
        k0, k1 = (k0 + _WEYL[0]) & _LOW, (k1 + _WEYL[1]) & _LOW
    return c0, c1, c2, c3


def check_seed(seed: int) -> int:
    """Return the seed, or refuse one that does not fit 64 bits."""
    if not 0 <= seed < 2**64:
        raise DataError(f"seed {seed}: a seed is a whole number from 0 to 2^64 - 1")
    return seed


Named = str | NDArray[np.uint32]
"""Name of a drawn quantity, or the code of one for each patient (:func:`codes_by`)."""


def codes_by(name_of: Callable[[float], str], values: NDArray[np.float64]) -> NDArray[np.uint32]:
    """Codes of names that follow from a number of each patient, as the day of a visit."""
    unique, place = np.unique(values, return_inverse=True)
    codes = [zlib.crc32(name_of(float(value)).encode()) for value in unique]
    return np.array(codes, dtype=np.uint32)[place]


def uniforms(
    seed: int, replicate: int, patients: NDArray[np.int64], purpose: Purpose, name: Named
) -> NDArray[np.float64]:
    """Return one uniform number in (0, 1) for each patient number; shape (n,)."""
    check_seed(seed)
    numbers = np.asarray(patients, dtype=np.int64)
    counter = np.empty((4, numbers.size), dtype=np.uint32)
    counter[0] = numbers
    counter[1] = replicate
    counter[2] = int(purpose)
    counter[3] = zlib.crc32(name.encode()) if isinstance(name, str) else name
    block = philox4x32(counter, (seed & 0xFFFFFFFF, seed >> 32)).astype(np.uint64)
    bits52 = (block[0] << np.uint64(20)) ^ (block[1] >> np.uint64(12))
    drawn: NDArray[np.float64] = (bits52.astype(np.float64) + 0.5) * 2.0**-52
    return drawn


def normals(
    seed: int, replicate: int, patients: NDArray[np.int64], purpose: Purpose, name: Named
) -> NDArray[np.float64]:
    """Return one standard normal number for each patient number, by inverse distribution."""
    drawn: NDArray[np.float64] = ndtri(uniforms(seed, replicate, patients, purpose, name))
    return drawn


@dataclass(frozen=True, eq=False)
class Stream:
    """Random numbers of some patients for one purpose; quantities are drawn by name.

    ``numbers`` are patient numbers, shape (n,). Nobody else spells out a key.
    """

    seed: int
    replicate: int
    numbers: NDArray[np.int64]
    purpose: Purpose

    def of(self, rows: NDArray[np.int64]) -> Stream:
        """The stream of the patients at some positions."""
        return replace(self, numbers=self.numbers[rows])

    def uniform(self, name: Named) -> NDArray[np.float64]:
        """One number in (0, 1) for each patient, shape (n,)."""
        return uniforms(self.seed, self.replicate, self.numbers, self.purpose, name)

    def normal(self, name: Named) -> NDArray[np.float64]:
        """One standard normal number for each patient, shape (n,)."""
        return normals(self.seed, self.replicate, self.numbers, self.purpose, name)
