"""
=============================
Is one representation better?
=============================

Two scores always differ. :func:`sksmooth.smoothness_difference` compares what forests
explain of held-out samples on both representations, sample by sample, and tests whether the
difference is more than chance. :class:`sksmooth.SmoothnessSearch` does this for many
candidates, and takes the simplest of those that cannot be told apart from the best.
"""

# %%
# We compare six representations of the digits with the pixels.

import matplotlib.pyplot as plt
import numpy as np
from scipy.ndimage import gaussian_filter
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA

from sksmooth import SmoothnessSearch, smoothness_difference

X, y = load_digits(return_X_y=True)
images = X.reshape(-1, 8, 8)
rng = np.random.RandomState(0)
representations = {
    "slightly blurred": gaussian_filter(images, (0, 0.5, 0.5)).reshape(X.shape),
    "ten principal components": PCA(10, random_state=0).fit_transform(X),
    "with ten noise columns": np.hstack([X, rng.uniform(0, 16, size=(len(X), 10))]),
    "noise added": X + rng.normal(scale=4, size=X.shape),
    "means of rows": images.mean(axis=2),
    "two principal components": PCA(2, random_state=0).fit_transform(X),
}
results = {
    name: smoothness_difference(X, Z, y, random_state=0)
    for name, Z in representations.items()
}
for name, result in results.items():
    low, high = result.interval
    print(
        f"{name:26s}{result.difference:7.3f} [{low:6.3f}, {high:6.3f}]  "
        f"p = {result.p_value:.3f}, difference of rates {result.rate_difference:6.3f}, "
        f"p = {result.rate_p_value:.3f}"
    )

# %%
# Intervals that exclude zero show a difference; the others may be chance. At the dotted
# line a representation explains nothing of the labels. The rates answer another question:
# how fast the error falls with the number of terms.

figure, ax = plt.subplots(figsize=(7, 3.4), layout="constrained")
differences = np.array([result.difference for result in results.values()])
ends = np.transpose([result.interval for result in results.values()])
ax.errorbar(differences, list(results), xerr=np.abs(ends - differences), fmt="o", capsize=4)
ax.axvline(0, color="0.6", lw=1)
lowest = -next(iter(results.values())).score_a
ax.axvline(lowest, color="0.6", ls=":", label="as rough as shuffled labels")
ax.invert_yaxis()
ax.set(
    xlabel="held-out score minus that of the pixels",
    title="Digits in other representations",
)
ax.legend()
plt.show()

# %%
# How many principal components? Every candidate is fitted on the samples that the trees
# see, and scored on the others. Two cannot be told apart, and the search takes the simpler
# one.

grid = {"n_components": [2, 4, 6, 8, 10, 12, 15, 20, 30]}
search = SmoothnessSearch(PCA(random_state=0), grid, random_state=0).fit(X, y)
columns = ["param_n_components", "score", "difference_to_best", "p_value", "tied_with_best"]
print(search.to_frame()[columns].round(3).to_string())
print("best", search.best_params_, "simplest", search.simplest_params_)
