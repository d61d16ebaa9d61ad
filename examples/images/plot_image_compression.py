"""
===================================================
The smoothness of an image predicts its compression
===================================================

A grey image is a function on the unit square, and its smoothness determines how well
wavelets compress it: if the index is ``alpha``, the error of the best M terms falls like
``M^(-alpha)``, and the signal-to-noise ratio grows by ``20 alpha`` dB whenever M grows
tenfold. We measure the index of photographs and drawings, and then compress them by the
wavelets of a tree and by those of PyWavelets.

This example needs PyWavelets and scikit-image: ``pip install PyWavelets scikit-image``.
"""

# %%
# We take six images: a smooth one, a cartoon of smooth pieces, and four that come with
# scikit-learn and scikit-image. Their pixels are samples like any others: the features are
# the positions of the pixels, the targets their values.

import time
import warnings
import zlib

import matplotlib.pyplot as plt
import numpy as np
import pywt
from skimage import data
from skimage.color import rgb2gray
from sklearn.datasets import load_sample_image

from sksmooth import BesovSmoothnessEstimator
from sksmooth.images import image_samples, image_wavelets, psnr

rows, columns = (np.mgrid[:384, :384] + 0.5) / 384
smooth = 0.5 + 0.25 * np.sin(6 * columns + 2 * rows) * np.cos(9 * rows * columns + 1)
cartoon = 0.2 + 0.3 * columns
for row, column, radius, stretch, step in [
    (0.35, 0.3, 0.22, 1.5, 0.4),
    (0.6, 0.65, 0.25, 0.7, -0.3),
    (0.85, 0.5, 0.12, 2.5, 0.35),
    (0.2, 0.8, 0.1, 1.0, 0.4),
]:
    distance = (columns - column) ** 2 / stretch + (rows - row) ** 2 * stretch
    shade = step + 0.1 * np.sin(5 * columns + 3 * rows)
    cartoon = np.where(distance < radius**2, cartoon + shade, cartoon)
images = {
    "smooth": smooth,
    "cartoon": cartoon.clip(0, 1),
    "flower": rgb2gray(load_sample_image("flower.jpg")),
    "camera": data.camera() / 255,
    "coins": data.coins() / 255,
    "china": rgb2gray(load_sample_image("china.jpg")),
}

alphas, wavelets = {}, {}
for name, image in images.items():
    start = time.perf_counter()
    estimator = BesovSmoothnessEstimator(n_estimators=3, random_state=0)
    alphas[name] = estimator.fit(*image_samples(image)).alpha_
    middle = time.perf_counter()
    wavelets[name] = image_wavelets(image, random_state=0)
    end = time.perf_counter()
    print(
        f"{name:8s} {image.shape[0]} x {image.shape[1]}: index {alphas[name]:.2f} in "
        f"{middle - start:.1f} s, wavelets in {end - middle:.1f} s"
    )

figure, axes = plt.subplots(2, 3, figsize=(9, 5.6), layout="constrained")
for ax, (name, image) in zip(axes.flat, images.items(), strict=True):
    ax.imshow(image, cmap="gray", vmin=0, vmax=1)
    ax.set_title(rf"{name}: $\alpha$ = {alphas[name]:.2f}")
    ax.axis("off")
plt.show()

# %%
# Trees are constant on boxes, so 1/2 is the largest index of an image that is smooth, or
# smooth except for jumps along smooth curves. Photographs have texture and edges on all
# scales, and a lower index.
#
# The M-term approximation keeps the M largest cuts of the tree, wherever they are. The
# colours of an image are one vector-valued function, cut by one tree.

flower = load_sample_image("flower.jpg")
in_colour = image_wavelets(flower, random_state=0)
figure, axes = plt.subplots(2, 2, figsize=(9, 6.4), layout="constrained")
for ax, n_terms in zip(axes.flat, [30, 300, 3000, None], strict=True):
    if n_terms is None:
        ax.imshow(flower)
        ax.set_title(f"all {in_colour.n_terms:,} terms")
    else:
        approximation = in_colour.approximate(n_terms)
        ax.imshow(approximation.clip(0, 1))
        ax.set_title(f"{n_terms} terms: {psnr(flower, approximation):.1f} dB")
    ax.axis("off")
plt.show()

# %%
# Does the index predict how fast the picture improves? We compare the terms of the tree
# (one coefficient per cut) with the largest coefficients of the Haar wavelet and of
# bior4.4, the wavelet of JPEG 2000. Dotted lines have the slope that the index predicts,
# through the value of the tree at 100 terms.

# Down to one pixel, as the tree does; PyWavelets would rather stop where filters wrap.
warnings.filterwarnings("ignore", message="Level value of . is too high")
N_TERMS = np.unique(np.geomspace(20, 10_000, 24).astype(int))


def transform(image, wavelet):
    n_levels = int(np.log2(min(image.shape)))
    coefficients = pywt.wavedec2(image, wavelet, "periodization", n_levels)
    return pywt.coeffs_to_array(coefficients)


def inverse(values, slices, shape, wavelet):
    coefficients = pywt.array_to_coeffs(values, slices, "wavedec2")
    image = pywt.waverec2(coefficients, wavelet, "periodization")
    return image[: shape[0], : shape[1]]


def n_term_psnr(image, wavelet):
    values, slices = transform(image - image.mean(), wavelet)
    sizes = np.sort(np.abs(values), axis=None)
    ratios = []
    for n_terms in N_TERMS:
        kept = np.where(np.abs(values) >= sizes[-n_terms], values, 0)
        rest = inverse(kept, slices, image.shape, wavelet)
        ratios.append(psnr(image - image.mean(), rest))
    return ratios


figure, axes = plt.subplots(2, 3, figsize=(10, 6), sharex=True, layout="constrained")
for ax, (name, image) in zip(axes.flat, images.items(), strict=True):
    tree = -20 * np.log10(wavelets[name].errors[: N_TERMS[-1] + 1])
    ax.semilogx(N_TERMS, tree[N_TERMS], label="tree")
    for wavelet in ("haar", "bior4.4"):
        ax.semilogx(N_TERMS, n_term_psnr(image, wavelet), "--", label=wavelet)
    predicted = tree[100] + 20 * alphas[name] * np.log10(N_TERMS / 100)
    ax.semilogx(N_TERMS, predicted, "k:", label=r"$20\,\alpha$ dB a decade")
    ax.set_title(name)
axes[0, 0].legend()
figure.supxlabel("Number of terms")
figure.supylabel("PSNR (dB)")
plt.show()

# %%
# The tree and Haar follow the dotted lines for the first thousand terms. Later they rise
# faster: the picture has no detail finer than a pixel, so terms run out, first on the
# cartoon. bior4.4 benefits from more smoothness than boxes can: on the smooth image it is
# far ahead of what the index says. On photographs it is not, and with the same number of
# coefficients the tree is as good or better.
#
# Bytes are another matter, because a tree must also record where it cuts. We estimate a
# size by one simple coder for all: coefficients are rounded to whole steps, and those that
# are not zero are compressed by zlib together with their positions. For the wavelets of
# PyWavelets that is one bit per coefficient, for the tree the cuts themselves. A real coder
# would need fewer bytes for both.


def quantised(values, step):
    whole = np.trunc(values / step).astype(np.int32)  # with a dead zone about zero
    return whole, step * (whole + 0.5 * np.sign(whole))


def zipped(*arrays):
    # High and low bytes apart from each other, which zlib packs better.
    planes = (array.view(np.uint8).reshape(-1, array.itemsize).T for array in arrays)
    return len(zlib.compress(b"".join(plane.tobytes() for plane in planes), 9))


def wavelet_bytes(image, wavelet, step):
    values, slices = transform(image - image.mean(), wavelet)
    whole, rounded = quantised(values, step)
    size = zipped(np.packbits(whole != 0), whole[whole != 0].astype(np.int16))
    decoded = image.mean() + inverse(rounded, slices, image.shape, wavelet)
    return size, psnr(image, decoded)


def tree_bytes(image, terms, step):
    tree, nodes = terms.forest.trees[0], terms.decomposition
    coefficients = terms.coefficients[:, 0]
    whole, rounded = quantised(coefficients, step)
    levels = [np.flatnonzero(nodes.depth == d) for d in range(nodes.depth.max() + 1)]
    written = whole != 0
    for level in levels[:0:-1]:  # a box is known only if those around it have been cut
        written[nodes.parent[level[written[level]]]] = True
    cuts = np.flatnonzero(written)
    places = tree.threshold[cuts] * np.take(terms.shape, tree.feature[cuts])
    size = zipped(
        *(np.packbits(written[side[cuts]]) for side in (tree.left, tree.right)),
        *(np.packbits(tree.feature[cuts]), np.rint(places).astype(np.uint16)),
        whole[cuts].astype(np.int16),
    )
    share = np.divide(rounded, coefficients, out=np.zeros(len(whole)), where=whole != 0)
    value = np.full(len(whole), nodes.mean[0, 0])
    for level in levels[1:]:
        above = nodes.parent[level]
        value[level] = value[above] + nodes.psi[level, 0] * share[above]
    return size, psnr(image, value[terms.leaves].reshape(terms.shape))


STEPS = (3.0, 1.5, 0.8, 0.5, 0.3, 0.2, 0.12, 0.08)
figure, axes = plt.subplots(1, 3, figsize=(10, 3.8), layout="constrained")
for ax, name in zip(axes, ["cartoon", "flower", "china"], strict=True):
    image = images[name]
    for label, points, style in (
        ("tree", [tree_bytes(image, wavelets[name], step) for step in STEPS], "o-"),
        ("haar", [wavelet_bytes(image, "haar", step) for step in STEPS], "s--"),
        ("bior4.4", [wavelet_bytes(image, "bior4.4", step) for step in STEPS], "^--"),
    ):
        ax.semilogx(*zip(*points, strict=True), style, markersize=4, label=label)
    ax.set(title=name, xlabel="Bytes (rough)", xlim=(200, 40_000))
axes[0].set_ylabel("PSNR (dB)")
axes[0].legend()
plt.show()

# %%
# On the cartoon, whose edges the tree can follow, it needs the fewest bytes. On photographs
# it is level with Haar at few bytes; the more terms are kept, the more their positions
# cost, and bior4.4 is ahead. The index predicts how fast the quality improves, not which
# method is best: by each of these methods, a byte improves the flower more than the Chinese
# roof.
