"""
======================================
Wavelets as features of a linear model
======================================

A linear model on the leading wavelets of a forest,
:meth:`~sksmooth.BesovSmoothnessEstimator.transform`, is nonlinear in the raw features: each
wavelet is constant on a box and zero elsewhere. They are sorted by their norms, so the
first few already help a lot.
"""

# %%
# Regression: Friedman's function
# -------------------------------
# Of ten columns five matter, through a product, a square and two linear terms. We
# standardise the targets: wavelets have the units of the targets, so this puts them on the
# scale of the other columns, and one penalty suits both.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits, make_friedman1
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV, cross_val_score, train_test_split
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import StandardScaler

from sksmooth import BesovSmoothnessEstimator

X, y = make_friedman1(1500, noise=1.0, random_state=0)
y = (y - y.mean()) / y.std()
X, X_test, y, y_test = train_test_split(X, y, random_state=0)

# %%
# The wavelets are fitted to the same targets as the linear model. On the training samples
# they look better than they are, and so does a small penalty. So search for the penalty
# with the wavelets inside the pipeline: then the wavelets have not seen the fold that they
# are tested on.

wavelets = BesovSmoothnessEstimator(100, max_features="sqrt", random_state=0)
pipelines = {
    "raw features": make_pipeline(StandardScaler(), Ridge()),
    "wavelets": make_pipeline(wavelets, Ridge()),
    "both": make_pipeline(make_union(wavelets, StandardScaler()), Ridge()),
}
grid = {"ridge__alpha": [1, 10, 100]}
for name, pipeline in pipelines.items():
    search = GridSearchCV(pipeline, grid, cv=3).fit(X, y)
    n_columns = search.best_estimator_[-1].n_features_in_
    print(
        f"{name:13s} R2 {search.score(X_test, y_test):.3f} with {n_columns:4d} columns, "
        f"{search.score(X, y):.3f} on the training samples"
    )
forest = RandomForestRegressor(100, random_state=0).fit(X, y)
print(f"a forest      R2 {forest.score(X_test, y_test):.3f}")

# %%
# The linear model on wavelets is better than the one on raw features, and here also better
# than the forest: it can reweight the boxes, whereas the forest averages its trees.

# %%
# How many wavelets
# -----------------
# You need not choose: ``transform`` gives the wavelets of the fit window of the index, at
# most 1000, and the penalty does the rest. They are sorted, so take the first k if you want
# fewer.

features = wavelets.fit(X, y).transform(X)
features_test = wavelets.transform(X_test)
n_columns = [10, 30, 100, 300, features.shape[1]]
scores = []
for k in n_columns:
    model = GridSearchCV(Ridge(), {"alpha": [1, 10, 100]}, cv=3).fit(features[:, :k], y)
    scores.append(model.score(features_test[:, :k], y_test))

figure, ax = plt.subplots(figsize=(6.4, 4), layout="constrained")
ax.semilogx(n_columns, scores, "o-", label="first k wavelets")
linear = pipelines["raw features"].fit(X, y).score(X_test, y_test)
ax.axhline(linear, color="C1", label="ten raw features")
ax.axhline(forest.score(X_test, y_test), color="C2", label="random forest")
ax.set(xlabel="wavelets k", ylabel="$R^2$ on test samples", title="Friedman's function")
ax.legend()
plt.show()

# %%
# Classification: digits
# ----------------------
# A linear model is already good on the pixels of the digits, and better than on wavelets,
# whose boxes depend on a few pixels each.

X, y = load_digits(return_X_y=True)
wavelets = BesovSmoothnessEstimator(30, max_features="sqrt", random_state=0)
logistic = LogisticRegression(max_iter=300)
candidates = {
    "pixels": make_pipeline(StandardScaler(), logistic),
    "wavelets": make_pipeline(wavelets, logistic),
    "both": make_pipeline(make_union(wavelets, StandardScaler()), logistic),
}
accuracies = {
    name: cross_val_score(model, X, y, cv=3).mean() for name, model in candidates.items()
}
for name, accuracy in accuracies.items():
    print(f"{name:8s} accuracy {accuracy:.3f}")

# %%
# Both together are better than either. What are these columns? Each belongs to the box of a
# node and has a name, so you can inspect it. For every digit, here is the first wavelet in
# whose box this digit is the most frequent, and the mean image of the box. The trees of a
# forest find the same boxes again and again, so a few columns of many trees are not enough.

features = wavelets.fit_transform(X, y).tocsc()
boxes = [features[:, [k]].nonzero()[0] for k in range(features.shape[1])]
most_frequent = np.array([np.bincount(y[box]).argmax() for box in boxes])
figure, axes = plt.subplots(2, 5, figsize=(9, 4.2), layout="constrained")
for digit, ax in enumerate(axes.flat):
    k = np.flatnonzero(most_frequent == digit)[0]
    ax.imshow(X[boxes[k]].mean(axis=0).reshape(8, 8), cmap="gray_r")
    ax.set_axis_off()
    share = np.mean(y[boxes[k]] == digit)
    name = wavelets.get_feature_names_out()[k]
    ax.set_title(f"{name}\n{len(boxes[k])} images, {share:.0%} are {digit}", size=8)
plt.show()

# %%
# In summary: if you want a linear model for its speed or its probabilities, but the labels
# are not linear in the features, add wavelets. Choose penalties by cross-validation of the
# whole pipeline, never on wavelets that are already fitted. If samples are few and noisy
# they do not help: on scikit-learn's diabetes data, the ten raw columns are better.
