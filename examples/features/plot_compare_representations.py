"""
==============================
Is one representation better?
==============================

Two indices always differ. :func:`sksmooth.smoothness_difference` measures both
representations on the same subsamples of the same samples, and tests whether the
difference of their indices is larger than chance and the position of the fit window
explain. :func:`sksmooth.permutation_baseline` shows the index of unrelated labels.
"""

# %%
# Six representations of the digits, all compared with the pixels.

import matplotlib.pyplot as plt
import numpy as np
from scipy.ndimage import gaussian_filter
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA

from sksmooth import (
    BesovSmoothnessEstimator,
    permutation_baseline,
    smoothness_difference,
)

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
estimator = BesovSmoothnessEstimator(random_state=0)
results = {
    name: smoothness_difference(X, Z, y, estimator=estimator)
    for name, Z in representations.items()
}
for name, result in results.items():
    low, high = result.interval
    print(
        f"{name:26s}{result.difference:7.3f} [{low:6.3f}, {high:6.3f}]  "
        f"p = {result.p_value:.3f}, out-of-bag score "
        f"{result.estimators[1].oob_score_:.3f}"
    )

# %%
# The pixels with shuffled labels, for comparison.

baseline = permutation_baseline(estimator, X, y, random_state=0)
print(f"index {baseline.alpha:.3f}, shuffled {np.round(baseline.alphas, 3)}")

# %%
# Intervals that exclude zero show a difference; the others may be chance. Blurring, ten
# components and noise columns change little, while noise on the pixels and fewer dimensions
# reduce the smoothness.

figure, ax = plt.subplots(figsize=(7, 3.4), layout="constrained")
differences = np.array([result.difference for result in results.values()])
ends = np.transpose([result.interval for result in results.values()])
ax.errorbar(differences, list(results), xerr=np.abs(ends - differences), fmt="o", capsize=4)
ax.axvline(0, color="0.6", lw=1)
ax.axvline(-baseline.alpha, color="0.6", ls=":", label="as rough as shuffled labels")
ax.invert_yaxis()
ax.set(xlabel="index minus that of the pixels", title="Digits in other representations")
ax.legend()
plt.show()
