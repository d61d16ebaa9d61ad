"""The index of an image against how well wavelets compress it.

    python benchmarks/image_compression.py [--parts slopes psnr]

Images that come with scikit-learn and scikit-image, and some generated ones, in grey and
at their own size. Needs PyWavelets and scikit-image: ``pip install "sksmooth[images]"``.

- slopes: the index against the slope of log error against log number of terms, of one tree
  and of PyWavelets' Haar and bior4.4, over the index's own fit window (in coefficients, of
  which one determines the two wavelets of siblings). Beside it stands the simplest
  alternative, the exponent of the power spectrum: with power ~ f^-(2 H + 2), the error of
  the lowest n frequencies falls like n^-(H / 2).
- psnr: by how many dB the tree is ahead for the same number of terms and of bytes. The
  bytes are a rough size: coefficients in whole steps with a dead zone, one bit for each
  that is not zero, or the cuts of the tree, all through zlib. JPEG and JPEG 2000 have
  coders of their own and would need fewer.
"""

import argparse
import warnings
import zlib

import numpy as np
import pywt
from _results import write_results
from scipy.stats import pearsonr, spearmanr
from skimage import data
from sklearn.datasets import load_sample_image

from sksmooth import BesovSmoothnessEstimator
from sksmooth.images import image_samples, image_wavelets, psnr

PHOTOGRAPHS = (
    *("astronaut", "brick", "camera", "cat", "cell", "clock", "coffee", "coins", "grass"),
    *("gravel", "immunohistochemistry", "moon", "page", "rocket", "stereo_motorcycle"),
    "text",
)
WAVELETS = ("haar", "bior4.4")
BYTES = np.array([500, 2000, 8000])
TERMS = (300, 3000)


def random_surface(hurst, n=512):
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(n), np.fft.fftfreq(n)))
    frequency[0, 0] = np.inf
    noise = np.random.default_rng(0).standard_normal((n, n))
    surface = np.fft.ifft2(np.fft.fft2(noise) * frequency ** (-hurst - 1)).real
    return 0.5 + 0.15 * surface / surface.std()


def cartoon(rows, columns):
    image = 0.2 + 0.3 * columns
    for row, column, radius, stretch, step in [
        (0.35, 0.3, 0.22, 1.5, 0.4),
        (0.6, 0.65, 0.25, 0.7, -0.3),
        (0.85, 0.5, 0.12, 2.5, 0.35),
        (0.2, 0.8, 0.1, 1.0, 0.4),
    ]:
        distance = (columns - column) ** 2 / stretch + (rows - row) ** 2 * stretch
        shade = step + 0.1 * np.sin(5 * columns + 3 * rows)
        image = np.where(distance < radius**2, image + shade, image)
    return image.clip(0, 1)


def grey(image):
    image = image_samples(image)[1].reshape(np.shape(image))
    return image if image.ndim == 2 else image[:, :, :3] @ [0.299, 0.587, 0.114]


def all_images():
    rows, columns = (np.mgrid[:512, :512] + 0.5) / 512
    waves = np.sin(6 * columns + 2 * rows) * np.cos(9 * rows * columns + 1)
    yield "smooth", "made", 0.5 + 0.25 * waves
    yield "cartoon", "made", cartoon(rows, columns)
    for hurst in (0.2, 0.5, 0.8):
        yield f"surface, H = {hurst}", "made", random_surface(hurst)
    for name in ("china.jpg", "flower.jpg"):
        yield name, "photo", grey(load_sample_image(name))
    for name in PHOTOGRAPHS:
        image = getattr(data, name)()
        yield name, "photo", grey(image[0] if isinstance(image, tuple) else image)
    for name in ("shepp_logan_phantom", "horse", "binary_blobs"):
        yield name, "drawing", grey(getattr(data, name)())


# -------------------------------------------------------------------------- alternatives


def transform(image, wavelet):
    n_levels = int(np.log2(min(image.shape)))
    coefficients = pywt.wavedec2(image, wavelet, "periodization", n_levels)
    return pywt.coeffs_to_array(coefficients)


def inverse(values, slices, shape, wavelet):
    coefficients = pywt.array_to_coeffs(values, slices, "wavedec2")
    image = pywt.waverec2(coefficients, wavelet, "periodization")
    return image[: shape[0], : shape[1]]


def n_term_errors(image, wavelet, n_terms):
    """Errors of the largest coefficients; the mean is told beforehand, as for trees."""
    image = image - image.mean()
    values, slices = transform(image, wavelet)
    order = np.argsort(-np.abs(values), axis=None)
    errors = []
    for n in n_terms:
        kept = np.zeros(values.size)
        kept[order[:n]] = values.ravel()[order[:n]]
        rest = image - inverse(kept.reshape(values.shape), slices, image.shape, wavelet)
        errors.append(np.sqrt(np.mean(rest**2)))
    return np.array(errors)


def spectrum_index(image):
    """H / 2, from the slope of the power over the frequencies that pixels resolve well."""
    window = np.outer(np.hanning(image.shape[0]), np.hanning(image.shape[1]))
    power = np.abs(np.fft.fft2((image - image.mean()) * window)) ** 2
    frequency = np.hypot(
        np.fft.fftfreq(image.shape[0])[:, None], np.fft.fftfreq(image.shape[1])
    )
    edges = np.geomspace(4 / min(image.shape), 0.3, 16)
    ring = np.digitize(frequency.ravel(), edges)
    means = [power.ravel()[ring == i].mean() for i in range(1, len(edges))]
    slope = np.polyfit(np.log(edges[:-1] * edges[1:]) / 2, np.log(means), 1)[0]
    return (-slope - 2) / 4


def quantised(values, step):
    """Whole steps, with a dead zone about zero, and the values they stand for."""
    whole = np.trunc(values / step).astype(np.int32)
    return whole, step * (whole + 0.5 * np.sign(whole))


def zipped(*arrays):
    """Count the bytes that zlib makes of the arrays, with high and low bytes apart."""
    planes = (array.view(np.uint8).reshape(-1, array.itemsize).T for array in arrays)
    return len(zlib.compress(b"".join(plane.tobytes() for plane in planes), 9))


def wavelet_bytes(image, wavelet, step):
    """Rough size of the coefficients in whole steps, and the image they give."""
    values, slices = transform(image - image.mean(), wavelet)
    whole, rounded = quantised(values, step)
    size = zipped(np.packbits(whole != 0), whole[whole != 0].astype(np.int16))
    return size, image.mean() + inverse(rounded, slices, image.shape, wavelet)


def tree_bytes(wavelets, step):
    """Rough size of the cuts that hold a step, of those above them, and their image."""
    tree, nodes = wavelets.forest.trees[0], wavelets.decomposition
    coefficients = wavelets.coefficients[:, 0]
    whole, rounded = quantised(coefficients, step)
    levels = [
        np.flatnonzero(nodes.depth == depth) for depth in range(nodes.depth.max() + 1)
    ]
    written = whole != 0
    for level in levels[:0:-1]:  # a cut can be read only below those that lead to it
        written[nodes.parent[level[written[level]]]] = True
    cuts = np.flatnonzero(written)
    places = tree.threshold[cuts] * np.take(wavelets.shape, tree.feature[cuts])
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
    return size, value[wavelets.leaves].reshape(wavelets.shape)


# ---------------------------------------------------------------------------- measuring


def slope(n_terms, errors):
    return -np.polyfit(np.log(n_terms), np.log(errors), 1)[0]


def measure_slopes(image, wavelets):
    estimator = BesovSmoothnessEstimator(5, random_state=0).fit(*image_samples(image))
    first, last = estimator.fit_range_
    n_terms = np.unique(np.geomspace(first / 2, last / 2, 20).astype(int))
    low, high = estimator.alpha_interval_
    row = {"index": estimator.alpha_, "low": low, "high": high}
    row |= {
        "spectrum": spectrum_index(image),
        "tree": slope(n_terms, wavelets.errors[n_terms]),
    }
    for wavelet in WAVELETS:
        row[wavelet] = slope(n_terms, n_term_errors(image, wavelet, n_terms))
    return row


def measure_psnr(image, wavelets):
    """Lead of the tree at given numbers of terms and, between measured sizes, of bytes."""
    tree = -20 * np.log10(wavelets.errors[np.minimum(TERMS, wavelets.n_terms)])
    row = {}
    for wavelet in WAVELETS:
        leads = tree + 20 * np.log10(n_term_errors(image, wavelet, TERMS))
        row |= {f"{n} terms, {wavelet}": lead for n, lead in zip(TERMS, leads, strict=True)}
    tree = at_bytes(image, lambda step: tree_bytes(wavelets, step))
    for wavelet in WAVELETS:
        other = at_bytes(image, lambda step: wavelet_bytes(image, wavelet, step))  # noqa: B023
        leads = tree - other
        row |= {f"{n} bytes, {wavelet}": lead for n, lead in zip(BYTES, leads, strict=True)}
    return row


def at_bytes(image, code):
    """PSNR at given numbers of bytes; NaN beyond the sizes that were measured."""
    sizes, ratios = [], []
    for step in np.geomspace(0.05, 3, 12):
        size, decoded = code(step)
        sizes.append(size)
        ratios.append(psnr(image, decoded))
    order = np.argsort(sizes)
    log_sizes = np.log(np.array(sizes)[order])
    options = {"left": np.nan, "right": np.nan}
    return np.interp(np.log(BYTES), log_sizes, np.array(ratios)[order], **options)


def correlations(rows, kinds):
    """Of the index, and of the exponent of the spectrum, with the slopes of the curves."""
    groups = {
        "all": list(rows),
        "all but smooth": [name for name in rows if name != "smooth"],
        "photographs": [name for name in rows if kinds[name] == "photo"],
    }
    table = {}
    for group, names in groups.items():
        for predictor in ("index", "spectrum"):
            row = table[f"{group}, {predictor}"] = {"images": len(names)}
            for target in ("tree", *WAVELETS):
                x, y = (
                    np.array([rows[n][key] for n in names]) for key in (predictor, target)
                )
                row[f"{target}: Pearson"] = pearsonr(x, y).statistic
                row[f"{target}: Spearman"] = spearmanr(x, y).statistic
                row[f"{target}: difference"] = np.abs(x - y).mean()
    return table


def medians(rows, kinds):
    """Median lead over the photographs, and on how many of them the tree is ahead."""
    photographs = [row for name, row in rows.items() if kinds[name] == "photo"]
    table = {}
    for column in photographs[0]:
        leads = np.array([row[column] for row in photographs])
        leads = leads[np.isfinite(leads)]
        table[f"photographs, {column}"] = {
            "median, dB": np.median(leads),
            "ahead on": int((leads > 0).sum()),
            "of": len(leads),
        }
    return table


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parts = {"slopes": measure_slopes, "psnr": measure_psnr}
    parser.add_argument("--parts", nargs="+", choices=parts, default=list(parts))
    args = parser.parse_args()
    kinds, tables = {}, {part: {} for part in args.parts}
    for name, kinds[name], image in all_images():
        wavelets = image_wavelets(image, random_state=0)
        for part in args.parts:
            tables[part][name] = parts[part](image, wavelets)
    figures = {}
    if "slopes" in tables:
        figures = {"correlation": correlations(tables["slopes"], kinds)}
        figures["images"] = tables["slopes"]
    if "psnr" in tables:
        figures["lead"] = medians(tables["psnr"], kinds)
        figures["lead by image"] = tables["psnr"]
    setup = "26 images in grey, 172 x 448 to 660 x 550; index: 5 trees; lead: in dB of PSNR"
    libraries = ["PyWavelets", "scikit-image"]
    write_results(
        "image_compression", figures, setup=setup, libraries=libraries, append=True
    )


if __name__ == "__main__":
    warnings.simplefilter("ignore")  # finite drawings; levels down to one pixel
    main()
