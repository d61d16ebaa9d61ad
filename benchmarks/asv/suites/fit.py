"""The fit of the estimator, which also measures, beside that of a forest."""

from .data import DATA, MODELS, compile_loops, load, make_model


class Fit:
    """Seconds of a fit, by data and number of jobs."""

    params = [DATA, MODELS, [1, 2]]
    param_names = ["data", "model", "n_jobs"]

    def setup(self, data, model, n_jobs):
        self.X, self.y = load(data)
        self.model = compile_loops(make_model(model, n_jobs))

    def time_fit(self, data, model, n_jobs):
        self.model.fit(self.X, self.y)


class Memory:
    """Peak memory of a process that imports the library, loads the data and fits."""

    params = [DATA, MODELS]
    param_names = ["data", "model"]

    def setup(self, data, model):
        self.X, self.y = load(data)
        self.model = compile_loops(make_model(model))

    def peakmem_fit(self, data, model):
        self.model.fit(self.X, self.y)
