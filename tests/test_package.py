"""The package as a whole: its layers, and what its papers say of it."""

import ast
import configparser
from pathlib import Path

import pytest

import sksmooth

ROOT = Path(__file__).parents[1]
PACKAGE = Path(sksmooth.__file__).parent  # installed, or beside the tests
needs_sources = pytest.mark.skipif(
    not (ROOT / "setup.cfg").exists(), reason="these tests are not in the source tree"
)

# Nothing imports what stands below it.
LAYERS = [
    "exceptions",
    "_state",
    "_html",
    "_sklearn",
    "_writing",
    "_compilation",
    "_kernels",
    "_validation",
    "_progress",
    "datasets",
    "targets",
    "forests",
    "_forest_estimator",
    "wavelets",
    "replicates",
    "decay",
    "summary",
    "besov",
    "forest_models",
    "images",
    "layers",
    "probes",
    "layer_table",
    "comparison",
    "roughness",
    "monitor",
    "plotting",
    "report",
    "command_line",
]
# Methods that open a wing above their own when they are called, not before: a report of an
# estimator is asked for by the estimator, and needs much that needs estimators.
OPENED_LATE = {("besov", "report"), ("layer_table", "report")}


def imported_layers(path):
    package = path.relative_to(PACKAGE.parent).with_suffix("").parts
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            absolute = [*package[: -node.level], *(node.module or "").split(".")]
            names = [alias.name for alias in node.names]
            inside = [part for part in absolute if part][1:]
            yield from inside[:1] or names


@pytest.mark.parametrize("layer", LAYERS)
def test_imports_go_one_way(layer):
    module = PACKAGE / f"{layer}.py"
    paths = [module] if module.exists() else sorted((PACKAGE / layer).glob("*.py"))
    for path in paths:
        for imported in imported_layers(path):
            if imported in LAYERS and (layer, imported) not in OPENED_LATE:
                assert LAYERS.index(imported) <= LAYERS.index(layer), path.name


def test_the_layers_are_found_in_the_imports():
    assert {"wavelets", "decay", "forests"} <= set(imported_layers(PACKAGE / "besov.py"))
    assert "targets" in set(imported_layers(PACKAGE / "forests" / "grow.py"))


def test_every_module_has_a_layer():
    modules = {path.stem for path in PACKAGE.glob("*.py")} - {"__init__", "__main__"}
    folders = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert modules | folders == set(LAYERS)


@needs_sources
def test_readme_has_two_commands_and_the_checks_use_the_second():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    commands = [block.split("```")[0].strip() for block in readme.split("```sh\n")[1:]]
    assert len(commands) == 2
    assert "-m sksmooth demo" in commands[0]
    assert readme.count("-m pytest") == 1
    assert "-m pytest" in commands[1]
    assert "README.md" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


@needs_sources
def test_version_is_the_same_everywhere():
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"version: {sksmooth.__version__}" in citation


@needs_sources
def test_the_oldest_versions_tested_are_those_that_are_allowed():
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    allowed = config["options"]["install_requires"].split()
    lines = (ROOT / "constraints-oldest.txt").read_text(encoding="utf-8").splitlines()
    tested = dict(line.split("==") for line in lines if not line.startswith("#"))
    for requirement in allowed:
        name, oldest = requirement.split(">=")
        assert tested[name] in (oldest, f"{oldest}.0"), name
