"""What tests of the command line share."""

import json

import pytest
from sklearn.datasets import load_iris

from sksmooth.command_line import main


@pytest.fixture
def call(capsys):
    """Run the command line in this process: exit code, standard output and error."""

    def run(*arguments):
        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


@pytest.fixture
def strict_json():
    """Read JSON that holds no infinity and no NaN."""

    def reject(token):
        raise AssertionError(f"{token} is not strict JSON")

    return lambda text: json.loads(text, parse_constant=reject)


@pytest.fixture
def call_json(call, strict_json):
    """Run ``measure --json`` and read its output."""

    def run(*arguments):
        code, out, err = call("measure", *arguments, "--json")
        assert (code, err) == (0, "")
        return strict_json(out)

    return run


@pytest.fixture
def call_wrongly(call):
    """Run a command that must fail, and give its one line of error."""

    def run(*arguments):
        code, out, err = call(*arguments)
        assert (code, out) == (2, "")
        assert err.startswith("sksmooth: error: ")
        assert err.count("\n") == 1
        assert err.endswith("\n")
        return err

    return run


@pytest.fixture
def iris():
    data = load_iris(as_frame=True)
    return data.data.assign(species=data.target_names[data.target])
