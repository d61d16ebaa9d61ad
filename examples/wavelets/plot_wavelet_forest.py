"""
======================================
Predict with the largest wavelets only
======================================

A random forest is a sum of wavelets, one per node: the change of the mean of the labels
from the parent to the node. Few of them are large. These hold most of what the forest has
learned, and the many small ones most of the noise in the labels.
:class:`~sksmooth.WaveletForestClassifier` keeps the largest ones; the out-of-bag error
chooses how many (O. Elisha and S. Dekel, JMLR 17, 2016). We flip up to 40 % of the labels
of the digits to see when that helps.
"""

# %%
# One forest gives the predictions for every number of wavelets in turn.

import pickle

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import train_test_split

from sksmooth import WaveletForestClassifier
from sksmooth.datasets import corrupt_labels

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(
    X, y, test_size=1 / 3, stratify=y, random_state=0
)
fractions = (0.0, 0.2, 0.4)
shares = np.geomspace(0.001, 1.0, 40)
forests, rivals, curves = {}, {}, {}
for fraction in fractions:
    labels = corrupt_labels(y_train, fraction, random_state=0)
    forest = WaveletForestClassifier(random_state=0).fit(X_train, labels)
    n_terms = np.rint(shares * forest.wavelets_.n_terms).astype(int)
    stages = forest.staged_predict(X_test, n_terms)
    curves[fraction] = [np.mean(predicted != y_test) for predicted in stages]
    rivals[fraction] = RandomForestClassifier(random_state=0).fit(X_train, labels)
    forests[fraction] = forest

# %%
# The curves on the left are test errors, which are not used to choose M; dots mark the
# choice.

figure, (ax, oob_ax) = plt.subplots(1, 2, figsize=(9.6, 4.2), layout="constrained")
for color, fraction in enumerate(fractions):
    forest = forests[fraction]
    n_all, errors = forest.wavelets_.n_terms, forest.validation_errors_
    style = {"color": f"C{color}", "label": f"{fraction:.0%} wrong labels"}
    ax.semilogx(100 * shares, curves[fraction], **style)
    rival = 1 - rivals[fraction].score(X_test, y_test)
    ax.axhline(rival, color=f"C{color}", linestyle=":", linewidth=1)
    chosen = 100 * forest.n_terms_ / n_all
    ax.plot(chosen, 1 - forest.score(X_test, y_test), "o", color=f"C{color}")
    oob_ax.semilogx(100 * np.arange(1, n_all + 1) / n_all, errors[1:], **style)
    oob_ax.plot(chosen, errors[forest.n_terms_], "o", color=f"C{color}")
ax.set(xlabel="Wavelets kept (%)", ylabel="Test error (clean labels)", ylim=(0, 0.3))
ax.set_title("Digits; dotted: RandomForestClassifier")
oob_ax.set(xlabel="Wavelets kept (%)", ylabel="Out-of-bag error", xlim=(0.1, 110))
oob_ax.set_title("Error that chooses the number")
oob_ax.legend()
plt.show()

# %%
# The best number differs between the forests. With clean labels all wavelets are needed.
# With 40 % wrong labels a tenth of them classifies better than all. With wrong labels, the
# out-of-bag curves have two nearly equal minima, at about a tenth and at all; they are
# curves of squared error, and the deeper minimum need not have the fewest
# misclassifications. So look at the curve: a small model may be worth a slightly larger
# error, and ``n_terms`` also takes a number. Below, we also try a tenth.
#
# The simplest alternative is a random forest with larger leaves, also chosen by the
# out-of-bag score. ``compress()`` drops everything that prediction does not need.


def best_leaf_size(labels):
    tried = [
        RandomForestClassifier(min_samples_leaf=n, oob_score=True, random_state=0)
        for n in (1, 3, 10, 30)
    ]
    fitted = [forest.fit(X_train, labels) for forest in tried]
    return max(fitted, key=lambda forest: forest.oob_score_)


columns = ("chosen", "a tenth", "random", "leaves")
print(f"{'':12s}{'test error':>36s}{'kB':>36s}")
print("wrong labels" + 2 * "".join(f"{column:>9s}" for column in columns))
for fraction, forest in forests.items():
    labels = corrupt_labels(y_train, fraction, random_state=0)
    tenth = forest.wavelets_.n_terms // 10
    small = WaveletForestClassifier(n_terms=tenth, random_state=0).fit(X_train, labels)
    models = [forest.compress(), small.compress(), rivals[fraction], best_leaf_size(labels)]
    cells = [f"{1 - model.score(X_test, y_test):9.3f}" for model in models]
    cells += [f"{len(pickle.dumps(model)) / 1000:9.0f}" for model in models]
    print(f"{fraction:<12.0%}" + "".join(cells))

# %%
# If labels are clean or nearly so, the wavelets classify like a random forest, whose
# average over trees already removes the noise. If many labels are wrong, a tenth of the
# wavelets beats a forest with the same settings at a tenth of its size, but the choice by
# the out-of-bag error may miss this. Neither beats a forest with well-chosen larger leaves.
# But that forest is larger, and takes one fit per leaf size, whereas a single fit gives all
# numbers of wavelets.
