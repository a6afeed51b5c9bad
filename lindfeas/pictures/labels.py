"""The field's symbols and units for the keys of a problem file, as matplotlib's mathtext."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from lindfeas.files.quantities import quantity
from lindfeas.pictures.intervals import TRACE_DISTANCE

_UNITS = {"dimensionless": "", "epsilon^2": r"$\epsilon^2$", "energy^(1 - exponent)": ""}
"""Units as a picture writes them, if differently than `lindfeas.files.quantities`."""

_SIDES = {"left": "L", "right": "R", "middle": "M"}

_DEFECTS = {
    "populations": r"$\tau_\mathrm{pop}$",
    "populations+coherences": r"$\tau_\mathrm{pop{,}coh}$",
}


def plain(text: str) -> str:
    """``text`` so that matplotlib shows it as it is, dollar signs included.

    Characters that cannot be shown, and that no SVG file may hold, are replaced.
    """
    instead = "\N{REPLACEMENT CHARACTER}"
    shown = "".join(c if c.isprintable() or c in "\n\t" else instead for c in text)
    return shown.replace("$", r"\$")


def axis_label(key: str) -> str:
    """Name, symbol and unit of a dotted key; the key itself where no symbol is known.

    >>> axis_label("system.coupling")
    'coupling $g$ (energy)'
    """
    known, symbol = quantity(key), _symbol(key)
    unit = _UNITS.get(known.unit, known.unit)
    name = f"{known.name} ${symbol}$" if symbol else plain(key)
    return f"{name} ({unit})" if unit else name


def setting_label(values: Mapping[str, Any]) -> str:
    """Keys with their values, such as ``$\\beta_R = 10$``."""
    return ", ".join(_setting(key, value) for key, value in values.items())


def quantity_label(quantity: str, target: str) -> str:
    """What is drawn, and its unit."""
    if quantity == TRACE_DISTANCE:
        return "trace distance $T$ of steady states"
    symbol = _DEFECTS.get(target, r"$\tau$")
    return rf"smallest defect {symbol} ($\epsilon^2$)"


def target_label(target: str, norm: str, setting: Mapping[str, Any] | None = None) -> str:
    """What had to be reproduced, and what else a panel has fixed."""
    given = {"question.target": target, "question.norm": norm}
    asked = {key: value for key, value in given.items() if value}
    shown = {**asked, **(setting or {}), **asked}
    return setting_label({key: value for key, value in shown.items() if value != ""})


def number(value: float) -> str:
    """A number in mathtext, six digits at most: ``10^{-6}``, ``2.5\\times 10^{-7}``."""
    if math.isinf(value):
        return r"\infty" if value > 0 else r"-\infty"
    mantissa, _, exponent = f"{value:.5e}".partition("e")
    mantissa = mantissa.rstrip("0").rstrip(".")
    if -3 < int(exponent) < 4 or not value:
        return f"{value:.6g}"
    power = f"10^{{{int(exponent)}}}"
    return {"1": power, "-1": f"-{power}"}.get(mantissa, rf"{mantissa}\times {power}")


def _setting(key: str, value: Any) -> str:
    if key == "question.target":
        return plain(str(value).replace("+", " + "))
    if key == "question.norm":
        return f"{plain(str(value))} norm"
    symbol = _symbol(key)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return f"{f'${symbol}$' if symbol else plain(key)} = {plain(_short(str(value)))}"
    return f"${symbol} = {number(value)}$" if symbol else f"{plain(key)} = ${number(value)}$"


def _short(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:37]}..."


def _symbol(key: str) -> str:
    """The key's symbol, with its bath as index; empty where none is known."""
    symbol = quantity(key).symbol
    if not (symbol and key.startswith("bath.")):
        return symbol
    bath = key.split(".")[1]
    index = _SIDES.get(bath) or rf"\text{{{bath}}}"
    # \omega_c has an index already; a second one would be no mathtext
    base, has_index, inner = symbol.partition("_")
    return f"{base}_{{{inner},{index}}}" if has_index else f"{base}_{{{index}}}"
