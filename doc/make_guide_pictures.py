"""Draw the pictures of the guide: ``python doc/make_guide_pictures.py``."""

import json
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sksmooth import BesovSmoothnessEstimator, WaveletForestRegressor, forecast_error
from sksmooth.command_line import main
from sksmooth.datasets import make_known_smoothness
from sksmooth.plotting import ErrorForecastDisplay

IMAGES = Path(__file__).parent / "images"
RESULTS = Path(__file__).parents[1] / "benchmarks" / "results"


def measure(X, y, **options):
    """Fit the estimator with a fixed seed."""
    return BesovSmoothnessEstimator(random_state=0, n_jobs=-1, **options).fit(X, y)


def save(figure, name):
    """Write one picture."""
    figure.savefig(IMAGES / name, dpi=110)
    plt.close(figure)
    print(IMAGES / name)


def draw_terms():
    """Draw two classes in the plane and approximations by one tree's largest wavelets."""
    X, y, _ = make_known_smoothness("jump", 10_000, n_relevant=2, random_state=0)
    tree = WaveletForestRegressor(1, n_terms=None, max_samples=1.0, random_state=0)
    tree.fit(X, y.astype(float))
    places = (np.arange(200) + 0.5) / 200
    pixels = np.stack(np.meshgrid(places, places), axis=-1).reshape(-1, 2)
    numbers = [2, 10, 50, 250]
    figure, axes = plt.subplots(
        1, 1 + len(numbers), figsize=(11, 2.5), layout="constrained", sharey=True
    )
    shown = dict(cmap="coolwarm", vmin=0, vmax=1)
    axes[0].scatter(*X[:2000].T, c=y[:2000], s=1, **shown)
    axes[0].set(title="samples", aspect="equal", xlim=(0, 1), ylim=(0, 1))
    stages = tree.staged_predict(pixels, numbers)
    for ax, n_terms, values in zip(axes[1:], numbers, stages, strict=True):
        image = values.reshape(200, 200)
        ax.imshow(image, origin="lower", extent=(0, 1, 0, 1), **shown)
        ax.set(title=f"M = {n_terms}")
    for ax in axes:
        ax.set(xticks=[0, 1], yticks=[0, 1])
    save(figure, "terms.png")


def draw_window():
    """Draw the in-bag and out-of-bag errors, their mean, and the fit window."""
    X, y, true = make_known_smoothness("smooth", 10_000, n_relevant=2, random_state=0)
    fit = measure(X, y)
    seen = seen_errors(fit)
    left_out = 2 * fit.errors_**2 - seen
    figure, ax = plt.subplots(figsize=(6.4, 4.2), layout="constrained")
    ax.plot(fit.n_terms_, np.sqrt(seen), color="C3", label="rows the trees have seen")
    ax.plot(fit.n_terms_, np.sqrt(left_out), color="C1", label="rows left out")
    ax.plot(fit.n_terms_, fit.errors_, color="C0", lw=2.5, label="mean of the squares")
    window = np.array(fit.fit_range_)
    ax.plot(window, fit.decay_.line(window), "k--", label="fitted line")
    ax.axvspan(*window, color="0.9", zorder=-1)
    ax.set(
        xscale="log",
        yscale="log",
        xlabel="number of terms M",
        ylabel="error",
        ylim=(0.003, 1),
        title=f"smooth in 2 variables, 10,000 samples: {fit.alpha_:.2f} (true {true})",
    )
    ax.legend()
    save(figure, "fit_window.png")


def seen_errors(estimator):
    """Compute squared in-bag errors of the same trees, by Parseval's identity."""
    powers = estimator.wavelets_.norms_by_tree() ** 2
    left = powers[:, ::-1].cumsum(axis=1)[:, ::-1]
    return np.append(left[:, 1:].mean(axis=0), 0.0)[: len(estimator.errors_)]


def draw_sample_sizes():
    """Draw the index and its interval against the number of samples."""
    cases = {
        "smooth, 2 variables": ("smooth", dict(n_relevant=2)),
        "2 classes, 3 dimensions": ("jump", dict(n_relevant=3)),
        "10 classes, 2 dimensions": ("jump", dict(n_relevant=2, n_classes=10)),
        "smooth, 20 % noise": ("smooth", dict(n_relevant=2, noise=0.2)),
    }
    sizes = [500, 1000, 2000, 5000, 10_000, 20_000, 50_000]
    figure, axes = plt.subplots(
        1, len(cases), figsize=(11, 3.3), layout="constrained", sharey=True
    )
    for ax, (name, (kind, options)) in zip(axes, cases.items(), strict=True):
        X, y, true = make_known_smoothness(kind, sizes[-1], random_state=0, **options)
        fits = [measure(X[:n], y[:n]) for n in sizes]
        alphas = np.array([fit.alpha_ for fit in fits])
        ends = np.transpose([fit.alpha_interval_ for fit in fits])
        ax.errorbar(sizes, alphas, np.abs(ends - alphas), fmt="o-", capsize=3)
        ax.axhline(true, color="k", ls=":", label="noiseless function")
        ax.set(xscale="log", title=name, xlabel="samples", ylim=(-0.05, 0.85))
        for size, fit in zip(sizes, fits, strict=True):
            if fit.decay_.cautions:
                ax.plot(size, fit.alpha_, "o", mfc="none", ms=14, color="C3")
    axes[0].set_ylabel("alpha_")
    axes[0].legend(loc="upper right")
    save(figure, "sample_sizes.png")


def draw_forecast():
    """Draw forecasts of two models on digits, and of digits with wrong labels."""
    X, y = load_digits(return_X_y=True)
    rng = np.random.RandomState(0)
    is_wrong = rng.uniform(size=len(y)) < 0.2
    noisy = np.where(is_wrong, (y + rng.randint(1, 10, len(y))) % 10, y)
    figure, axes = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
    models = {
        "forest": None,
        "logistic regression": make_pipeline(StandardScaler(), LogisticRegression()),
    }
    for name, model in models.items():
        found = forecast_error(X[:500], y[:500], estimator=model, random_state=0)
        ErrorForecastDisplay.from_forecast(found, ax=axes[0], name=name)
    found = forecast_error(X, noisy, random_state=0)
    ErrorForecastDisplay.from_forecast(
        found, ax=axes[1], name="a fifth of the labels wrong"
    )
    save(figure, "forecast.png")


def draw_noise():
    """Draw the index, the score and the noise that is found against what was put in."""
    shares = np.array([0, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4])
    figure, axes = plt.subplots(ncols=2, figsize=(9.6, 3.8), layout="constrained")
    for kind, name in (
        ("jump", "2 classes in 2 dimensions, wrong labels"),
        ("smooth", "smooth in 2 variables, noise added"),
    ):
        fits = []
        for share in shares:
            # Of numbers, the noise is given in standard deviations of the function.
            level = share if kind == "jump" else np.sqrt(share / (1 - share))
            X, y, _ = make_known_smoothness(kind, 10_000, noise=level, random_state=0)
            fits.append(measure(X, y))
        (line,) = axes[0].plot(
            100 * shares, [fit.alpha_ for fit in fits], "o-", label=f"{name}: alpha_"
        )
        color = line.get_color()
        scores = [fit.oob_score_ for fit in fits]
        axes[0].plot(100 * shares, scores, "s--", color=color, label="... oob_score_")
        draw_found_noise(axes[1], shares, fits, color, kind == "jump")
    axes[0].set(xlabel="put in, % of the labels or of the variance", ylabel="index")
    axes[0].legend()
    axes[1].axline((0, 0), slope=1, color="0.7", zorder=0)
    axes[1].set(xlabel="put in, %", ylabel="found, %")
    axes[1].legend()
    save(figure, "noise.png")


def draw_found_noise(ax, shares, fits, color, is_classes):
    """Draw the noise with its interval; upper bounds as open symbols."""
    name = "wrong_labels_" if is_classes else "noise_"
    found = np.array([getattr(fit, name) for fit in fits])
    ends = np.transpose([getattr(fit, f"{name}interval_") for fit in fits])
    ax.errorbar(
        100 * shares,
        100 * found,
        100 * np.abs(ends - found),
        fmt="o",
        color=color,
        capsize=3,
        label=name,
    )
    is_bound = np.array([fit.noise_is_bound_ for fit in fits])
    ax.plot(
        100 * shares[is_bound], 100 * found[is_bound], "o", mfc="w", color=color, zorder=3
    )


def draw_decisions():
    """Draw how often two tests find the better of two feature sets, from the benchmark."""
    text = (RESULTS / "smoothness_or_accuracy.json").read_text(encoding="utf-8")
    figures = json.loads(text)["figures"]
    sizes = [int(name.split()[0]) for name in figures if name[0].isdigit()]
    figure, axes = plt.subplots(1, 2, figsize=(9.6, 3.8), layout="constrained", sharey=True)
    titles = {" at equal level": "at 5 % false positives", "": "at p < 0.05"}
    ways = {"smoothness": "smoothness", "accuracy": "cross-validated accuracy"}
    for ax, (level, title) in zip(axes, titles.items(), strict=True):
        for i, (way, name) in enumerate(ways.items()):
            for outcome, style in (("right", "o-"), ("wrong", "s:")):
                shares = [
                    figures[f"{size} samples"][way][f"{outcome}{level} %"] for size in sizes
                ]
                ax.plot(sizes, shares, style, color=f"C{i}", label=f"{name}: {outcome}")
        ax.set(title=title, xlabel="labelled samples", xticks=sizes, ylim=(-2, 80))
    axes[0].set_ylabel("decisions, % of all draws")
    axes[0].legend(loc="upper left")
    save(figure, "smoothness_or_accuracy.png")


def draw_demo():
    """Let the demo draw its picture."""
    main(["demo", "--output", str(IMAGES / "demo.png")])


if __name__ == "__main__":
    draw_demo()
    draw_decisions()
    draw_terms()
    draw_window()
    draw_sample_sizes()
    draw_noise()
    draw_forecast()
