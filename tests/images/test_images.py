"""Images as functions: samples, and M-term approximation by the cuts of one tree."""

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from sksmooth import BesovSmoothnessEstimator
from sksmooth.images import image_samples, image_wavelets, psnr

SHAPES = st.tuples(st.integers(1, 9), st.integers(1, 9)) | st.tuples(
    st.integers(1, 6), st.integers(1, 6), st.integers(1, 3)
)
IMAGES = SHAPES.flatmap(lambda shape: arrays(np.uint8, shape))


def random_surface(hurst, n=256, seed=0):
    """A surface of fractional Brownian motion, by its spectrum."""
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(n), np.fft.fftfreq(n)))
    frequency[0, 0] = np.inf
    noise = np.random.RandomState(seed).standard_normal((n, n))
    surface = np.fft.ifft2(np.fft.fft2(noise) * frequency ** (-hurst - 1)).real
    return surface / surface.std()


def smooth_image(n=256):
    rows, columns = (np.mgrid[:n, :n] + 0.5) / n
    return np.sin(4 * rows + columns**2) + np.cos(3 * columns - rows)


def disc(n=256):
    rows, columns = (np.mgrid[:n, :n] + 0.5) / n
    return ((rows - 0.47) ** 2 + (columns - 0.52) ** 2 < 0.1).astype(float)


def photo(n=64):
    """Part smooth, part edges, part noise."""
    noise = np.random.RandomState(1).uniform(0, 0.1, size=(n, n))
    return (0.2 * smooth_image(n) + 0.5 + noise) * (1 - 0.5 * disc(n))


# ---------------------------------------------------------------------------- samples


def test_pixels_lie_at_their_centres_in_the_unit_square():
    image = np.arange(6, dtype=np.uint8).reshape(2, 3)
    X, y = image_samples(image)
    assert X.tolist()[:4] == [[0.25, 1 / 6], [0.25, 0.5], [0.25, 5 / 6], [0.75, 1 / 6]]
    np.testing.assert_allclose(y, np.arange(6) / 255)


@pytest.mark.parametrize(
    ("dtype", "largest"),
    [(np.uint8, 255), (np.uint16, 65535), (">u2", 65535), (bool, 1), (float, 1.0)],
)
def test_the_largest_value_is_one(dtype, largest):
    image = np.array([[0, largest]]).astype(dtype)
    np.testing.assert_array_equal(image_samples(image)[1], [0.0, 1.0])


def test_colours_are_outputs():
    X, y = image_samples(np.zeros((4, 5, 3)))
    assert X.shape == (20, 2)
    assert y.shape == (20, 3)


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (np.zeros(5), "two dimensions"),
        (np.zeros((2, 2, 2, 2)), "two dimensions"),
        (np.zeros((2, 2), dtype=int), "pass uint8"),
        (np.array([[0.0, np.nan]]), "NaN"),
        (np.zeros((3, 9, 8)), r"np.moveaxis\(image, 0, -1\)"),
        (np.zeros((0, 3)), "empty"),
        (np.zeros((2, 2, 0)), "empty"),
        (np.ma.masked_equal([[0.0, 1.0]], 1.0), "masked"),
    ],
)
def test_what_is_not_an_image_is_refused(image, message):
    for function in (image_samples, image_wavelets):
        with pytest.raises(ValueError, match=message):
            function(image)


def test_psnr_is_that_of_scikit_image():
    metrics = pytest.importorskip("skimage.metrics")
    image, other = photo(), photo()[::-1]
    expected = metrics.peak_signal_noise_ratio(image, other, data_range=1.5)
    assert psnr(image, other, data_range=1.5) == pytest.approx(expected)
    assert psnr(image, image) == np.inf
    with pytest.raises(ValueError, match="differ in shape"):
        psnr(image, image[:5])


# ---------------------------------------------------------------------- approximation


@given(IMAGES)
def test_errors_are_those_of_the_approximations(image):
    wavelets = image_wavelets(image, random_state=0)
    values = image / 255
    for m in range(0, wavelets.n_terms + 1, 1 + wavelets.n_terms // 5):
        error = np.sqrt(np.mean((values - wavelets.approximate(m)) ** 2))
        assert wavelets.errors[m] == pytest.approx(error, abs=1e-9)
    np.testing.assert_allclose(wavelets.approximate(wavelets.n_terms), values, atol=1e-12)


def test_terms_are_orthogonal_functions_of_the_size_of_their_coefficients():
    wavelets = image_wavelets(photo(12), random_state=0)
    steps = [wavelets.approximate(m).ravel() for m in range(wavelets.n_terms + 1)]
    terms = np.diff(steps, axis=0)
    energy = np.sum(wavelets.coefficients[wavelets.order] ** 2, axis=1)
    np.testing.assert_allclose(terms @ terms.T, np.diag(energy), atol=1e-10)
    assert (np.diff(energy) <= 1e-12).all()


def test_dyadic_cuts_give_the_transform_of_haar():
    image = np.kron([[0.1, 0.2], [0.8, 0.9]], np.ones((4, 4)))
    wavelets = image_wavelets(image, random_state=0)
    # Halves of 32 pixels differ by 0.7, quarters of 16 by 0.1.
    sizes = np.abs(wavelets.coefficients[wavelets.order, 0])
    np.testing.assert_allclose(sizes, [0.7 * np.sqrt(16), *2 * [0.1 * np.sqrt(8)]])


def test_depth_and_terms():
    wavelets = image_wavelets(photo(), max_depth=3, random_state=0)
    assert wavelets.n_terms == 7
    np.testing.assert_array_equal(wavelets.approximate(7), wavelets.approximate(100))
    assert repr(wavelets) == "ImageWavelets(shape=(64, 64), n_terms=7)"
    share = 1 - (wavelets.errors / wavelets.errors[0]) ** 2
    n_terms = np.flatnonzero(share >= 0.9)[0]
    text = f"Image of 64 x 64 as 7 terms; {n_terms} of them hold 90 % of its variance"
    assert " ".join(str(wavelets).split()).startswith(text)
    flat = image_wavelets(np.ones((4, 4)), random_state=0)
    assert str(flat) == "Image of 4 x 4 of one value, without terms."
    for n_terms in (-1, 2.5):
        with pytest.raises(ValueError, match="whole number"):
            wavelets.approximate(n_terms)


def test_arrays_are_read_only():
    wavelets = image_wavelets(photo(8))
    for each in (wavelets, pickle.loads(pickle.dumps(wavelets))):
        with pytest.raises(ValueError, match="read-only"):
            each.coefficients[0] = 1


@pytest.mark.slow
# Within 20 %: one image is one sample of the functions of that index, seen through
# 65,536 pixels.
@pytest.mark.parametrize(
    ("image", "index"),
    [
        (smooth_image(), 0.5),
        (random_surface(0.4), 0.2),
        (random_surface(0.8), 0.4),
        (disc().astype(int), 0.5),
    ],
    ids=["smooth", "rough surface", "smoother surface", "disc"],
)
def test_the_index_of_an_image_is_that_of_theory(image, index):
    X, y = image_samples(image.astype(float))
    estimator = BesovSmoothnessEstimator(3, random_state=0)
    alpha = estimator.fit(X, y.astype(image.dtype)).alpha_
    assert alpha == pytest.approx(index, rel=0.2)


@pytest.mark.slow
@pytest.mark.parametrize("image", [smooth_image(), random_surface(0.5)])
def test_the_index_predicts_how_the_error_falls(image):
    alpha = BesovSmoothnessEstimator(3, random_state=0).fit(*image_samples(image)).alpha_
    errors = image_wavelets(image, random_state=0).errors
    terms = np.unique(np.geomspace(20, 3000, 30).astype(int))
    slope = np.polyfit(np.log(terms), np.log(errors[terms]), 1)[0]
    assert -slope == pytest.approx(alpha, rel=0.15)


def test_haar_falls_as_the_index_says():
    pywt = pytest.importorskip("pywt")
    image = random_surface(0.6)
    alpha = BesovSmoothnessEstimator(3, random_state=0).fit(*image_samples(image)).alpha_
    levels = pywt.wavedec2(image - image.mean(), "haar", level=8)
    energy = np.sort(pywt.coeffs_to_array(levels)[0].ravel() ** 2)
    errors = np.sqrt(np.cumsum(energy))[::-1]  # Haar's basis is orthonormal
    terms = np.unique(np.geomspace(20, 3000, 30).astype(int))
    slope = np.polyfit(np.log(terms), np.log(errors[terms]), 1)[0]
    assert -slope == pytest.approx(alpha, rel=0.15)


def test_values_whose_squares_are_no_numbers_are_refused():
    with pytest.raises(ValueError, match="rescale y"):
        image_wavelets(1e200 * photo(8))
