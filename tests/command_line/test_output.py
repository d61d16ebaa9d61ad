"""Standard output and standard error that are closed, full, or know few characters."""

import os
import subprocess
import sys

import pytest

from sksmooth.command_line import main

pytestmark = pytest.mark.skipif(
    not os.path.exists("/dev/full"), reason="needs a device that is always full"
)
SHORT = ["--trees", "2", "--quiet"]


@pytest.fixture
def data(iris, tmp_path):
    path = tmp_path / "iris.csv"
    iris.to_csv(path, index=False)
    return [str(path), "--target", "species"]


@pytest.fixture
def in_shell(tmp_path):
    """Run the command line in a shell: exit code, standard output and error."""

    def run(arguments, redirection, **environment):
        program = subprocess.run(
            ["bash", "-c", f'set -o pipefail; "$@" {redirection}', "bash"]
            + [sys.executable, "-m", "sksmooth", *arguments],
            capture_output=True,
            text=True,
            check=False,
            env=os.environ | environment,
        )
        return program.returncode, program.stdout, program.stderr

    return run


FULL, CLOSED, UNREADABLE = ">/dev/full", ">&-", "1</dev/null"
PROBLEMS = {
    FULL: "cannot write to standard output: No space left on device",
    CLOSED: "standard output is closed; direct it to a file or to /dev/null",
    UNREADABLE: "cannot write to standard output: Bad file descriptor",
}


@pytest.mark.parametrize(
    ("command", "redirection"),
    [
        ("measure DATA --trees 2 --quiet", FULL),
        ("measure DATA --trees 2 --json", FULL),
        ("report DATA --trees 2 --quiet --brief --output FOLDER/page.html", FULL),
        ("measure --help", FULL),
        ("--version", FULL),
        ("", FULL),
        ("measure DATA", CLOSED),
        ("--help", CLOSED),
        ("measure DATA --trees 2 --quiet", UNREADABLE),
    ],
)
def test_output_that_cannot_be_written(command, redirection, data, in_shell, tmp_path):
    command = command.replace("DATA", " ".join(data)).replace("FOLDER", str(tmp_path))
    code, _, err = in_shell(command.split(), redirection)
    assert (code, err) == (2, f"sksmooth: error: {PROBLEMS[redirection]}\n")


@pytest.mark.parametrize("arguments", [["--json", *SHORT], ["--trees", "2"]])
def test_a_closed_pipe_ends_it_quietly(arguments, data, in_shell):
    command = ["measure", *data, *arguments]
    code, _, err = in_shell(command, "| true")  # which reads nothing, less than `head`
    assert code == 141
    assert "rror" not in err


@pytest.mark.parametrize("redirection", ["2>&-", "2>/dev/full"])
def test_progress_that_cannot_be_shown(redirection, data, in_shell, call):
    command = ["measure", *data, "--trees", "2", "--jobs", "2"]
    code, out, _ = in_shell(command, redirection)
    assert (code, out) == call(*command, "--quiet")[:2]


@pytest.mark.parametrize("redirection", ["2>&-", "2>/dev/full"])
def test_errors_that_cannot_be_shown(redirection, in_shell):
    assert in_shell(["measure", "none.csv", "--target", "y"], redirection)[:2] == (2, "")


def test_characters_that_the_output_does_not_know(iris, tmp_path, in_shell):
    frame = iris.set_axis(["größe", "b", "größe 2", "größe 3", "y"], axis=1)
    frame.to_csv(tmp_path / "iris.csv", index=False)
    arguments = ["measure", str(tmp_path / "iris.csv"), "--target", "y", *SHORT]
    code, out, err = in_shell(arguments, "", PYTHONIOENCODING="ascii")
    assert (code, err) == (0, "")
    assert r"gr\xf6\xdfe 2" in out


def test_a_closed_output_in_the_same_process(data, capsys, monkeypatch):
    monkeypatch.setattr(sys, "stdout", None)
    assert main(["measure", *data]) == 2
    assert "standard output is closed" in capsys.readouterr().err
