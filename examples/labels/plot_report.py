"""
================
A report to send
================

Results are often for somebody else to read, for example the person who labelled the data.
A report is one HTML file that says how smooth the labels are, which warnings apply, and
which samples to check first. It needs no other file, no network and no Python.
"""

# %%
# Handwritten digits, ten of them with a wrong label.

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
# A fitted estimator is displayed as scikit-learn's diagram, followed by the index, what was
# found in words, the shares explained and noise, and the warnings of the fit.

estimator = BesovSmoothnessEstimator(random_state=0)
estimator.fit(X, labels)

# %%
# A comparison is displayed, too: here of whole images with their upper halves.

smoothness_difference(X, X.iloc[:, :32], labels, estimator=estimator)

# %%
# As a file
# ---------
#
# ``report`` returns the page as text, and writes it if given a path. With the samples, it
# says at which classes and samples the labels are rough.

path = Path(tempfile.mkdtemp(), "digits.html")
page = report(estimator, path, X=X, y=labels, title="Handwritten digits")
print(f"{os.path.getsize(path) / 1000:.0f} kB, scripts: {page.count('<script')}")

# %%
# The report lists these rows first, and these are the rows with wrong labels: all ten are
# found. The picture of the report is that of ``ErrorDecayDisplay``.

first = sample_roughness(X, labels, random_state=0).nlargest(10, "excess").index
print("first in the report:", sorted(first))
print("wrong labels:       ", wrong.tolist())

ErrorDecayDisplay.from_estimator(estimator, name="digits")

# %%
# The same from the command line:
#
# .. code-block:: sh
#
#    python -m sksmooth report digits.csv --target digit --output digits.html
