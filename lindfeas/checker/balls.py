"""Further linear algebra with matrices of complex balls: every result encloses the exact one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flint import acb_mat, arb, ctx

from lindfeas.checker.bounds import hermitian_radius, is_positive_definite
from lindfeas.checker.format import Rejected, Unsettled
from lindfeas.checker.model import Entries, gaussian
from lindfeas.checker.steady_state import block, dagger, identity


def hermitian(upper: Sequence[Sequence[Any]]) -> acb_mat:
    """A Hermitian matrix from the rows of its upper triangle, as a certificate lists it.

    Raises
    ------
    Rejected
        If the rows do not make up a triangle with a real diagonal.
    """
    size = len(upper)
    if [len(row) for row in upper] != list(range(size, 0, -1)):
        raise Rejected("the rows of an upper triangle have wrong lengths")
    entries: Entries = {}
    for row, values in enumerate(upper):
        for column, value in enumerate(values, start=row):
            real, imaginary = gaussian(value)
            if row == column and imaginary != 0:
                raise Rejected("a Hermitian matrix has a complex diagonal")
            entries[row, column] = (real, imaginary)
            entries[column, row] = (real, -imaginary)
    return block(entries, range(size), range(size))


def submatrix(matrix: acb_mat, rows: Sequence[int], columns: Sequence[int]) -> acb_mat:
    """The entries in ``rows`` and ``columns``."""
    return acb_mat([[matrix[row, column] for column in columns] for row in rows])


def smallest_eigenvalue(matrix: acb_mat) -> arb:
    """An exact number below the smallest eigenvalue of the Hermitian matrix inside the balls.

    Approximate eigenvalues suggest it, `is_positive_definite` proves it.
    """
    values = matrix.mid().eig(algorithm="approx")
    # radii have 30 bits, so that a little more than the radius is needed to prove it once more
    # and a little room where the matrix is exactly zero
    error = 2 * _size(matrix) * arb(2) ** (-ctx.prec // 2) + arb(2) ** -ctx.prec
    margin = (hermitian_radius(matrix) * (1 + arb(2) ** -20) + error).upper()
    bound = (min(value.real.mid() for value in values) - margin).mid()
    if not is_positive_definite(matrix - bound * identity(matrix.nrows())):
        raise Unsettled("the smallest eigenvalue of a matrix")
    return bound


def spectral_norm(matrix: acb_mat) -> arb:
    """An upper bound on the largest absolute eigenvalue of a Hermitian matrix."""
    return max(-smallest_eigenvalue(matrix), -smallest_eigenvalue(-matrix))


def frobenius_norm(matrix: acb_mat) -> arb:
    """The Euclidean norm of all entries."""
    # not x**2, which python-flint does not define for balls around zero
    squares = (x * x for entry in matrix.entries() for x in (entry.real, entry.imag))
    return sum(squares, arb(0)).nonnegative_part().sqrt()


def trace_norm(matrix: acb_mat) -> arb:
    """An upper bound on the sum of absolute eigenvalues of a Hermitian matrix M.

    With approximate eigenvectors V and e = ||V^dagger V - 1||_F < 1, the norm of
    D = V^dagger M V bounds ||M||_1 <= ||V^-1||^2 ||D||_1 <= ||D||_1 / (1 - e), and ||D||_1 is at
    most the sum of its diagonal and sqrt(n) times the Frobenius norm of the rest.
    """
    size = matrix.nrows()
    vectors = _orthonormal(matrix.mid().eig(right=True, algorithm="approx")[1].mid())
    excess = frobenius_norm(dagger(vectors) * vectors - identity(size))
    if not excess < 1:
        raise Unsettled("the trace norm of a matrix")
    rotated = dagger(vectors) * matrix * vectors
    total = arb(0)
    for number in range(size):
        total += abs(rotated[number, number].real)
        rotated[number, number] = 0
    return (total + arb(size).sqrt() * frobenius_norm(rotated)) / (1 - excess)


def _orthonormal(matrix: acb_mat) -> acb_mat:
    """The columns made orthonormal, approximately (Gram and Schmidt, twice)."""
    columns: list[acb_mat] = []
    for number in range(matrix.ncols()):
        column = acb_mat([[matrix[row, number]] for row in range(matrix.nrows())])
        for _ in range(2):
            for other in columns:
                column = (column - other * (dagger(other) * column)[0, 0]).mid()
            column = (column / frobenius_norm(column).mid()).mid()
        columns.append(column)
    return acb_mat([[column[row, 0] for column in columns] for row in range(matrix.nrows())])


def _size(matrix: acb_mat) -> arb:
    """An upper bound on the norm of a Hermitian matrix: the largest sum of a row."""
    rows = [sum((entry.abs_upper() for entry in row), arb(0)).upper() for row in matrix.tolist()]
    return max(rows)
