"""Writes bath_functions_mpmath.csv: principal values of bath functions from mpmath.

Every value is computed twice at 34 digits, with different panels and a different fold around
the pole, and written only if the two agree to 24 digits. Run: python make_bath_functions_mpmath.py
"""

from __future__ import annotations

import csv
import itertools
from collections.abc import Callable, Iterator
from multiprocessing import Pool
from pathlib import Path

from mpmath import mp, mpf

TABLE = Path(__file__).with_name("bath_functions_mpmath.csv")
FIELDS = ("family", "exponent", "cutoff", "beta", "mu", "energy", "absorption", "emission")
DIGITS = 34
AGREEMENT = mpf(10) ** -24
WRITTEN_DIGITS = 20

POWER_LAWS = ("ohmic", "ohmic_exponential")
FURTHER = ("ohmic_quartic",)
EXPONENTS = ("0.5", "1", "2", "3")
CUTOFF = "10"
BATHS = (
    *itertools.product(("0.1", "1", "10", "1000"), ("0", "-0.5")),
    ("inf", "0"),
)
ENERGIES = tuple(sign + size for size in ("1e-10", "1e-3", "1", "7", "1000") for sign in ("", "-"))
# (exponent, beta, mu, energy): nearly critical chemical potentials and very cold baths
EXTREMES = (
    ("1", "10000", "0", "1e-13"),
    ("1", "10000", "0", "-1e-13"),
    ("1", "10000", "0", "1e-4"),
    ("1", "10000", "0", "20"),
    ("1", "1", "-1e-6", "1e-6"),
    ("1", "1", "-1e-6", "-1e-7"),
    ("0.1", "1", "0", "1e-3"),
    ("0.1", "1", "0", "-2"),
    ("7", "1", "0", "5"),
    ("7", "1", "0", "1e-10"),
)

Function = Callable[[mpf], mpf]


def density(family: str, exponent: mpf, cutoff: mpf) -> Function:
    """J(w) of unit strength at frequencies w > 0."""
    if family == "ohmic":
        return lambda w: w**exponent * mp.exp(-((w / cutoff) ** 2))
    if family == "ohmic_exponential":
        return lambda w: w**exponent * mp.exp(-w / cutoff)
    if family == "ohmic_quartic":
        return lambda w: w**exponent * mp.exp(-((w / cutoff) ** 4))
    return lambda w: w / (1 + (w / cutoff) ** 2)


def integrands(row: dict[str, str]) -> tuple[Function, Function]:
    """(J n, J (n + 1)) of one row of the table."""
    exponent, cutoff, mu = (mpf(float(row[key])) for key in ("exponent", "cutoff", "mu"))
    spectral = density(row["family"], exponent, cutoff)
    if row["beta"] == "inf":
        return (lambda w: mpf(0)), spectral
    beta = mpf(float(row["beta"]))
    # mp.quad stops at an absolute error, so that J n is brought to a size near 1
    return (
        lambda w: spectral(w) / mp.expm1(beta * (w - mu)) * mp.exp(-beta * mu),
        lambda w: -spectral(w) / mp.expm1(-beta * (w - mu)),
    )


def cuts(row: dict[str, str], low: mpf, high: mpf, factor: int) -> list[mpf]:
    """Panel ends from low to high, geometric above the smallest scale of the row."""
    scales = [mpf(float(row["cutoff"])), abs(mpf(float(row["energy"])))]
    if row["beta"] != "inf":
        scales += [1 / mpf(float(row["beta"]))]
        scales += [-mpf(float(row["mu"]))] if float(row["mu"]) else []
    point, points = min(scales) / factor, [low]
    while point < high and point < 1e6 * max(scales):
        if point > low:
            points.append(point)
        point *= factor
    return [*points, high]


def principal_value(row: dict[str, str], f: Function, factor: int) -> mpf:
    """P int_0^inf f(w)/(w - E) dw; the fold and the panels depend on `factor`."""
    energy = mpf(float(row["energy"]))
    end = mp.inf if row["family"] == "drude_lorentz" else 100 * mpf(float(row["cutoff"]))
    if energy < 0 or energy >= end:
        return integral(row, lambda w: f(w) / (w - energy), cuts(row, mpf(0), end, factor))
    fold = energy / factor
    # 1/u would magnify rounding without a bound below this
    tiny = fold * mpf(10) ** (-DIGITS // 2)
    slope = (f(energy + tiny) - f(energy - tiny)) / tiny
    folded = lambda u: (f(energy + u) - f(energy - u)) / u if u > tiny else slope  # noqa: E731
    below = cuts(row, mpf(0), energy - fold, 2 * factor)
    above = cuts(row, energy + fold, max(end, 2 * energy), factor)
    return (
        mp.quad(folded, mp.linspace(0, fold, factor))
        + integral(row, lambda w: f(w) / (w - energy), below)
        + mp.quad(lambda w: f(w) / (w - energy), above)
    )


def integral(row: dict[str, str], f: Function, panels: list[mpf]) -> mpf:
    """Integral over panels from 0, the first of them in the variable w**s where s < 1."""
    power = max(mpf(1), 1 / mpf(float(row["exponent"])))
    first = mp.quad(lambda v: power * v ** (power - 1) * f(v**power), [0, panels[1] ** (1 / power)])
    return first + mp.quad(f, panels[1:])


def checked(row: dict[str, str], f: Function) -> mpf:
    """The principal value, if two ways to compute it agree."""
    first, second = (principal_value(row, f, factor) for factor in (2, 3))
    if abs(first - second) > AGREEMENT * abs(first):
        raise ArithmeticError(f"{row}: {first} and {second}")
    return first


def rows() -> Iterator[dict[str, str]]:
    """Parameters of the table."""
    families = [*itertools.product(POWER_LAWS, EXPONENTS), ("drude_lorentz", "1")]
    for (family, exponent), (beta, mu), energy in itertools.product(families, BATHS, ENERGIES):
        yield dict(zip(FIELDS, (family, exponent, CUTOFF, beta, mu, energy), strict=False))
    for family, (exponent, beta, mu, energy) in itertools.product(POWER_LAWS, EXTREMES):
        yield dict(zip(FIELDS, (family, exponent, CUTOFF, beta, mu, energy), strict=False))
    for family in FURTHER:
        for exponent, (beta, mu), energy in itertools.product(EXPONENTS[:3], BATHS[::2], ENERGIES):
            yield dict(zip(FIELDS, (family, exponent, CUTOFF, beta, mu, energy), strict=False))
        for exponent, beta, mu, energy in EXTREMES:
            yield dict(zip(FIELDS, (family, exponent, CUTOFF, beta, mu, energy), strict=False))


def filled(row: dict[str, str]) -> dict[str, str]:
    """The row with its principal values."""
    mp.dps = DIGITS
    absorption, emission = (checked(row, f) for f in integrands(row))
    if row["beta"] != "inf":
        absorption *= mp.exp(mpf(float(row["beta"])) * mpf(float(row["mu"])))
    values = (mp.nstr(value, WRITTEN_DIGITS) for value in (absorption, emission))
    return row | dict(zip(FIELDS[-2:], values, strict=True))


def main() -> None:
    with TABLE.open("w", newline="") as file, Pool() as pool:
        writer = csv.DictWriter(file, FIELDS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(pool.imap(filled, rows(), chunksize=4))


if __name__ == "__main__":
    main()
