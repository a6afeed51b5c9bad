"""Forms: what a certificate may be made of.

Lemma: `check` lets a value pass only if it has the form. A form is a pattern (of a whole string), a
range (of an integer), a type, None, a table of exactly these keys, `Many`, `Named`, a tuple of
strings, or a tuple of alternative forms.

Spectral densities are of one of the `FAMILIES`,

    J(w) = strength w^exponent cut(w / cutoff)  for w > 0,  J(w) = 0  for w <= 0,

cut(x) = exp(-x^power), or 1 / (1 + x^2) with exponent 1 where a family has no power, so that
0 <= cut <= 1. A new family exp(-x^power) is one line here, and its name in the published schema.
"""

import re
from typing import Any, NamedTuple

from lindfeas.errors import InputError

VERSION = 2
"""Of the certificates that are written; those of version 1 are read as well."""


class CertificateError(InputError):
    """The certificate cannot be read, or does not have the form of one."""


FAMILIES = {
    "ohmic": (2, "J_l(w) = {strength} w^{exponent} exp(-(w/{cutoff})^2)"),
    "ohmic_exponential": (1, "J_l(w) = {strength} w^{exponent} exp(-w/{cutoff})"),
    "ohmic_quartic": (4, "J_l(w) = {strength} w^{exponent} exp(-(w/{cutoff})^4)"),
    "drude_lorentz": (None, "J_l(w) = {strength} w / (1 + (w/{cutoff})^2)"),
}
"""The power of x in the exponent of the cutoff function, and J in words."""


class Many(NamedTuple):
    """A list of so many things of one form."""

    form: Any
    least: int
    most: int


class Named(NamedTuple):
    """A table of at most so many keys of any name, with values of one form."""

    form: Any
    most: int


def check(value: Any, form: Any, where: str = "") -> None:  # noqa: C901 - a case per kind of form
    """Compare a value with a form.

    Raises
    ------
    CertificateError
        At the first difference; of several alternatives, that of the one which fits furthest.
    """
    match form:
        case re.Pattern():
            fits: Any = type(value) is str and form.fullmatch(value)
            _expect(fits, f"a string of the form {form.pattern}", value, where)
        case Many(inner, least, most):
            fits = type(value) is list and least <= len(value) <= most
            _expect(fits, f"a list of {least} to {most} entries", value, where)
            for number, item in enumerate(value):
                check(item, inner, f"{where}[{number}]")
        case Named(inner, most):
            fits = type(value) is dict and len(value) <= most
            _expect(fits, f"a table of at most {most} keys", value, where)
            check(value, dict.fromkeys(map(str, value), inner), where)
        case dict():
            _expect(type(value) is dict, "a table", value, where)
            for key in form | value:
                place = f"{where}.{str(key)[:60]}".lstrip(".")
                _expect(key in form, "left out: unknown key", value.get(key), place)
                _expect(key in value, "given: missing", None, place)
                check(value[key], form[key], place)
        case (str(), *_) | range():
            fits = type(value) is type(form[0]) and value in form
            names = f"{form[0]} to {form[-1]}" if type(form) is range else ", ".join(form)
            _expect(fits, f"one of {names}", value, where)
        case tuple():
            errors = []
            for inner in form:
                try:
                    return check(value, inner, where)
                except CertificateError as error:
                    errors.append(error.with_traceback(None))
            raise max(errors, key=lambda error: len(re.findall(r"[.\[]", str(error.where))))
        case _:
            wanted = "null" if form is None else "true or false"
            _expect(value is None if form is None else type(value) is form, wanted, value, where)


def _expect(fits: object, wanted: str, value: Any, where: str) -> None:
    if not fits:
        small = type(value) is int and abs(value) < 1e60
        plain = small or isinstance(value, str | float | bool | None)
        shown = repr(value)[:60] if plain else f"a {type(value).__name__}"
        raise CertificateError(f"must be {wanted}, but is {shown}", where or "certificate")


# The form of a certificate about populations at a point.


def text(most: int) -> re.Pattern[str]:
    """Any string of at most so many characters."""
    return re.compile(rf"[\s\S]{{0,{most}}}")


_DIGITS = r"[0-9]{1,400}([.][0-9]{1,1100})?([eE][-+]?[0-9]{1,3})?"
DECIMAL, POSITIVE = re.compile(f"-?{_DIGITS}"), re.compile(f"{_DIGITS}|Infinity")
DECIMALS, PAIR = Many(DECIMAL, 1, 1024), Many(DECIMAL, 2, 2)  # a pair: real and imaginary part
SEVERAL, VECTOR = (DECIMAL, DECIMALS), Many((DECIMAL, PAIR), 1, 4096)
INDEX, CHARGE, NORMS = range(1024), range(-1_000_000, 1_000_001), ("spectral", "frobenius", "trace")
INDICES, DIMENSIONS = Many(INDEX, 1, 1024), Many(range(2, 257), 1, 8)
CHARGES = (None, Many(Many(CHARGE, 2, 256), 1, 8))  # of every state of every site
ENTRIES = Many(Many((INDEX, DECIMAL, PAIR), 3, 3), 0, 65536)  # [row, column, value]
SEAL = {"versions": Named(text(100), 64), "sha256": re.compile("[0-9a-f]{64}")}
CHAIN = {"model": ("xxz_chain",), "sites": range(1, 9), "field": SEVERAL}
CHAIN |= {"coupling": SEVERAL, "anisotropy": SEVERAL}
MATRICES = {"dimensions": DIMENSIONS, "charge": CHARGES, "hamiltonian": ENTRIES}
DENSITY = {"strength": SEVERAL, "cutoff": DECIMAL}
EXPONENTIAL = {"family": tuple(name for name, (k, _) in FAMILIES.items() if k)} | DENSITY
LORENTZIAN = {"family": tuple(name for name, (k, _) in FAMILIES.items() if not k)} | DENSITY
DENSITIES = (EXPONENTIAL | {"exponent": DECIMAL}, LORENTZIAN)
BATH = {"name": re.compile("[A-Za-z0-9_-]{1,200}"), "sites": INDICES, "beta": POSITIVE}
BATH |= {"mu": DECIMAL, "spectral_density": DENSITIES}
SPINS = BATH | {"operator": ("sigma_minus", "sigma_x", "sigma_z")}
REGION = BATH | {"couplings": Many(ENTRIES, 1, 64)}
RANGE = {"rule": ("range",), "min": SEVERAL, "max": SEVERAL}
RATES = ({"rule": ("each",), "value": SEVERAL}, {"rule": ("total",), "value": DECIMAL}, RANGE)
GROUP = {"charge": CHARGE, "basis": Many(text(200), 1, 4096), "factors": Many(VECTOR, 0, 4096)}
EIGENVALUES = Named(DECIMAL, 8)  # per region: below the smallest eigenvalue of A(y)


def problem(target: str, **limit: Any) -> tuple[Any, ...]:
    """The forms of a problem; ``limit`` is that of ``hamiltonian_limit``."""
    ansatz = {"rates": RATES, "lamb_shift": bool, **limit}
    question = {"target": (target,), "norm": NORMS, "tolerance": DECIMAL}
    rest = {"title": text(1000), "ansatz": ansatz, "question": question}
    kinds = ((CHAIN, SPINS), (MATRICES, REGION))
    return tuple({"system": system, "bath": Many(bath, 1, 8), **rest} for system, bath in kinds)


def point(version: int, problem: Any, multiplier: Any, hamiltonian: Any, distance: Any) -> Any:
    """The form of the certificate of a point, from those of its parts.

    A multiplier has one entry per level, by ascending charge and then energy. A candidate has
    Gamma = sum_n w_n w_n^dagger over the operators of each charge.
    """
    lower = {"value": DECIMAL, "multiplier": multiplier, "smallest_eigenvalues": EIGENVALUES}
    candidate = {"hamiltonian": hamiltonian, "kossakowski": Many(GROUP, 0, 4096)}
    upper = {"value": DECIMAL, "candidate": Named(candidate, 8)}
    claims = {"lower_bound": lower, "upper_bound": (None, upper), "trace_distance": distance}
    numbered = {"schema_version": range(version, version + 1), "problem": problem}
    return {**numbered, **claims, **SEAL}


CERTIFICATE = point(VERSION, problem("populations", hamiltonian_limit=None), DECIMALS, None, None)
