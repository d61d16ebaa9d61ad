"""
===========================================
Keep the largest terms of gradient boosting
===========================================

Gradient boosting is a sum of trees, and each of their splits is a wavelet, too. Passed as
``forest=``, its stages are decomposed one after the other, each on the residual of those
before it. With squared loss and all wavelets the result is the prediction of boosting
itself. Boosting for too long fits the noise, so it is common to stop early. Another way is
to keep only the largest terms of all stages. We compare the two.
"""

# %%
# Five-fold cross-validation chooses the number of terms (``n_terms="cv"``) and, for
# comparison, the number of stages. The training targets are noisy, the test targets are
# not.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import make_friedman1
from sklearn.ensemble import GradientBoostingRegressor, HistGradientBoostingRegressor
from sklearn.metrics import root_mean_squared_error
from sklearn.model_selection import GridSearchCV, train_test_split

from sksmooth import WaveletForestRegressor

X, y = make_friedman1(1500, random_state=0)
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
noise = np.random.default_rng(0).standard_normal(len(y_train))
targets = {"clean": y_train, "noisy": y_train + y_train.std() * noise}
libraries = {
    "GradientBoosting": (GradientBoostingRegressor(random_state=0), "n_estimators"),
    "HistGradientBoosting": (HistGradientBoostingRegressor(random_state=0), "max_iter"),
}
shares = np.geomspace(0.003, 1.0, 30)
stages = [5, 10, 20, 35, 50, 70, 100]

# %%
# ``staged_predict`` predicts with each number of terms. The dotted lines are boosting
# with all stages, the dashed ones with the number chosen by cross-validation.

figure, axes = plt.subplots(1, 2, figsize=(9.6, 4.2), sharey=True, layout="constrained")
for ax, (name, (booster, parameter)) in zip(axes, libraries.items(), strict=True):
    for color, (kind, values) in enumerate(targets.items()):
        kept = WaveletForestRegressor(forest=booster, n_terms="cv").fit(X_train, values)
        n_all = kept.wavelets_.n_terms
        n_terms = np.rint(shares * n_all).astype(int)
        curve = [
            root_mean_squared_error(y_test, predicted)
            for predicted in kept.staged_predict(X_test, n_terms)
        ]
        own = booster.fit(X_train, values)
        fewer = GridSearchCV(booster, {parameter: stages}, cv=5).fit(X_train, values)
        errors = {
            model: root_mean_squared_error(y_test, fitted.predict(X_test))
            for model, fitted in (("all", own), ("fewer", fewer), ("terms", kept))
        }
        print(
            f"{name}, {kind}: all stages {errors['all']:.3f}; "
            f"{fewer.best_params_[parameter]} stages {errors['fewer']:.3f}; "
            f"{kept.n_terms_ / n_all:.0%} of {n_all} terms {errors['terms']:.3f}"
        )
        style = {"color": f"C{color}"}
        ax.semilogx(100 * shares, curve, label=kind, **style)
        ax.plot(100 * kept.n_terms_ / n_all, errors["terms"], "o", **style)
        ax.axhline(errors["all"], linestyle=":", linewidth=1, **style)
        ax.axhline(errors["fewer"], linestyle="--", linewidth=1, **style)
    ax.set(xlabel="Terms kept (%)", title=name)
axes[0].set(ylabel="Test error (RMS)")
axes[0].legend()
plt.show()

# %%
# Keeping the largest terms helps if there is noise and trees have many leaves (31 in
# HistGradientBoosting): it then helps about as much as early stopping. If trees are small
# (8 leaves) and many stages average out the noise, or if there is no noise, nearly all
# terms are needed; cross-validation finds this, but nothing is gained. A few per cent of
# the terms are never enough: each stage adds a tenth of its fit, so a large step of the
# function is spread over many terms. For classes the terms are those of the squared loss on
# one-hot labels, not of the library's own loss, so even with all of them the predictions
# differ slightly from those of the library.
