"""
======================================
Find the columns that determine labels
======================================

Each wavelet comes from the split of one column, and its norm measures how much that split
changes. ``feature_importances_`` adds up the norms of the leading wavelets by
column. Two things keep noise out of them. Small wavelets, in which trees fit noise, are
omitted. And each norm is measured on samples that its tree has not seen, where a split on
noise is as often wrong as right.
"""

# %%
# A table that misleads impurity
# ------------------------------
# Five binary columns determine the class, with decreasing weights. Fifteen other columns
# are noise: ten Gaussian ones, and five of integers up to 1000, such as identifiers. Noise
# columns have very many thresholds, some of which look good by chance.

import time

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_selection import SelectFromModel
from sklearn.inspection import permutation_importance
from sklearn.model_selection import cross_val_score, train_test_split
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline

from sksmooth import BesovSmoothnessEstimator

rng = np.random.default_rng(0)
n = 1000
binary = rng.integers(0, 2, (n, 5))
log_odds = (binary - 0.5) @ [2.4, 2.0, 1.6, 1.2, 0.8]
y = (rng.random(n) < 1 / (1 + np.exp(-log_odds))).astype(int)
noise = [rng.standard_normal((n, 10)), rng.integers(0, 1000, (n, 5))]
names = [f"binary{k}" for k in range(5)]
names += [f"gauss{k}" for k in range(10)] + [f"id{k}" for k in range(5)]
X = pd.DataFrame(np.column_stack([binary, *noise]), columns=names)
is_relevant = np.arange(20) < 5

# %%
# We compare three importances on the same table: impurity in a random forest, permutation
# of columns on held-out rows, and wavelets.

importances, seconds = {}, {}
start = time.perf_counter()
forest = RandomForestClassifier(100, random_state=0).fit(X, y)
importances["impurity"] = forest.feature_importances_
seconds["impurity"] = time.perf_counter() - start

start = time.perf_counter()
X_fit, X_rest, y_fit, y_rest = train_test_split(X, y, random_state=0)
forest = RandomForestClassifier(100, random_state=0).fit(X_fit, y_fit)
found = permutation_importance(forest, X_rest, y_rest, n_repeats=5, random_state=0)
importances["permutation"] = found.importances_mean
seconds["permutation"] = time.perf_counter() - start

start = time.perf_counter()
estimator = BesovSmoothnessEstimator(100, random_state=0).fit(X, y)
importances["wavelets"] = estimator.feature_importances_
seconds["wavelets"] = time.perf_counter() - start

figure, axes = plt.subplots(ncols=3, figsize=(10, 4.4), sharey=True, layout="constrained")
for ax, (name, values) in zip(axes, importances.items(), strict=True):
    positive = np.maximum(values, 0)
    share = positive[~is_relevant].sum() / positive.sum()
    print(f"{name:12s} {share:4.0%} of the importance on noise, {seconds[name]:.2f} s")
    ax.barh(names, values / positive.sum(), color=np.where(is_relevant, "C0", "C1"))
    ax.set(title=f"{name}: {share:.0%} on noise", xlabel="importance")
axes[0].invert_yaxis()
plt.show()

# %%
# Impurity gives most of the importance to irrelevant columns; permutation and wavelets do
# not. Permutation has to hold out rows and predict them again and again; wavelets need one
# more sum over each tree.

# %%
# The effect of thresholding
# --------------------------
# Fitted norms are positive even in noise columns. The fewer wavelets are kept, the smaller
# the share of noise. ``wavelets_`` holds everything that this curve needs.

wavelets = estimator.wavelets_
feature, norm = wavelets.feature[wavelets.order], wavelets.norm[wavelets.order]
on_noise = np.cumsum(norm * ~is_relevant[feature]) / np.cumsum(norm)
terms = np.arange(1, len(norm) + 1) / wavelets.n_trees
held_out = estimator.feature_importances_[~is_relevant].sum()

figure, ax = plt.subplots(figsize=(6.4, 4), layout="constrained")
ax.semilogx(terms, on_noise, label="fitted norms of the largest M")
ax.axvline(estimator.fit_range_[1], color="0.6", label="end of the fit window")
ax.plot(estimator.fit_range_[1], held_out, "o", label="held-out norms")
ax.set(xlabel="wavelets M per tree", ylabel="share of importance on noise", ylim=(0, 1))
ax.set_title("Small wavelets are noise")
ax.legend()
plt.show()

# %%
# Select columns in a pipeline
# ----------------------------
# Nearest neighbours suffer from every noise column. ``SelectFromModel`` keeps the columns
# above the mean importance, computed in each fold on its training samples.

selector = SelectFromModel(BesovSmoothnessEstimator(100, random_state=0))
selector.set_output(transform="pandas")
neighbours = KNeighborsClassifier(15)
candidates = {
    "all columns": (neighbours, X),
    "selected columns": (make_pipeline(selector, neighbours), X),
    "relevant columns": (neighbours, X[names[:5]]),
}
for name, (model, table) in candidates.items():
    print(f"{name:17s} accuracy {cross_val_score(model, table, y, cv=5).mean():.3f}")
print("Selected from all rows:", *selector.fit(X, y).get_feature_names_out())

# %%
# Where it fails
# --------------
# Redundant columns share the importance, as in every measure based on splits: beside ten
# noisy copies, the most important column gets none, and each copy a little. Permutation
# fails here, too: whichever column is permuted, the others replace it. Group strongly
# correlated columns, and add up their importances.

X_copies = np.hstack([X, binary[:, [0]] + 0.1 * rng.standard_normal((n, 10))])
shared = estimator.fit(X_copies, y).feature_importances_
print(
    f"binary0 without copies {importances['wavelets'][0]:.3f}, beside them {shared[0]:.3f}"
)
print(f"binary0 and its copies {shared[0] + shared[20:].sum():.3f}")
