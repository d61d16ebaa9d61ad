"""Feature sets of tables that scikit-learn ships."""

from functools import cache

import numpy as np
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.decomposition import PCA


@cache
def tables():
    """Feature sets by data set, and the classes."""
    pixels, numerals = load_digits(return_X_y=True)
    images = pixels.reshape(-1, 8, 8)
    cells, kinds = load_breast_cancer(return_X_y=True)
    noise = np.random.RandomState(930_000).standard_normal(pixels.shape)
    return {
        "digits": (
            {
                "pixels": pixels,
                "left half": images[:, :, :4].reshape(-1, 32),
                "blocks": images.reshape(-1, 4, 2, 4, 2).mean(axis=(2, 4)).reshape(-1, 16),
                "rows and columns": np.hstack([images.mean(axis=2), images.mean(axis=1)]),
                "black and white": (pixels > 8).astype(float),
                "10 components": PCA(10, random_state=0).fit_transform(pixels),
                "20 components": PCA(20, random_state=0).fit_transform(pixels),
                "noise of 3": pixels + 3 * noise,
                "noise of 4": pixels + 4 * noise,
            },
            numerals,
        ),
        "breast cancer": (
            {"all": cells, "mean": cells[:, :10], "worst": cells[:, 20:]},
            kinds,
        ),
    }
