"""
====================================
Wrong labels make a data set rougher
====================================

Wrong labels are scattered among correct ones, so a function through all of them is rough.
We corrupt up to 40 % of the labels of the digits and watch the index fall, on the
training samples (``alpha_``) and on held-out samples (``score``).
"""

# %%
# The held-out samples are corrupted by the same fraction as the training samples, as if
# the data had been labelled with these errors. Each fraction is repeated with five
# splits.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from sksmooth import BesovSmoothnessEstimator
from sksmooth.datasets import corrupt_labels

X, y = load_digits(return_X_y=True)
fractions = np.array([0.0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4])
n_splits = 5
alphas, scores = np.empty((2, len(fractions), n_splits))
for i, fraction in enumerate(fractions):
    for split in range(n_splits):
        labels = corrupt_labels(y, fraction, random_state=split)
        X_train, X_test, y_train, y_test = train_test_split(
            X, labels, test_size=1 / 3, stratify=y, random_state=split
        )
        estimator = BesovSmoothnessEstimator(random_state=0).fit(X_train, y_train)
        alphas[i, split] = estimator.alpha_
        scores[i, split] = estimator.score(X_test, y_test)
    print(
        f"{fraction:4.0%} wrong: alpha {alphas[i].mean():.3f}, "
        f"held-out score {scores[i].mean():.3f}"
    )

# %%
# Both fall at every step; even five per cent of wrong labels are visible. At 40 %
# both are close to zero, since further wavelets only fit noise. Comparing labellings in
# this way needs no clean test set. But compare only labellings of the same samples: an
# index alone does not tell how many labels are wrong, because the index of the correct
# labels is not known. ``wrong_labels_`` tells it where the classes are resolved; on the
# digits it is an upper bound, since more samples would still lower the error. See
# :ref:`sphx_glr_auto_examples_index_plot_three_numbers.py`.

figure, ax = plt.subplots(figsize=(6.4, 4.2), layout="constrained")
for values, marker, label in (
    (alphas, "o", r"training samples: $\alpha$"),
    (scores, "s", "held-out samples: score"),
):
    spread = values.std(axis=1)
    ax.errorbar(100 * fractions, values.mean(axis=1), spread, marker=marker, label=label)
ax.axhline(0, color="0.6", linewidth=0.8)
ax.set(xlabel="Wrong labels (%)", ylabel="Smoothness index")
ax.set_title("Digits with wrong labels (mean and deviation of 5 splits)")
ax.legend()
plt.show()
