"""
===================================================
Does the index predict the accuracy of classifiers?
===================================================

Support vector machines, random forests and boosting work well if classes form clusters. So
the smoother the labels are as a function of a layer's values, the better they should work
on that layer. We train them on all layers of a network, at several stages of its training.
"""

# %%
# We divide the digits into three parts: one trains the network, one trains the classifiers,
# and one tests them. The network sees only the first.

import warnings

import matplotlib.pyplot as plt
import numpy as np
import torch
from scipy.stats import spearmanr
from sklearn.datasets import load_digits
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from torch import nn

from sksmooth import BesovSmoothnessEstimator, LayerFeatureTransformer
from sksmooth.exceptions import SmoothnessWarning

# With so few samples the rates change within the window; ignore the warnings about it.
warnings.simplefilter("ignore", SmoothnessWarning)

torch.set_num_threads(1)  # the network is too small for more
X, y = load_digits(return_X_y=True)
X = (X / 16).astype("float32")
X_network, X_rest, y_network, y_rest = train_test_split(
    X, y, test_size=0.7, stratify=y, random_state=0
)
X_train, X_test, y_train, y_test = train_test_split(
    X_rest, y_rest, test_size=0.5, stratify=y_rest, random_state=0
)
torch.manual_seed(0)
network = nn.Sequential(
    *(nn.Linear(64, 100), nn.ReLU(), nn.Linear(100, 50), nn.ReLU()),
    *(nn.Linear(50, 25), nn.ReLU(), nn.Linear(25, 10)),
)
optimizer = torch.optim.Adam(network.parameters(), lr=2e-3)
inputs, targets = torch.tensor(X_network), torch.tensor(y_network)


def train(n_epochs):
    for _ in range(n_epochs):
        for rows in torch.randperm(len(targets)).split(32):
            loss = nn.functional.cross_entropy(network(inputs[rows]), targets[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()


# %%
# For each representation we measure its index on the training samples, its held-out score
# on the test samples, and the test accuracy of each classifier.

classifiers = {
    "SVM": make_pipeline(StandardScaler(), SVC()),
    "random forest": RandomForestClassifier(100, random_state=0),
    "boosting": GradientBoostingClassifier(
        n_estimators=15, max_features="sqrt", random_state=0
    ),
}


def measure(layer):
    reader = LayerFeatureTransformer(network, layer).fit(X_train)
    values, values_test = reader.transform(X_train), reader.transform(X_test)
    estimator = BesovSmoothnessEstimator(random_state=0).fit(values, y_train)
    accuracies = [
        classifier.fit(values, y_train).score(values_test, y_test)
        for classifier in classifiers.values()
    ]
    return [estimator.alpha_, estimator.score(values_test, y_test), *accuracies]


rows, epochs = [("input", 0, *measure("input"))], 0
for until in (0, 1, 3, 10, 40):
    train(until - epochs)
    epochs = until
    rows += [(layer, until, *measure(layer)) for layer in ("1", "3", "5", "6")]
    for layer, epoch, *values in rows[-4:]:
        print(f"layer {layer} after {epoch:2} epochs:", *(f"{v:.3f}" for v in values))

# %%
# The index and the held-out score rank the representations nearly like the classifiers.
# Boosting agrees best, since it is based on trees like the index. A support vector machine
# does better than predicted on the first layers of an untrained network.

values = np.array([row[2:] for row in rows])
epoch_of = np.array([row[1] for row in rows])
figure, axes = plt.subplots(1, 2, figsize=(9, 4), sharey=True, layout="constrained")
for ax, column, name in zip(axes, (0, 1), ("Index alpha", "Held-out score"), strict=True):
    for i, classifier in enumerate(classifiers):
        rank = spearmanr(values[:, column], values[:, 2 + i]).statistic
        label = f"{classifier}, Spearman {rank:.2f}"
        ax.plot(values[:, column], values[:, 2 + i], "os^"[i], label=label, alpha=0.7)
    ax.set_xlabel(name)
    ax.legend(loc="lower right")
axes[0].set_ylabel("Test accuracy")
figure.suptitle("Layers of a network for the digits, during training")
plt.show()
