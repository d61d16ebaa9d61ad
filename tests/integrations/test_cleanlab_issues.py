"""The type of issue of Datalab: it is marked as sample_roughness ranks."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import load_digits

from sksmooth import BesovSmoothnessEstimator, sample_roughness
from sksmooth.datasets import corrupt_labels
from sksmooth.integrations import cleanlab_issue_manager

NAMES = np.array([f"the digit {i}" for i in range(10)])


@pytest.fixture(scope="module")
def digits():
    """Features, names of classes of which a tenth is wrong, and the right ones."""
    X, y = load_digits(return_X_y=True)
    X, y = X[:600], y[:600]
    return X, NAMES[corrupt_labels(y, 0.1, random_state=0)], NAMES[y]


def test_datalab_finds_rough_labels(digits):
    cleanlab = pytest.importorskip("cleanlab")
    pytest.importorskip("datasets")
    X, given, right = digits
    assert cleanlab_issue_manager() is cleanlab_issue_manager()
    lab = cleanlab.Datalab({"label": given}, label_name="label", verbosity=0)
    frame = pd.DataFrame(X, index=np.arange(600)[::-1])
    estimator = BesovSmoothnessEstimator(60, max_samples=0.5)
    options = {"features": frame, "random_state": 3, "estimator": estimator}
    lab.find_issues(issue_types={"roughness": options})

    issues = lab.get_issues("roughness")
    expected = sample_roughness(X, given, random_state=3, estimator=estimator)
    assert_array_equal(issues["is_roughness_issue"], expected["excess"] > 0)
    assert_allclose(issues["roughness_score"], (2 - expected["excess"]) / 4)
    assert issues["roughness_score"].between(0, 1).all()
    wrong = given != right
    worst = issues["roughness_score"].argsort()[:40]
    assert wrong[worst].mean() > 0.9
    suggested = np.array(lab.get_info("roughness")["suggested_label"])
    assert_array_equal(suggested, expected["suggested"])
    assert (suggested == right)[worst].mean() > 0.9
    summary = lab.get_issue_summary("roughness")
    assert_allclose(summary["score"], issues["roughness_score"].mean())


def test_what_datalab_says_without_features(digits, capsys):
    cleanlab = pytest.importorskip("cleanlab")
    pytest.importorskip("datasets")
    cleanlab_issue_manager()
    X, given, _ = digits
    lab = cleanlab.Datalab({"label": given}, label_name="label")
    lab.find_issues(features=X, issue_types={"roughness": {}})
    assert "roughness needs labels and features" in capsys.readouterr().out
    assert "suggested_label" not in lab.get_info().get("roughness", {})


def test_without_cleanlab():
    code = """
import sys
sys.modules["cleanlab"] = None
from sksmooth.integrations import cleanlab_issue_manager
try:
    cleanlab_issue_manager()
except ImportError as error:
    assert 'pip install "cleanlab[datalab]"' in str(error), error
else:
    raise AssertionError
"""
    subprocess.run([sys.executable, "-c", code], check=True)
