import pytest
from hypothesis import HealthCheck, settings
from sklearn.datasets import load_iris

from sksmooth import BesovSmoothnessEstimator

# Compiled kernels make the first example of a test slow, so no deadline; fixed examples
# make a failure in one run a failure in every run.
settings.register_profile(
    "sksmooth",
    derandomize=True,
    deadline=None,
    max_examples=40,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("sksmooth")


@pytest.fixture(scope="session", autouse=True)
def _compiled_loops():
    """Give the notice of compilation before any test reads standard error."""
    BesovSmoothnessEstimator(2, random_state=0).fit(*load_iris(return_X_y=True))
