"""The index of an image against how well wavelets compress it.

    python benchmarks/image_compression.py [--quick]

Images that come with scikit-learn and scikit-image, and some generated ones, in grey and
at their own size. Needs PyWavelets and scikit-image: ``pip install "sksmooth[images]"``.

First, the index against the slope of log error against log number of terms, of one tree
and of PyWavelets' Haar and bior4.4, over the index's own fit window (in coefficients, of
which one determines the two wavelets of siblings). Beside it stands the simplest
alternative, the exponent of the power spectrum: with power ~ f^-(2 H + 2), the error of
the lowest n frequencies falls like n^-(H / 2). Then PSNR for the same number of terms and
of bytes; JPEG and JPEG 2000 are Pillow's. Seconds are those of one core.
"""

import argparse
import bz2
import io
import lzma
import time
import warnings
import zlib

import numpy as np
import pywt
from PIL import Image
from scipy.stats import pearsonr, spearmanr
from skimage import data
from sklearn.datasets import load_sample_image

from sksmooth import BesovSmoothnessEstimator
from sksmooth.images import (
    decode_image,
    encode_image,
    image_samples,
    image_wavelets,
    psnr,
)

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


def all_images(quick):
    rows, columns = (np.mgrid[:512, :512] + 0.5) / 512
    waves = np.sin(6 * columns + 2 * rows) * np.cos(9 * rows * columns + 1)
    yield "smooth", "made", 0.5 + 0.25 * waves
    yield "cartoon", "made", cartoon(rows, columns)
    for hurst in (0.5,) if quick else (0.2, 0.5, 0.8):
        yield f"surface, H = {hurst}", "made", random_surface(hurst)
    for name in ("china.jpg", "flower.jpg"):
        yield name, "photo", grey(load_sample_image(name))
    for name in PHOTOGRAPHS[: 1 if quick else None]:
        image = getattr(data, name)()
        yield name, "photo", grey(image[0] if isinstance(image, tuple) else image)
    for name in () if quick else ("shepp_logan_phantom", "horse", "binary_blobs"):
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


def wavelet_bytes(image, wavelet, step):
    """Coefficients in steps with a dead zone, through the compressors of the tree."""
    values, slices = transform(image - image.mean(), wavelet)
    whole = np.trunc(values / step)
    rounded = step * (whole + 0.5 * np.sign(whole))
    decoded = image.mean() + inverse(rounded, slices, image.shape, wavelet)
    bands = [whole[slices[0]]] + [whole[s] for d in slices[1:] for s in d.values()]
    coded = np.concatenate([band.ravel() for band in bands])
    dtype = np.int8 if np.abs(coded).max() < 128 else np.int16
    packed = coded.astype(dtype).tobytes()
    header = 24  # shape, step, mean, length
    return header + min(len(p.compress(packed)) for p in (zlib, bz2, lzma)), decoded


def pillow_bytes(image, **options):
    file = io.BytesIO()
    Image.fromarray(np.rint(255 * image).astype(np.uint8)).save(file, **options)
    return file.tell(), np.asarray(Image.open(file)) / 255


# ---------------------------------------------------------------------------- measuring


def slope(n_terms, errors):
    return -np.polyfit(np.log(n_terms), np.log(errors), 1)[0]


def measure_slopes(image, wavelets, estimator):
    first, last = estimator.fit_range_
    n_terms = np.unique(np.geomspace(first / 2, last / 2, 20).astype(int))
    slopes = {"tree": slope(n_terms, wavelets.errors[n_terms])}
    for wavelet in WAVELETS:
        slopes[wavelet] = slope(n_terms, n_term_errors(image, wavelet, n_terms))
    return slopes


def measure_terms(image, wavelets):
    ratios = {"tree": np.array([psnr(image, wavelets.approximate(m)) for m in TERMS])}
    for wavelet in WAVELETS:
        ratios[wavelet] = -20 * np.log10(n_term_errors(image, wavelet, TERMS))
    return ratios


def measure_bytes(image, wavelets):
    """PSNR at given numbers of bytes, between measured ones; NaN where there are none."""
    steps = np.geomspace(0.05, 3, 10)
    coded = [encode_image(wavelets, step) for step in steps]
    curves = {"tree": [(len(c), decode_image(c)) for c in coded]}
    for wavelet in WAVELETS:
        curves[wavelet] = [wavelet_bytes(image, wavelet, step) for step in steps]
    curves["JPEG"] = [
        pillow_bytes(image, format="JPEG", quality=quality, optimize=True)
        for quality in (1, 4, 8, 15, 30, 60, 90)
    ]
    curves["JPEG 2000"] = [
        pillow_bytes(
            image,
            format="JPEG2000",
            quality_mode="rates",
            quality_layers=[image.size / n_bytes],
            irreversible=True,
        )
        for n_bytes in (350, 500, 1000, 2000, 4000, 8000, 16_000)
    ]
    ratios = {}
    for name, points in curves.items():
        sizes, values = np.array(sorted((n, psnr(image, d)) for n, d in points)).T
        at = np.interp(np.log(BYTES), np.log(sizes), values, right=np.nan)
        ratios[name] = np.where(0.97 * sizes[0] > BYTES, np.nan, at)
    return ratios


def report_correlations(rows):
    table = {
        key: np.array([row[key] for row in rows])
        for key in ("alpha", "spectrum", "tree", "haar", "bior4.4")
    }
    groups = {
        "all": np.ones(len(rows), dtype=bool),
        "all but smooth": np.array([row["name"] != "smooth" for row in rows]),
        "photos": np.array([row["kind"] == "photo" for row in rows]),
    }
    print("\nPearson / Spearman correlation with the slope (mean absolute difference)")
    print(
        f"{'images':>16s}{'predictor':>12s}" + f"{'tree':>24s}{'haar':>24s}{'bior4.4':>24s}"
    )
    for group, inside in groups.items():
        for predictor in ("alpha", "spectrum"):
            text = f"{group:>16s}{predictor:>12s}"
            for target in ("tree", "haar", "bior4.4"):
                x, y = table[predictor][inside], table[target][inside]
                text += (
                    f"{pearsonr(x, y).statistic:10.2f} /{spearmanr(x, y).statistic:5.2f}"
                    f" ({np.abs(x - y).mean():.2f})"
                )
            print(text + f"   n = {inside.sum()}")


def report_ratios(title, columns, tables):
    """PSNR of the tree, and by how much it is ahead of others, in dB."""
    others = [name for name in tables[0]["ratios"] if name != "tree"]
    leads = np.array(
        [[t["ratios"]["tree"] - t["ratios"][other] for other in others] for t in tables]
    )  # by image, other, and column
    print(f"\n{title}\n{'image':>22s}", end="")
    for column in columns:
        print(f"{column + ': tree':>18s}", *(f"{other:>10s}" for other in others), end="")
    print()
    for table, lead in zip(tables, leads, strict=True):
        print_ratios(table["name"], table["ratios"]["tree"], lead)
    is_photo = np.array([table["kind"] == "photo" for table in tables])
    for name, inside in (("median of photos", is_photo), ("median of others", ~is_photo)):
        print_ratios(
            name, np.full(len(columns), np.nan), np.nanmedian(leads[inside], axis=0)
        )


def print_ratios(name, tree, leads):
    print(f"{name:>22s}", end="")
    for ratio, lead in zip(tree, leads.T, strict=True):
        texts = [f"{ratio:18.2f}"] + [f"{gain:+10.2f}" for gain in lead]
        print(
            *(text.replace("+nan", "   -").replace("nan", "  -") for text in texts), end=""
        )
    print()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer images")
    args = parser.parse_args()
    rows, by_terms, by_bytes = [], [], []
    print(
        f"{'image':>22s}{'size':>12s}{'index':>8s}{'interval':>15s}{'window':>16s}"
        f"{'spectrum':>10s}{'tree':>8s}{'haar':>8s}{'bior4.4':>8s}{'index s':>9s}"
        f"{'tree s':>8s}{'code s':>8s}"
    )
    for name, kind, image in all_images(args.quick):
        times = [time.process_time()]
        estimator = BesovSmoothnessEstimator(5, random_state=0).fit(*image_samples(image))
        times.append(time.process_time())
        wavelets = image_wavelets(image, random_state=0)
        times.append(time.process_time())
        decode_image(encode_image(wavelets, 0.3))
        times.append(time.process_time())
        row = {"name": name, "kind": kind, "alpha": estimator.alpha_}
        row |= {"spectrum": spectrum_index(image)}
        row |= measure_slopes(image, wavelets, estimator)
        rows.append(row)
        by_terms.append(row | {"ratios": measure_terms(image, wavelets)})
        by_bytes.append(row | {"ratios": measure_bytes(image, wavelets)})
        low, high = estimator.alpha_interval_
        window = "{} - {}".format(*estimator.fit_range_)
        size = "{} x {}".format(*image.shape)
        print(
            f"{name:>22s}{size:>12s}{row['alpha']:8.3f}{f'{low:.2f} - {high:.2f}':>15s}"
            f"{window:>16s}{row['spectrum']:10.3f}{row['tree']:8.3f}{row['haar']:8.3f}"
            f"{row['bior4.4']:8.3f}" + "".join(f"{s:8.1f}" for s in np.diff(times)),
            flush=True,
        )
    report_correlations(rows)
    report_ratios(
        "PSNR in dB with the same number of terms, and the tree's lead",
        [f"{n} terms" for n in TERMS],
        by_terms,
    )
    report_ratios(
        "PSNR in dB with the same number of bytes, and the tree's lead",
        [f"{n} bytes" for n in BYTES],
        by_bytes,
    )


if __name__ == "__main__":
    warnings.simplefilter("ignore")  # finite drawings; levels down to one pixel
    main()
