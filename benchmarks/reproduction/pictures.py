"""Draw the pictures of ``doc/lecture.md`` from the files ``lecture_*.json``.

python benchmarks/reproduction/pictures.py
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from common import read_lecture

IMAGES = Path(__file__).parents[2] / "doc" / "images"
NAMES = {"mterm": "default index", "elisha-dekel": "published convention"}
PUBLISHED = {  # Table 1 of the lecture, for 0 to 40 % of wrong labels
    "mnist": (0.28, 0.106, 0.084, 0.052, 0.03),
    "cifar-10": (0.204, 0.072, 0.053, 0.051, 0.003),
}


def read(name):
    return pd.DataFrame(read_lecture(name))


def save(figure, name):
    figure.savefig(IMAGES / f"lecture_{name}.png", dpi=110)
    plt.close(figure)


def panels(n_columns, width=8.4, height=3.8, **options):
    return plt.subplots(
        1, n_columns, figsize=(width, height), layout="constrained", **options
    )


def names_of(rows, between="\n"):
    """Label layers by what they are and how many values they have."""
    types = rows["type"].str.replace(r"\s*\+.*", "", regex=True)
    both = zip(types, rows["n_features"], strict=True)
    return [f"{kind}{between}{n:,}" for kind, n in both]


def label_layers(ax, rows):
    ax.set_xticks(range(len(rows)), names_of(rows), fontsize=8)
    ax.axhline(0, color="0.7", linewidth=0.8, zorder=0)


def error_bars(ax, x, rows, column="alpha", **options):
    """Points with their intervals; infinite ones stand at the upper edge."""
    middle = rows[column].to_numpy()
    finite = np.isfinite(middle)
    edges = [rows[f"{column}_{side}"].to_numpy() for side in ("low", "high")]
    margins = [np.abs(edge[finite] - middle[finite]) for edge in edges]
    x = np.asarray(x)
    drawn = ax.errorbar(x[finite], middle[finite], margins, capsize=2, **options)
    look = dict(color=drawn[0].get_color(), transform=ax.get_xaxis_transform())
    for place in x[~finite]:
        ax.text(place, 0.94, r"$\infty$", ha="center", fontsize=13, **look)
    return drawn


def layers():
    """Conjecture 1."""
    frame = read("layers")
    figure, axes = panels(2)
    for ax, (index, name) in zip(axes, NAMES.items(), strict=True):
        for seed, rows in frame[frame["index"] == index].groupby("seed"):
            x = np.arange(len(rows)) + 0.08 * (seed - 1)
            error_bars(ax, x, rows, marker="o", markersize=4, label=f"seed {seed}")
            if index == "mterm":
                ax.plot(x, rows["held_out"], "x", color=f"C{seed}")
        label_layers(ax, rows)
        ax.set(title=f"CIFAR-10, {name}", ylabel=r"$\alpha$")
    axes[0].plot([], [], "kx", label="held-out score")
    axes[0].legend()
    save(figure, "layers")


def epochs():
    """Conjecture 2."""
    rows = read("epochs")
    first = rows[rows["epoch"] == rows["epoch"].min()]
    figure, axes = panels(2, width=9.4)
    titles = {"alpha": r"$\alpha$, images of training", "held_out": "Held-out score"}
    for ax, (column, title) in zip(axes, titles.items(), strict=True):
        table = rows.pivot(index="layer", columns="epoch", values=column)
        table = table.loc[first["layer"]]
        image = ax.imshow(table, aspect="auto", cmap="viridis", origin="lower")
        for (i, j), value in np.ndenumerate(table.to_numpy()):
            colour = "w" if value < table.to_numpy().max() * 0.6 else "k"
            text = dict(ha="center", va="center", color=colour, fontsize=8)
            ax.text(j, i, f"{value:z.3f}", **text)
        ax.set_xticks(range(table.shape[1]), table.columns)
        ax.set_yticks(range(len(table)), names_of(first, " "))
        ax.set(title=title, xlabel="Epoch")
        figure.colorbar(image, ax=ax)
    save(figure, "epochs")


def mislabelled():
    """Table 1."""
    figure, axes = plt.subplots(2, 2, figsize=(9, 7), layout="constrained", sharex=True)
    for column, data in enumerate(PUBLISHED):
        frame = read(f"mislabelled_{data}")
        keys = ["data", "fraction", "stopped", "index"]
        frame = frame.groupby(keys, as_index=False).mean(numeric_only=True)  # of seeds
        percent = 100 * np.unique(frame["fraction"])
        for ax, (index, name) in zip(axes[:, column], NAMES.items(), strict=True):
            draw_table(ax, frame[frame["index"] == index])
            ax.margins(y=0.15)  # room for what is infinite
            ax.set(title=f"{frame['data'][0]}, {name}", ylabel=r"$\alpha$")
            ax.axhline(0, color="0.7", linewidth=0.8, zorder=0)
        ax.plot(percent, PUBLISHED[data], "k*:", label="published")
        ax.set(xlabel="Wrong labels (%)")
    axes[1, 0].legend()
    save(figure, "mislabelled")


def draw_table(ax, frame):
    """Draw the labels trained on, and those of unseen images, early and at the end."""
    for stopped, colour in (("best epoch", "C0"), ("end", "C1")):
        rows = frame[frame["stopped"] == stopped]
        first = rows[rows["seed"] == rows["seed"].min()]
        mean = rows.groupby("fraction")["trained"].mean()
        unseen = rows.groupby("fraction")["unseen"].mean()
        look = dict(color=colour, label=f"{stopped}, images of training")
        if rows["seed"].nunique() == 1:
            error_bars(ax, 100 * mean.index, first, "trained", marker="o", **look)
        else:
            spread = rows.groupby("fraction")["trained"].agg(["min", "max"])
            ax.plot(100 * mean.index, mean, "o-", **look)
            edges = spread["min"], spread["max"]
            ax.fill_between(100 * mean.index, *edges, color=colour, alpha=0.2)
        look = dict(color=colour, fillstyle="none", label=f"{stopped}, unseen")
        ax.plot(100 * mean.index, unseen, "s--", **look)


def random_labels():
    """Zhang et al. 2017."""
    history, frame = read("random_labels_history"), read("random_labels")
    frame = frame[frame["index"] == "mterm"]
    figure, axes = panels(3, width=12.5, height=4.2)
    for name, rows in frame.groupby("setting", sort=False):
        losses = history[history["setting"] == name]
        axes[0].plot(losses["epoch"], losses["loss"], label=name)
        axes[1].plot(range(len(rows)), rows["alpha"], "o-", markersize=4)
        axes[2].plot(range(len(rows)), rows["held_out"], "o-", markersize=4)
    axes[0].set(
        xlabel="Epoch", ylabel="Training loss", yscale="log", title="Memorised labels"
    )
    axes[1].set(ylabel=r"$\alpha$", title="Images of training")
    axes[2].set(ylabel="Held-out score", title="Test images of the same setting")
    label_layers(axes[1], rows)
    label_layers(axes[2], rows)
    axes[0].legend(fontsize=8)
    save(figure, "random_labels")


def architectures():
    """AlexNet, VGG, Inception, plain and residual, and broken layers."""
    frame = read("architectures")
    groups = (
        ("AlexNet style", "VGG style", "Inception style"),
        ("deep, plain", "deep, residual"),
        ("VGG style", "frozen bottleneck", "VGG style, block3 lost"),
    )
    figure, axes = plt.subplots(
        2, 3, figsize=(12.5, 7), layout="constrained", sharex=True, sharey="row"
    )
    for (top, bottom), names in zip(axes.T, groups, strict=True):
        for i, name in enumerate(names):
            rows = frame[frame["network"] == name]
            x = np.arange(len(rows)) / (len(rows) - 1) + 0.01 * i
            error_bars(top, x, rows, marker="o", markersize=4, label=name)
            bottom.plot(x, rows["held_out"], "o-", markersize=4)
        top.axhline(0, color="0.7", linewidth=0.8, zorder=0)
        top.legend(fontsize=8)
        bottom.set(xlabel="Depth, from input to logits")
    axes[0, 0].set_ylabel(r"$\alpha$, images of training")
    axes[1, 0].set_ylabel("Held-out score")
    save(figure, "architectures")


def classifiers():
    """Accuracy of classical learners on the layers."""
    frame, ranks = read("classifiers"), read("classifiers_correlation").set_index("index")
    figure, axes = panels(2, width=9, sharey=True)
    for ax, index in zip(axes, ("alpha mterm", "held out mterm"), strict=True):
        for name, mark in zip(
            ("SVM", "random forest", "gradient boosting"), "os^", strict=True
        ):
            label = f"{name}, Spearman {ranks.loc[index, name]:.2f}"
            ax.plot(frame[index], frame[name], mark, alpha=0.7, label=label)
        ax.set_xlabel(r"$\alpha$" if index.startswith("alpha") else "Held-out score")
        ax.legend(fontsize=8)
    axes[0].set_ylabel("Test accuracy")
    save(figure, "classifiers")


if __name__ == "__main__":
    for draw in (layers, epochs, mislabelled, random_labels, architectures, classifiers):
        draw()
