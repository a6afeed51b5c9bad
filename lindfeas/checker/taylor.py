"""Taylor models: functions of a few parameters, enclosed over a whole cell of them.

Plain balls over a cell are far too wide for a bound that is a small difference of large numbers. A
Taylor model keeps the dependence on the parameters up to some order, so that it cancels where it
should, and pushes only what is of higher order into a ball.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from flint import acb_mat, arb, arb_series

from lindfeas.checker.format import Unsettled
from lindfeas.checker.steady_state import identity

Exponents = tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Taylor:
    """A function f of t in [-1, 1]^n: for every t, f(t) = sum_m c_m t^m + r.

    The c_m, which may depend on t, lie in the balls ``terms``, and r in the ball ``rest``.

    Parameters
    ----------
    order
        Highest degree that products keep.
    terms
        By exponents; the constant is always there. All are arb, all acb or all acb_mat.
    rest
        A ball of the same kind.
    """

    order: int
    terms: Mapping[Exponents, Any]
    rest: Any

    @property
    def constant(self) -> Exponents:
        """The exponents of the constant."""
        return (0,) * len(next(iter(self.terms)))

    def range(self) -> Any:
        """A ball that holds all values."""
        return self._polynomial_range() + self.rest

    def map(self, linear: Callable[[Any], Any]) -> Taylor:
        """The values of a linear function that does not depend on t."""
        terms = {exponents: linear(term) for exponents, term in self.terms.items()}
        return Taylor(order=self.order, terms=terms, rest=linear(self.rest))

    def entry(self, row: int, column: int) -> Taylor:
        """An entry of a matrix."""
        return self.map(lambda matrix: matrix[row, column])

    @property
    def real(self) -> Taylor:
        """The real part of a number."""
        return self.map(lambda value: value.real)

    def widened(self, ball: Any) -> Taylor:
        """With a further error anywhere in ``ball``."""
        return Taylor(order=self.order, terms=self.terms, rest=self.rest + ball)

    def __neg__(self) -> Taylor:
        return self.map(lambda value: -value)

    def __add__(self, other: Taylor) -> Taylor:
        terms = dict(self.terms)
        for exponents, term in other.terms.items():
            terms[exponents] = terms[exponents] + term if exponents in terms else term
        return Taylor(order=self.order, terms=terms, rest=self.rest + other.rest)

    def __sub__(self, other: Taylor) -> Taylor:
        return self + (-other)

    def __mul__(self, other: Taylor) -> Taylor:
        """The product, also of matrices: what exceeds the order goes into the rest."""
        terms: dict[Exponents, Any] = {}
        rest = self.rest * other.range() + self._polynomial_range() * other.rest
        for one, left in self.terms.items():
            beyond = None
            for two, right in other.terms.items():
                exponents = _product(one, two)
                if sum(exponents) <= self.order:
                    product = left * right
                    terms[exponents] = terms[exponents] + product if exponents in terms else product
                else:
                    values = right * _monomial_range(exponents)
                    beyond = values if beyond is None else beyond + values
            if beyond is not None:
                rest = rest + left * beyond
        return Taylor(order=self.order, terms=terms, rest=rest)

    def applied(self, coefficients: Callable[[arb, int], Sequence[arb]]) -> Taylor:
        """function(f) of a real f, by Taylor's theorem around the constant term.

        ``coefficients`` (x, n) encloses the first n Taylor coefficients of the function at every
        point of the ball x.
        """
        order, zero, centre = self.order, self.constant, self.terms[self.constant]
        about = coefficients(centre, order + 1)
        # the remainder's point lies between f(t) and the constant, which a rest may leave out
        beyond = coefficients(self.range().union(centre), order + 2)[order + 1]
        terms = {exponents: term for exponents, term in self.terms.items() if any(exponents)}
        step = Taylor(order=order, terms={zero: arb(0), **terms}, rest=self.rest)
        result = constant(self, about[order])
        for power in range(order - 1, -1, -1):
            result = result * step + constant(self, about[power])
        return result.widened(beyond * math.prod([step.range()] * (order + 1)))

    def _polynomial_range(self) -> Any:
        values = [term * _monomial_range(exponents) for exponents, term in self.terms.items()]
        return sum(values[1:], values[0])


def power_series(
    function: Callable[[arb_series], arb_series],
) -> Callable[[arb, int], Sequence[arb]]:
    """Taylor coefficients of a function that can be applied to power series."""

    def coefficients(centre: arb, count: int) -> Sequence[arb]:
        found = function(arb_series([centre, 1], count))
        if found.prec < count:
            raise Unsettled("a power series, which is too short")
        return [found[power] for power in range(count)]

    return coefficients


def constant(like: Taylor, value: Any) -> Taylor:
    """The constant ``value`` as a function of the same parameters."""
    return Taylor(order=like.order, terms={like.constant: value}, rest=value * 0)


def monomials(variables: int, order: int) -> Iterator[Exponents]:
    """All exponents up to a total degree, by ascending degree."""
    degrees = itertools.product(range(order + 1), repeat=variables)
    yield from sorted((m for m in degrees if sum(m) <= order), key=lambda m: (sum(m), m))


def divisors(exponents: Exponents, of: Mapping[Exponents, Any]) -> Iterator[tuple[Any, Exponents]]:
    """(term, remaining exponents) of every term but the constant that divides the monomial."""
    for own, term in of.items():
        if any(own) and all(a <= b for a, b in zip(own, exponents, strict=True)):
            yield term, tuple(b - a for a, b in zip(own, exponents, strict=True))


def solution(matrix: Taylor, right: Taylor) -> Taylor:
    """X with matrix X = right, and a proof that the matrix is regular for every t.

    The power series of X is only approximate; its residual, solved for once more in balls, says
    how far X is from it.

    Raises
    ------
    Unsettled
        If the matrix could not be shown to be regular.
    """
    try:
        inverse = matrix.terms[matrix.constant].mid().inv().mid()
        terms: dict[Exponents, acb_mat] = {}
        for exponents in monomials(len(matrix.constant), matrix.order):
            total = acb_mat(right.terms.get(exponents, right.rest * 0))
            for term, others in divisors(exponents, matrix.terms):
                if others in terms:
                    total -= term * terms[others]
            if not any(exponents) or not _is_zero(total):
                terms[exponents] = (inverse * total).mid()
        found = Taylor(order=matrix.order, terms=terms, rest=right.rest * 0)
        residual = (right - matrix * found).range()
        return found.widened(matrix.range().solve(residual, algorithm="precond"))
    except ZeroDivisionError:
        raise Unsettled("whether a matrix is regular over a cell") from None


def unit(order: int, variables: int, size: int) -> Taylor:
    """The identity matrix, whatever the parameters."""
    return Taylor(order=order, terms={(0,) * variables: identity(size)}, rest=acb_mat(size, size))


def _is_zero(matrix: acb_mat) -> bool:
    """Whether nothing is lost by leaving out this term of an approximation."""
    return all(entry.contains(0) for entry in matrix.entries())


@cache
def _product(one: Exponents, two: Exponents) -> Exponents:
    """The exponents of the product of two monomials."""
    return tuple(a + b for a, b in zip(one, two, strict=True))


@cache
def _monomial_range(exponents: Exponents) -> Any:
    """All values of t^m."""
    if not any(exponents):
        return 1
    if all(power % 2 == 0 for power in exponents):
        return arb(0.5, 0.5)
    return arb(0, 1)
