r"""
1. From a QuTiP model to a proved statement
===========================================

You have a model in QuTiP, and a Lindblad equation that you would like to use for it. This lesson
shows that no such equation can be right: it ends with a theorem whose proof another program has
checked.

You need ``pip install 'lindfeas[qutip,proof,plot]'``.

The model
---------

Three qubits in a row exchange excitations; the first one is in contact with something warm, the
last one with something cold:

.. math::

   H = \sum_l \tfrac{\omega_l}{2}\,\sigma_z^{(l)}
       + g \sum_l \big(\sigma_+^{(l)}\sigma_-^{(l+1)} + \text{h.c.}\big)
"""

import qutip
from matplotlib.figure import Figure

import lindfeas as lf

one, sz, sm = qutip.qeye(2), qutip.sigmaz(), qutip.sigmam()


def on(operator, site):
    """The operator on one of the three qubits."""
    return qutip.tensor(*(operator if place == site else one for place in range(3)))


frequencies, g = (1.0, 1.1, 0.9), 0.1
H = sum(w / 2 * on(sz, site) for site, w in enumerate(frequencies))
for site in range(2):
    hop = on(sm.dag(), site) * on(sm, site + 1)
    H += g * (hop + hop.dag())

# %%
# The baths
# ---------
#
# A bath has a temperature, the sites that it touches, and an operator by which it touches them; its
# spectral density is ohmic unless you say otherwise. The units are yours: ``beta`` is in the
# inverse of the unit in which you wrote ``H``.

baths = [
    lf.Bath(name="warm", sites=(0,), beta=0.5, couplings=(sm,)),
    lf.Bath(name="cold", sites=(2,), beta=5.0, couplings=(sm,)),
]
system = lf.OpenSystem(hamiltonian=H, dimensions=(2, 2, 2), baths=baths).with_found_charge()

# %%
# ``with_found_charge`` looks for a conserved integer charge, here the number of excitations, checks
# it, and uses it: everything then splits into blocks.
#
# The state that must come out
# ----------------------------
#
# To leading order in the coupling to the baths the steady state is known exactly, from the Redfield
# equation. These are its populations, level by level:

reference = lf.redfield_equation(system)
for energy, population in zip(reference.spectrum.energies, reference.populations, strict=True):
    print(f"E = {energy:+.4f}   p = {population:.6f}")

# %%
# The question
# ------------
#
# A Lindblad equation may have any jump operators and any Hamiltonian on the first qubit, and on the
# last one. It must leave the middle one alone, because nothing dissipates there: this is local
# conservation. Does one of all these equations have the populations above?

answer = lf.certify(lf.Question(system=system))
print(answer.verdict)
print(f"defect in [{answer.lower:.8f}, {answer.upper:.8f}]")
print(f"trace distance at least {answer.trace_distance.lower:.5f}")

# %%
# The defect is :math:`\sum_k |\langle k|L'(\rho_0)|k\rangle|`, by how much the best allowed
# equation would move the exact populations; the interval is certified, rounding included. The
# trace distance says it in a unit that you know: the steady state of *every* allowed equation is
# at least so far from the exact one.
#
# A picture of it
# ---------------
#
# The best equation that was found, against the exact state:

best = answer.candidate
figure = Figure(figsize=(5.4, 3.2), layout="constrained")
axes = figure.subplots()
axes.semilogy(
    reference.spectrum.energies, reference.populations, "s", color="#0072b2", label="exact"
)
axes.semilogy(
    reference.spectrum.energies,
    best.populations,
    "o",
    mfc="none",
    ms=9,
    color="#d55e00",
    label="best",
)
axes.set(xlabel="energy", ylabel="population")
axes.legend(frameon=False)
figure

# %%
# The proof
# ---------
#
# Until now you trust a solver and this package's bounds. A *certificate* removes that: it holds the
# problem in exact numbers and a vector, and a small checker rebuilds everything from it in ball
# arithmetic, in which every number is an interval with rigorous ends.

certificate, proof = lf.prove(answer)
print(proof.status)
print("defect >=", proof.lower[:12])

# %%
# The theorem, in full; everything that it speaks of is defined in it:

print(proof.statement)

# %%
# To publish it, write the certificate into a file. Whoever has the file runs ``lindfeas verify`` on
# it, and needs to trust neither you nor a solver.
#
# What next: :doc:`the first ten minutes </_gallery/tutorials/plot_2_first_ten_minutes>` on the
# command line, :doc:`/proofs` for what a proof rests on, :doc:`/theory` for what is asked and why.
