"""
=====================
How many more labels?
=====================

:func:`sksmooth.forecast_error` forecasts the error of an estimator with more samples. We
forecast from 300 images of digits, and check the forecast with up to 1,200. Then we make a
fifth of the labels wrong, and the floor of the forecast shows it.
"""

# %%
# A forecast, and the true errors
# -------------------------------
# Two models are measured on parts of 300 samples, with the rest held out. The points are
# measured, the line and its bands are the forecast, and the crosses are the errors after
# training on 300 to 1,200 samples, on 597 others that the forecast has not seen.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sksmooth import forecast_error
from sksmooth.plotting import ErrorForecastDisplay

X, y = load_digits(return_X_y=True)
order = np.random.RandomState(0).permutation(len(y))
X, y = X[order], y[order]
models = {
    "random forest": RandomForestClassifier(random_state=0),
    "logistic regression": make_pipeline(StandardScaler(), LogisticRegression()),
}
sizes = [300, 600, 1200]
ax = plt.subplots()[1]
for name, model in models.items():
    forecast = forecast_error(X[:300], y[:300], estimator=model, random_state=0)
    display = ErrorForecastDisplay.from_forecast(forecast, ax=ax, name=name)
    true = [
        np.mean(clone(model).fit(X[:n], y[:n]).predict(X[1200:]) != y[1200:]) for n in sizes
    ]
    ax.plot(sizes, true, "x", color=display.line_.get_color())
    print(forecast)

# %%
# Is the rest noise?
# ------------------
# We replace a fifth of the labels by others. The error falls to the share of wrong labels,
# and no number of samples removes that.

rng = np.random.RandomState(0)
is_wrong = rng.uniform(size=len(y)) < 0.2
noisy = np.where(is_wrong, (y + rng.randint(1, 10, len(y))) % 10, y)
forecast = forecast_error(X, noisy, random_state=0)
print(f"{is_wrong.mean():.1%} of the labels are wrong; floor {forecast.floor:.1%}")
ErrorForecastDisplay.from_forecast(forecast)

# %%
# Which classes need samples?
# ---------------------------
# Each class has its own curve. ``gain`` is the part of the overall error that ten times the
# samples would remove in this class.

forecast = forecast_error(X[:600], y[:600], random_state=0)
forecast.per_class.round(3)
