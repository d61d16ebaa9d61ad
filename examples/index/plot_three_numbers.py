"""
======================================
How much, how noisy, and how complex
======================================

One number cannot say whether labels are noisy or complex: both make an index fall. Three
numbers can. We add noise to two simple functions, up to 40 %, and read how much of the
targets is explained, how much is noise, and how fast the error falls beyond the noise.
"""

# %%
# Four clusters with wrong labels, and a smooth function of two variables with noise. The
# share of noise is one of the labels, or of the variance of the numbers.

import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import make_blobs

from sksmooth import BesovSmoothnessEstimator
from sksmooth.datasets import corrupt_labels
from sksmooth.exceptions import SmoothnessWarning
from sksmooth.plotting import ErrorDecayDisplay

# Noise bends the curve, which is what we look at; ignore the warnings about it.
warnings.simplefilter("ignore", SmoothnessWarning)

rng = np.random.RandomState(0)
X_blobs, labels = make_blobs(2000, n_features=4, centers=4, cluster_std=0.6, random_state=0)
X_waves = rng.uniform(size=(4000, 3))
waves = np.sin(4 * X_waves[:, 0]) + np.cos(3 * X_waves[:, 1])
noise = rng.standard_normal(len(waves)) * waves.std()


def with_noise(name, share):
    """Features, and targets of which a share is noise."""
    if name == "clusters":
        return X_blobs, corrupt_labels(labels, share, random_state=0)
    return X_waves, waves + np.sqrt(share / (1 - share)) * noise


shares = np.array([0.0, 0.02, 0.05, 0.1, 0.2, 0.4])
fits = {
    name: [
        BesovSmoothnessEstimator(random_state=0).fit(*with_noise(name, share))
        for share in shares
    ]
    for name in ("clusters", "waves")
}
for name, estimators in fits.items():
    print(f"{name}: put in, explained, found, signal alpha, alpha, terms for 90 %")
    for share, fit in zip(shares, estimators, strict=True):
        found = fit.wrong_labels_ if name == "clusters" else fit.noise_
        print(
            f"{share:6.0%}{fit.explained_:6.2f} {'<' if fit.noise_is_bound_ else ' '}"
            f"{found:5.3f}{fit.signal_alpha_:6.2f}{fit.alpha_:6.2f}{fit.n_terms_for(0.9):4}"
        )

# %%
# What is explained falls as noise is added, and ``alpha_`` with it. The noise that is found
# is the noise that was put in. An upper bound is marked with ``<``: there the error still
# falls. Where the noise is told, the rest of the answer stays: the clusters are a handful
# of boxes, whose rate is infinite, and the waves a smooth function of two variables, whose
# rate is 1/2. With 40 % of noise little of the curve is left above the floor, and the rate
# of the waves is rough.

figure, axes = plt.subplots(ncols=2, figsize=(9.6, 3.8), layout="constrained")
for name, marker in (("clusters", "o"), ("waves", "s")):
    found = [f.wrong_labels_ if name == "clusters" else f.noise_ for f in fits[name]]
    alphas = [f.alpha_ for f in fits[name]]
    axes[0].plot(100 * shares, 100 * np.array(found), marker + "-", label=name)
    axes[1].plot(100 * shares, alphas, marker + "-", label=f"{name}: alpha_")
signals = [f.signal_alpha_ for f in fits["waves"]]
axes[1].plot(100 * shares, signals, "s--", color="C1", label="waves: signal_alpha_")
axes[0].axline((0, 0), slope=1, color="0.7", zorder=0)
axes[0].set(xlabel="Noise put in (%)", ylabel="Noise found (%)")
axes[1].set(xlabel="Noise put in (%)", ylabel="Rate", ylim=(0, None))
for ax in axes:
    ax.legend()
plt.show()

# %%
# In words, and as a curve: the error falls to the noise floor and stays there.

print(fits["waves"][4])
display = ErrorDecayDisplay.from_estimator(fits["waves"][4], name="waves, 20 % noise")
display.ax_.legend()
display.ax_.set_title("A smooth function with noise")
plt.show()
