"""
==============================
When to stop asking for labels
==============================

Labels are expensive. Active learning asks for the labels of the samples that the model is
least certain of, and has to decide when to stop. One proposal is to watch the smoothness of
the labelled samples [1]_. Here we watch three signals while a forest learns the digits, and
see which of them settles when the accuracy does.

.. [1] J. Jukic and J. Snajder, *Smooth Sailing: Improving Active Learning for Pre-trained
   Language Models with Representation Smoothness Analysis*, CLASP Conference on Learning
   with Small Data (2023), who watch the layers of a language model.
"""

# %%
# We need a pool of samples to query, test samples to evaluate the model, and a *reference
# set*: unlabelled samples that are never queried.

import warnings

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import train_test_split

from sksmooth import BesovSmoothnessEstimator
from sksmooth.exceptions import BentDecayWarning, FewTermsWarning

# The index of a few hundred samples is rough, but here only its changes matter.
warnings.simplefilter("ignore", FewTermsWarning)
warnings.simplefilter("ignore", BentDecayWarning)

X, y = load_digits(return_X_y=True)
X, X_test, y, y_test = train_test_split(X, y, test_size=0.3, random_state=0)
X, reference, y, _ = train_test_split(X, y, test_size=0.25, random_state=0)


def index(X, y):
    estimator = BesovSmoothnessEstimator(max_features="sqrt", random_state=0)
    return estimator.fit(X, y).alpha_


# %%
# The model queries the samples whose two best classes are closest, or random ones. The
# first signal is the index of the labelled samples. The second is that of the reference
# set, labelled by the model: its samples are fixed and only their labels change, so it
# settles when the model does. The third is the out-of-bag accuracy.


def ask(by_margin, batch=30):
    rng = np.random.RandomState(0)
    labelled = rng.permutation(len(X))[:batch]
    rounds = []
    while True:
        model = RandomForestClassifier(50, oob_score=True, random_state=0)
        model.fit(X[labelled], y[labelled])
        found = {"labels": len(labelled), "accuracy": model.score(X_test, y_test)}
        if by_margin:
            found["index of the labelled samples"] = index(X[labelled], y[labelled])
            found["index of the reference"] = index(reference, model.predict(reference))
            found["out-of-bag accuracy"] = model.oob_score_
        rounds.append(found)
        rest = np.setdiff1d(np.arange(len(X)), labelled)
        if len(rest) == 0:
            return pd.DataFrame(rounds)
        if by_margin:
            best = np.sort(model.predict_proba(X[rest]), axis=1)
            rest = rest[np.argsort(best[:, -1] - best[:, -2])]
        else:
            rest = rng.permutation(rest)
        labelled = np.append(labelled, rest[:batch])


asked, drawn = ask(by_margin=True), ask(by_margin=False)

# %%
# We stop when the running mean over three rounds has had no new maximum and no new minimum
# for four rounds.


def settled(values, patience=4):
    means = values.rolling(3).mean().to_numpy()
    for latest in range(3, len(means) - patience):
        before, since = means[2:latest], means[latest : latest + patience]
        if since.max() <= before.max() and since.min() >= before.min():
            return latest + patience - 1
    return len(means) - 1


signals = asked.columns[2:]
stops = {name: settled(asked[name]) for name in signals}
print(f"{'signal':30s} labels  accuracy  random labels")
for name, stop in stops.items():
    at_stop, at_random = asked.loc[stop], drawn.loc[stop]
    print(
        f"{name:30s}{at_stop['labels']:7.0f}{at_stop['accuracy']:10.3f}"
        f"{at_random['accuracy']:13.3f}"
    )
print(f"{'all':30s}{len(X):7d}{asked['accuracy'].iloc[-1]:10.3f}")

# %%
# Only the index of the reference set settles when the accuracy does. That of the labelled
# samples keeps rising, as does the out-of-bag accuracy: the first queries are the hard
# samples, near the class boundaries, and the easy ones come last. Moreover, any index rises
# with the number of samples.

figure, axes = plt.subplots(ncols=2, figsize=(10, 4), layout="constrained")
axes[0].plot(asked["labels"], asked["accuracy"], label="least certain samples")
axes[0].plot(drawn["labels"], drawn["accuracy"], label="random samples")
stop = stops["index of the reference"]
axes[0].axvline(asked["labels"][stop], color="0.6", label="the reference set has settled")
axes[0].set(xlabel="labels queried", ylabel="test accuracy", ylim=(0.85, 1))
axes[0].legend()
for name in signals:
    axes[1].plot(asked["labels"], asked[name] / asked[name].iloc[-1], label=name)
    axes[1].plot(asked["labels"][stops[name]], 1, "k|", markersize=14)
axes[1].set(xlabel="labels queried", title="Signals, and where they settle (bars)")
axes[1].set_ylabel("relative to the value with all labels")
axes[1].legend()
plt.show()

# %%
# This is an indication, not a guarantee. Over six data sets
# (``benchmarks/results/active_learning.json``) the rule does about as well as stopping at
# half of the pool, which nobody can know in advance to be right. Keep a few random labels
# aside if you need to know the accuracy.
