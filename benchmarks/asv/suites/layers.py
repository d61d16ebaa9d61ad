"""All layers of a small network, beside one layer after the other."""

from _data import prototype_images
from compare_layers import network

from sksmooth import BesovSmoothnessEstimator, LayerFeatureTransformer, compare_layers

LAYERS = ["8", "11", "13", "14"]  # 2048, 256, 128 and 10 features
N_IMAGES = 200


class Layers:
    """Seconds of ``compare_layers``, and of a transformer and a fit for each layer."""

    def setup(self):
        self.module = network().eval()
        self.X, self.y = prototype_images(N_IMAGES, (3, 32, 32))
        self.estimator = BesovSmoothnessEstimator(2, random_state=0)
        self.time_compare_layers()  # compiles
        self.time_one_layer_after_the_other()

    def time_compare_layers(self):
        compare_layers(
            self.module, self.X, self.y, LAYERS, self.estimator, random_state=0, n_jobs=1
        )

    def time_one_layer_after_the_other(self):
        for layer in LAYERS:
            features = LayerFeatureTransformer(self.module, layer).fit_transform(self.X)
            self.estimator.fit(features, self.y)
