"""Numbers and matrices as users give them, checked."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import scipy.sparse as sp

from lindfeas.errors import InputError, quoted


def finite_number(value: Any, where: str) -> float:
    """A user's number as a finite float."""
    number = real_number(value, where)
    if not math.isfinite(number):
        raise InputError(f"must be finite, but is {quoted(value)}", where)
    return number


def real_number(value: Any, where: str) -> float:
    """A user's number as a float; infinite beyond the doubles, or NaN, if that is what it is."""
    if isinstance(value, bool) or not isinstance(value, int | float | np.floating | np.integer):
        raise InputError(f"must be a number, but is {quoted(value)}", where)
    return as_float(value)


def as_float(value: Any) -> float:
    """A number as a float, infinite beyond the doubles."""
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def square_matrix(value: Any, where: str) -> sp.csr_array:
    """A user's matrix (numpy, scipy sparse, QuTiP Qobj, nested lists) as a finite sparse array.

    Raises
    ------
    InputError
        If it is no square matrix of finite numbers.
    """
    if hasattr(value, "data_as"):
        value = value.data_as("csr_matrix") if "CSR" in str(value.dtype) else value.full()
    try:
        # scipy takes a tuple for a shape, or for entries with their places
        matrix = value if sp.issparse(value) else np.asarray(value)
    except (TypeError, ValueError):
        raise InputError(f"must be a matrix, but is {quoted(value)}", where) from None
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise InputError(f"must be a square matrix, but has shape {matrix.shape}", where)
    if matrix.dtype.kind not in "biufc":
        raise InputError(f"must hold numbers, but holds {matrix.dtype}", where)
    with np.errstate(over="ignore"):  # long doubles beyond the doubles are infinite below
        matrix = sp.csr_array(matrix).astype(complex if matrix.dtype.kind == "c" else float)
    if not np.isfinite(matrix.data).all():
        raise InputError("must be finite, but holds NaN or infinity", where)
    if matrix.dtype.kind == "c" and not matrix.data.imag.any():
        matrix = matrix.real
    return matrix
