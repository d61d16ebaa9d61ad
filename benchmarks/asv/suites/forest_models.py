"""Forests of wavelets for prediction, beside those of scikit-learn."""

from sklearn.ensemble import RandomForestClassifier

from sksmooth import WaveletForestClassifier

from .data import DATA, compile_loops, load

FORESTS = {
    "sksmooth": WaveletForestClassifier,
    "RandomForestClassifier": RandomForestClassifier,
}
N_TREES = 20


class Forests:
    """Seconds of fit and prediction; both try the root of the number of features."""

    params = [DATA, list(FORESTS)]
    param_names = ["data", "model"]

    def setup(self, data, model):
        self.X, self.y = load(data)
        self.fitted = FORESTS[model](N_TREES, random_state=0).fit(self.X, self.y)
        self.fitted.predict(self.X)  # compiles
        self.unfitted = compile_loops(FORESTS[model](N_TREES, random_state=0))

    def time_fit(self, data, model):
        self.unfitted.fit(self.X, self.y)

    def time_predict(self, data, model):
        self.fitted.predict(self.X)
