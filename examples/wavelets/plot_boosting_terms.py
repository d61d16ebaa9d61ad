"""
===============================
Which terms of boosting to keep
===============================

Gradient boosting adds up trees, and each split of them is a wavelet, too. Given as
``forest=``, its stages are decomposed one after the other, each on the residual of those
before it. With the squared loss and all wavelets this is what boosting predicts itself.
Boosting that goes on for too long learns the noise; it is common to stop it earlier. One
may also keep the largest terms of all stages. We compare the two.
"""

# %%
# Five folds choose the number of terms (``n_terms="cv"``), and the number of stages for
# comparison. The numbers to learn from carry noise, those of the test do not.

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
# ``staged_predict`` goes through the numbers of terms. The dotted lines are boosting with
# all of its stages, the dashed ones with as many as the folds choose.

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
# Keeping the largest terms helps where there is noise and trees have many leaves (31 in
# HistGradientBoosting): there it does about as much as stopping earlier. Where trees are
# small (8 leaves) and the noise is averaged out by many stages, and where there is no
# noise, nearly all terms are needed; the choice finds that as well, but wins nothing. In
# no case can a few per cent of the terms do: each stage adds a tenth of what it finds, so
# that a large step of the function is spread over many terms. For classes the terms are
# those of the squared loss on one-hot labels, not of the library's own loss, so that even
# all of them do not predict quite as the library does.
