"""What fitted models are asked for: wavelets, features, held-out scores."""

from sksmooth import wavelet_decomposition

from .data import DATA, MODELS, load, make_model


class Decomposition:
    """The wavelets of a forest of scikit-learn, beside one look-up of its paths."""

    params = [DATA]
    param_names = ["data"]

    def setup(self, data):
        self.X, self.y = load(data)
        self.forest = make_model("RandomForestClassifier").fit(self.X, self.y)
        wavelet_decomposition(self.forest, self.X, self.y)  # compiles

    def time_wavelet_decomposition(self, data):
        wavelet_decomposition(self.forest, self.X, self.y)

    def time_decision_path(self, data):
        self.forest.decision_path(self.X)


class Fitted:
    """Features and scores of the estimator, beside those that a forest has."""

    params = [DATA, MODELS]
    param_names = ["data", "model"]

    def setup(self, data, model):
        self.X, self.y = load(data)
        self.model = make_model(model).fit(self.X, self.y)
        features = {"sksmooth": "transform", "RandomForestClassifier": "apply"}
        self.features = getattr(self.model, features[model])
        self.features(self.X)  # compiles
        self.model.score(self.X, self.y)

    def time_features(self, data, model):
        self.features(self.X)

    def time_score(self, data, model):
        self.model.score(self.X, self.y)
