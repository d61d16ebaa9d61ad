"""Draw the picture of the README: ``python doc/make_readme_picture.py``."""

from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

from sksmooth import BesovSmoothnessEstimator
from sksmooth.datasets import corrupt_labels, make_known_smoothness
from sksmooth.plotting import ErrorDecayDisplay

PICTURE = Path(__file__).parent / "images" / "error_decay.png"
KNOWN = {
    "smooth, 1 to 3 variables": [("smooth", dict(n_relevant=d)) for d in (1, 2, 3)],
    "classes, 2 to 4 dimensions": [("jump", dict(n_relevant=d)) for d in (2, 3, 4)],
    "Hölder exponent 0.3 to 0.7": [
        ("weierstrass", dict(exponent=s)) for s in (0.3, 0.5, 0.7)
    ],
    "noise": [("noise", {})],
}


def measure(X, y):
    """Fit the estimator with its defaults."""
    return BesovSmoothnessEstimator(random_state=0).fit(X, y)


def draw_digits(ax):
    """Draw curves of the digits with correct, partly wrong and random labels."""
    X, y = load_digits(return_X_y=True)
    labellings = {
        "shuffled labels": np.random.RandomState(0).permutation(y),
        "20 % wrong labels": corrupt_labels(y, 0.2, random_state=0),
        "true labels": y,
    }
    for color, (name, labels) in zip(("C3", "C1", "C0"), labellings.items(), strict=True):
        ErrorDecayDisplay.from_estimator(
            measure(X, labels),
            ax=ax,
            name=name,
            curve_kwargs=dict(color=color, linewidth=2),
            show_window=labels is y,  # the three are nearly the same
        )
    ax.set_ylim(top=1.8)  # room for the legend
    ax.legend(fontsize=9, loc="upper right")
    ax.set_title("Handwritten digits")


def draw_known(ax):
    """Draw the measured against the true index."""
    ax.plot([0, 1.05], [0, 1.05], color="0.7", zorder=0)
    for marker, (name, cases) in zip("oD^s", KNOWN.items(), strict=True):
        true, measured = [], []
        for kind, options in cases:
            X, y, alpha = make_known_smoothness(kind, 20_000, random_state=0, **options)
            true.append(alpha)
            measured.append(measure(X, y).alpha_)
        ax.plot(true, measured, marker, markersize=7, alpha=0.85, label=name)
    ax.set(xlabel="True index", ylabel=r"Measured index $\alpha$")
    ax.set_title("Functions of known smoothness")
    ax.legend(fontsize=9)


if __name__ == "__main__":
    plt.rcParams.update({"font.size": 10, "axes.spines.top": False})
    plt.rcParams["axes.spines.right"] = False
    figure, (left, right) = plt.subplots(ncols=2, figsize=(9, 3.8), layout="constrained")
    draw_digits(left)
    draw_known(right)
    figure.savefig(PICTURE, dpi=100, pil_kwargs={"optimize": True})
