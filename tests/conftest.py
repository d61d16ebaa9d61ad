from hypothesis import HealthCheck, settings

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
