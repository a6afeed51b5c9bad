"""Products of sites: operators on some of them, partial traces, charges."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

CHARGE_TOLERANCE = 1e-13
"""Largest entry, relative to the largest, that may violate a claimed charge by rounding."""


def product_charges(
    charge: Sequence[Sequence[int]] | None, dimensions: Sequence[int]
) -> NDArray[np.int64]:
    """Charge of every product state of sites with local charges ``charge``."""
    total = np.zeros(1, dtype=np.int64)
    for site, dimension in enumerate(dimensions):
        local = np.zeros(dimension, dtype=np.int64) if charge is None else np.array(charge[site])
        total = np.add.outer(total, local).ravel()
    return total


def shifts(
    operator: sp.csr_array, charges: NDArray[np.int64], largest: float | None = None
) -> set[int]:
    """By how much ``operator`` shifts the charge: the set of final minus initial charges.

    Entries below `CHARGE_TOLERANCE` of ``largest``, by default the largest entry, are rounding and
    do not count.
    """
    final, initial = significant(operator, largest)
    return set((charges[final] - charges[initial]).tolist()) or {0}


def significant(
    operator: sp.csr_array, largest: float | None = None, tolerance: float = CHARGE_TOLERANCE
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(final, initial) states of the elements above ``tolerance`` times ``largest``."""
    entries = sp.coo_array(operator)
    size = np.abs(entries.data)
    keep = size > tolerance * (size.max(initial=0.0) if largest is None else largest)
    row, column = entries.coords
    return row[keep], column[keep]


def shifted_part(operator: sp.csr_array, charges: NDArray[np.int64], shift: int) -> sp.csr_array:
    """The entries that shift the charge by ``shift``, all others zero."""
    entries = sp.coo_array(operator)
    row, column = entries.coords
    keep = charges[row] - charges[column] == shift
    part = sp.csr_array((entries.data[keep], (row[keep], column[keep])), shape=operator.shape)
    part.data.flags.writeable = False
    return part


def embed(operator: Any, sites: Sequence[int], dimensions: Sequence[int]) -> sp.csr_array:
    """``operator`` on the tensor factors ``sites``, identity on the others (sparse d x d).

    Parameters
    ----------
    operator
        Matrix on the product space of ``sites``, in the listed order.
    sites
        Distinct site numbers.
    dimensions
        Local dimension of every site of the system.
    """
    dimensions = tuple(dimensions)
    entries = sp.coo_array(operator)
    strides = np.array([math.prod(dimensions[site + 1 :]) for site in range(len(dimensions))])
    region = [dimensions[site] for site in sites]
    inside = _offsets(region, [int(strides[site]) for site in sites])
    rest = [site for site in range(len(dimensions)) if site not in sites]
    outside = _offsets([dimensions[site] for site in rest], [int(strides[site]) for site in rest])
    row, column = entries.coords
    rows = np.add.outer(inside[row], outside).ravel()
    columns = np.add.outer(inside[column], outside).ravel()
    data = np.repeat(entries.data, outside.size)
    size = math.prod(dimensions)
    return sp.csr_array((data, (rows, columns)), shape=(size, size))


def partial_trace(matrix: Any, sites: Sequence[int], dimensions: Sequence[int]) -> NDArray[Any]:
    """Trace of a d x d ``matrix`` over all sites but ``sites``: the d_r x d_r remainder."""
    dense = matrix.toarray() if sp.issparse(matrix) else np.asarray(matrix)
    count = len(dimensions)
    tensor = dense.reshape(tuple(dimensions) * 2)
    kept = list(sites)
    rest = [site for site in range(count) if site not in kept]
    order = kept + rest + [count + site for site in kept] + [count + site for site in rest]
    inside = math.prod(dimensions[site] for site in kept)
    outside = math.prod(dimensions[site] for site in rest)
    shaped = tensor.transpose(order).reshape(inside, outside, inside, outside)
    return np.einsum("aibi->ab", shaped)


def _offsets(dimensions: Sequence[int], strides: Sequence[int]) -> NDArray[np.int64]:
    total = np.zeros(1, dtype=np.int64)
    for dimension, stride in zip(dimensions, strides, strict=True):
        total = np.add.outer(total, stride * np.arange(dimension)).ravel()
    return total
