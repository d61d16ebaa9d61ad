"""
================
A report to send
================

Often somebody else needs the result, for example the person who labelled the data. A report
is one HTML file that says how smooth the labels are, which warnings apply, and which
samples to check first. It needs no other file, no internet access and no Python.
"""

# %%
# We take the handwritten digits, and give ten of them a wrong label.

import os
import tempfile
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

from sksmooth import (
    BesovSmoothnessEstimator,
    report,
    sample_roughness,
    smoothness_difference,
)
from sksmooth.plotting import ErrorDecayDisplay

X, digits = load_digits(return_X_y=True, as_frame=True)
rng = np.random.RandomState(0)
wrong = np.sort(rng.permutation(len(X))[:10])
labels = digits.to_numpy(copy=True)
labels[wrong] = (labels[wrong] + rng.randint(1, 10, size=10)) % 10

# %%
# In a notebook
# -------------
#
# A fitted estimator is displayed as scikit-learn's diagram, followed by the index, the
# result in words, the shares explained and noise, and the warnings of the fit.

estimator = BesovSmoothnessEstimator(random_state=0)
estimator.fit(X, labels)

# %%
# A comparison is displayed, too: here whole images against their upper halves.

smoothness_difference(X, X.iloc[:, :32], labels, estimator=estimator)

# %%
# As a file
# ---------
#
# ``report`` returns the page as text, and writes it to a file if you pass a path. If you
# pass the samples, it lists the rough classes and samples.

path = Path(tempfile.mkdtemp(), "digits.html")
page = report(estimator, path, X=X, y=labels, title="Handwritten digits")
print(f"{os.path.getsize(path) / 1000:.0f} kB, {page.count('<script')} scripts")

# %%
# The ten rows that the report lists first are those with wrong labels. The picture of the
# report is that of ``ErrorDecayDisplay``.

first = sample_roughness(X, labels, random_state=0).nlargest(10, "excess").index
print("first in the report:", sorted(first))
print("wrong labels:       ", wrong.tolist())

ErrorDecayDisplay.from_estimator(estimator, name="digits")

# %%
# The command line writes the same report:
#
# .. code-block:: sh
#
#    sksmooth report digits.csv --target digit --output digits.html
