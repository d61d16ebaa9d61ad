"""
=============================
Functions of known smoothness
=============================

How accurate is the index? For some functions it is known from approximation theory
(DeVore, Acta Numerica 7, 1998): smooth functions of d variables have ``1 / d``, classes
separated by a smooth surface in d dimensions ``1 / (2 (d - 1))``, a function of one
variable with Hoelder exponent s has ``s``, and noise has 0. We sample some of them and
compare.
"""

# %%
# Each case has 10,000 random points of the unit cube, with the value of the function or
# the class at each point. The third value returned is the true index.

import matplotlib.pyplot as plt

from sksmooth import BesovSmoothnessEstimator
from sksmooth.datasets import make_known_smoothness

cases = [
    *[("smooth", dict(n_relevant=d), f"d = {d}") for d in (1, 2, 3)],
    *[("jump", dict(n_relevant=d), f"d = {d}") for d in (2, 3, 4)],
    *[("weierstrass", dict(exponent=s), f"s = {s}") for s in (0.3, 0.5, 0.7)],
    ("noise", {}, ""),
    ("noise-labels", {}, ""),
]
results = []
for kind, options, detail in cases:
    X, y, true = make_known_smoothness(kind, 10_000, random_state=0, **options)
    estimator = BesovSmoothnessEstimator(random_state=0).fit(X, y)
    low, high = estimator.alpha_interval_
    results.append((kind, detail, true, estimator.alpha_, low, high))
    print(
        f"{kind:12s} {detail:7s} true {true:.2f}, measured {estimator.alpha_:.2f} "
        f"[{low:.2f}, {high:.2f}]"
    )

# %%
# On the diagonal the measurement is exact. The intervals contain the true index in most
# cases: they cover the randomness of the samples and of the trees, and how much the slope
# depends on the position of the fit window, since trees halve cells and the curve
# fluctuates.

figure, ax = plt.subplots(figsize=(5.5, 5.2), layout="constrained")
ax.plot([0, 1.05], [0, 1.05], color="0.7", zorder=0)
for marker, kind in zip("oD^sv", dict.fromkeys(kind for kind, *_ in cases), strict=True):
    rows = [row[2:] for row in results if row[0] == kind]
    true, measured, low, high = map(list, zip(*rows, strict=True))
    below = [m - value for m, value in zip(measured, low, strict=True)]
    above = [value - m for m, value in zip(measured, high, strict=True)]
    ax.errorbar(
        true, measured, (below, above), fmt=marker, alpha=0.8, capsize=4, label=kind
    )
offsets = {"smooth": (10, -4), "jump": (-40, -1), "weierstrass": (8, -13)}
for kind, detail, true, measured, *_ in results[:-2]:  # all but noise
    place = dict(xytext=offsets[kind], textcoords="offset points")
    ax.annotate(detail, (true, measured), **place)
ax.set(xlabel="True index", ylabel=r"Measured index $\alpha$", aspect="equal")
ax.set_title("Measured and true smoothness, 10,000 samples")
ax.legend()
plt.show()
