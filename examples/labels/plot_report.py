"""
================
A report to send
================

What was measured is often for somebody else to read: whoever has labelled the data, say.
A report is one HTML file that says how smooth the labels are, what to read with care, and
which samples to look at first. It needs no other file, no network and no Python.
"""

# %%
# Wine of three growers, by thirteen chemical measurements. Six bottles got the wrong label.

import os
import tempfile
from pathlib import Path

import numpy as np
from sklearn.datasets import load_wine

from sksmooth import BesovSmoothnessEstimator, sample_roughness, smoothness_difference
from sksmooth.plotting import ErrorDecayDisplay

data = load_wine(as_frame=True)
X, growers = data.data, np.array(["first", "second", "third"])[data.target]
labels = growers.copy()
wrong = np.random.RandomState(0).permutation(len(labels))[:6]
labels[wrong] = [
    {"first": "second", "second": "third", "third": "first"}[label]
    for label in labels[wrong]
]

# %%
# In a notebook
# -------------
#
# A fitted estimator shows the diagram of scikit-learn, and below it the index, its interval
# and the warnings of the fit in words.

estimator = BesovSmoothnessEstimator(random_state=0)
estimator.fit(X, labels)

# %%
# So does a comparison: here of all columns with those of colour and of proline alone.

few = X[["color_intensity", "hue", "proline"]]
smoothness_difference(X, few, labels, estimator=BesovSmoothnessEstimator(random_state=0))

# %%
# As a file
# ---------
#
# ``to_html`` gives the report as text, and writes it if it is given a path. With the
# samples, it says at which classes and at which samples the labels are rough.

path = Path(tempfile.mkdtemp(), "wine.html")
page = estimator.to_html(path, X=X, y=labels, title="Wine of three growers")
print(f"{os.path.getsize(path) / 1000:.0f} kB, scripts: {page.count('<script')}")

# %%
# These are the rows that it puts first, and those whose labels are wrong: the same ones.
# The picture of the report is that of ``ErrorDecayDisplay``.

first = sample_roughness(X, labels, random_state=0).nlargest(6, "excess").index
print("first in the report:", sorted(first))
print("wrong labels:       ", sorted(wrong.tolist()))

ErrorDecayDisplay.from_estimator(estimator, name="wine")

# %%
# The same from the command line:
#
# .. code-block:: sh
#
#    python -m sksmooth report wine.csv --target grower --output wine.html
