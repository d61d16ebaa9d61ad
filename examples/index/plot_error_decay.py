"""
========================================
Look at the curve, not only at the index
========================================

The index is minus the slope of a line.
:class:`~sksmooth.plotting.ErrorDecayDisplay` draws the curve to which the line was fitted,
which shows when to trust the index. Here we compare the features of two data sets with
their linear discriminants (LDA), which are designed to separate the classes.
"""

# %%
# The discriminants are learned from the samples on which they are measured, so their index
# is optimistic; for a fair choice of features use the held-out ``score``.

import warnings

import matplotlib.pyplot as plt
from sklearn.datasets import load_digits, load_iris
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from sksmooth import BesovSmoothnessEstimator
from sksmooth.plotting import ErrorDecayDisplay

figure, axes = plt.subplots(ncols=2, figsize=(10, 4.2), layout="constrained")
for ax, load in zip(axes, (load_digits, load_iris), strict=True):
    X, y = load(return_X_y=True)
    features = {"raw": X, "LDA": LinearDiscriminantAnalysis().fit_transform(X, y)}
    for name, values in features.items():
        estimator = BesovSmoothnessEstimator(random_state=0)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            estimator.fit(values, y)
        ErrorDecayDisplay.from_estimator(estimator, ax=ax, name=name)
        print(
            f"{load.__name__[5:]}, {name}: alpha {estimator.alpha_:.2f}, explained "
            f"{estimator.explained_:.2f}, window {estimator.fit_range_}",
            *{warning.category.__name__ for warning in caught},
        )
    ax.set_title(load.__name__[5:])
plt.show()

# %%
# On the digits, the discriminants leave less error at any number of terms and explain
# more, yet their index is no larger: it is a rate and says nothing about the level. They
# gain their advantage with the first ten terms, before the shaded window begins; from there
# on their error falls no faster than that of the raw features, and its rate changes
# (``BentDecayWarning``).
#
# On iris there is hardly anything to measure. Trees of 150 samples have so few terms that
# the window holds only a handful of them. The estimator warns about this
# (``FewTermsWarning``), and the index is the rate of the whole way, from no terms to the
# best number of them. ``explained_`` is the number to report.
