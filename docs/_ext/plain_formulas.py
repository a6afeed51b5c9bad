"""Formulas that docstrings write in plain text, for `help`, and their LaTeX, for the pages."""

from __future__ import annotations

import re
from collections.abc import Callable

LATEX = {
    "H_SB = sum_l (S_l B_l^dagger + h.c.)": (
        r"H_{SB} = \sum_l (S_l \otimes B_l^\dagger + \text{h.c.})"
    ),
    "coupling operator S_l has": "coupling operator $S_l$ has",
    "H = sum_l field_l sigma_z^l + sum_l coupling_l (sigma_x sigma_x + sigma_y sigma_y "
    "+ anisotropy_l sigma_z sigma_z)^(l,l+1)": (
        r"H = \sum_l h_l\,\sigma_z^{(l)} + \sum_l g_l\,\big(\sigma_x\sigma_x + \sigma_y\sigma_y"
        r" + \Delta_l\,\sigma_z\sigma_z\big)^{(l,l+1)}"
    ),
    "omega_0 where its data use omega_0/2": r"$\omega_0$ where its data use $\omega_0/2$",
    "gets sigma_minus on each": r"gets $\sigma_-$ on each",
    "Coefficient of sigma_z (energy)": r"$h$: coefficient of $\sigma_z$ (energy)",
    "J(w) = strength * w**exponent * exp(-(w/cutoff)**2)": (
        r"J(\omega) = \gamma\,\omega^s\,e^{-(\omega/\omega_c)^2}"
    ),
    "J(w) = strength * w**exponent * exp(-(w/cutoff)**4)": (
        r"J(\omega) = \gamma\,\omega^s\,e^{-(\omega/\omega_c)^4}"
    ),
    "J(w) = strength * w**exponent * exp(-w/cutoff)": (
        r"J(\omega) = \gamma\,\omega^s\,e^{-\omega/\omega_c}"
    ),
    "J(w) = strength * w / (1 + (w/cutoff)**2)": (
        r"J(\omega) = \gamma\,\omega / (1 + (\omega/\omega_c)^2)"
    ),
    "J(w) = function(w) for 0 < w <= support, otherwise zero. Near zero, J(w) must": (
        r"$J(\omega) = f(\omega)$ for $0 < \omega \le$ ``support``, otherwise zero. "
        r"Near zero, $J(\omega)$ must"
    ),
    "w**exponent times a smooth function of w": r"$\omega^s$ times a smooth function of $\omega$",
    "J(w) / w**exponent as w -> 0+": r"$J(\omega)/\omega^s$ as $\omega \to 0^+$",
    "tr(O_m L'(rho))": r"\operatorname{tr}(O_m L'(\rho))",
    "rates tr Gamma^r of": r"rates $\operatorname{tr}\Gamma^r$ of",
    "sum_r tr Gamma^r = value": r"\sum_r \operatorname{tr}\Gamma^r = t",
    "tr Gamma^r = value": r"\operatorname{tr}\Gamma^r = t_r",
    "min <= tr Gamma^r <= max": r"t_{\min} \le \operatorname{tr}\Gamma^r \le t_{\max}",
    "L'(rho) = sum_r i[rho, H_r] + D_r(rho)": (
        r"L'(\rho) = \sum_r \big(i[\rho, H_r] + D_r(\rho)\big)"
    ),
    "part of L', in units of eps^2": r"part of $L'$, in units of $\epsilon^2$",
    "(sum_r H_r, collapse operators": r"($\sum_r H_r$, collapse operators",
    "|<k|S|a>|^2 J(E)(n(E)+1) downwards and |<a|S|k>|^2 J(E) n(E) upwards": (
        r"$|\langle k|S|a\rangle|^2 J(E)(n(E)+1)$ downwards and "
        r"$|\langle a|S|k\rangle|^2 J(E)\,n(E)$ upwards"
    ),
    "L2[rho0], shape": r"$L_2[\rho_0]$, shape",
    "rho2, shape (d, d), zero diagonal": r"$\rho_2$, shape (d, d), zero diagonal",
    "0 = i[rho2, H_S] + L2(rho0)": r"0 = i[\rho_2, H_S] + L_2(\rho_0)",
    "<a|rho2|g> = -i <a|L2[rho0]|g> / (E_a - E_g)": (
        r"\langle a|\rho_2|g\rangle = -i\,\langle a|L_2[\rho_0]|g\rangle / (E_a - E_g)"
    ),
    "bounds on the optimal defect tau,": r"bounds on the optimal defect $\tau$,",
    "||L'(rho0) - X|| as in the question": r"$\lVert L'(\rho_0) - X\rVert$ as in the question",
    "populations sum_k |<k|L'(rho0)|k>|, with": (
        r"populations $\sum_k |\langle k|L'(\rho_0)|k\rangle|$, with"
    ),
    "norm of L'(rho0) - L2(rho0)": r"norm of $L'(\rho_0) - L_2(\rho_0)$",
    "T = ||p - p'||_1 / 2": r"T = \lVert p - p'\rVert_1 / 2",
    "R = ||rho2' - rho2||_F / ||rho2||_F, off-diagonal": (
        r"$R = \lVert\rho_2' - \rho_2\rVert_F / \lVert\rho_2\rVert_F$, off-diagonal"
    ),
    "tr Gamma of its part": r"$\operatorname{tr}\Gamma$ of its part",
    "||K - sum_r P_r K P_r||_F.": r"$\lVert K - \sum_r P_r K P_r\rVert_F$.",
    "||H - sum_r P_r H||_HS / sqrt(d).": (r"$\lVert H - \sum_r P_r H\rVert_{\rm HS} / \sqrt d$."),
    "sqrt(||K - sum_q Pi_q K Pi_q||_F^2 + ||H - Pi_0 H||_HS^2 / d);": (
        r"$\sqrt{\lVert K - \sum_q \Pi_q K \Pi_q\rVert_F^2 + "
        r"\lVert H - \Pi_0 H\rVert_{\rm HS}^2 / d}$;"
    ),
}
"""Plain text: LaTeX; with dollar signs where words stand beside the formula."""

SYMBOLS = {
    "H_S": "H_S",
    "S_l": "S_l",
    "H_r": "H_r",
    "O_m": "O_m",
    "d x d": r"d \times d",
    "d_r x d_r": r"d_r \times d_r",
}
"""Symbols that stand alone in a sentence; not where they are part of a shape or a literal."""

_ROLE = re.compile(r"\$([^$]+)\$")
_SYMBOL = re.compile(
    rf"(?<!\w)(?:{'|'.join(map(re.escape, sorted(SYMBOLS, key=len, reverse=True)))})(?!\w)"
)
_VERBATIM = re.compile(r"(:\w+:`[^`]*`|``.*?``|`[^`]*`)")


def _roles(latex: str) -> str:
    """reStructuredText of a value of `LATEX`."""
    text = latex if "$" in latex else f"${latex}$"
    return _ROLE.sub(r":math:`\1`", text)


def pattern(plain: str) -> re.Pattern[str]:
    """``plain`` as it may stand in a docstring: any white space between its words."""
    return re.compile(r"\s+".join(map(re.escape, plain.split())))


_REPLACED: list[tuple[re.Pattern[str], Callable[[re.Match[str]], str]]] = [
    (pattern(plain), lambda _, latex=latex: _roles(latex)) for plain, latex in LATEX.items()
]


def rendered(text: str) -> str:
    """The docstring with every known formula and symbol as a ``:math:`` role.

    Sessions of Python, from ``>>>`` to an empty line, stay as they are.
    """
    blocks = re.split(r"(^ *>>>.*?(?:\n *\n|\Z))", text, flags=re.M | re.S)
    return "".join(block if number % 2 else _prose(block) for number, block in enumerate(blocks))


def _prose(text: str) -> str:
    for found, replacement in _REPLACED:
        text = found.sub(replacement, text)
    parts = _VERBATIM.split(text)
    return "".join(part if number % 2 else _symbols(part) for number, part in enumerate(parts))


def _symbols(text: str) -> str:
    return _SYMBOL.sub(lambda found: f":math:`{SYMBOLS[found[0]]}`\\", text)
