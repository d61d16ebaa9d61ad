"""The package as a whole: its layers, and what its papers say of it."""

import ast
import configparser
import re
import runpy
from pathlib import Path

import pytest

import sksmooth

ROOT = Path(__file__).parents[1]
PACKAGE = Path(sksmooth.__file__).parent  # installed, or beside the tests
needs_sources = pytest.mark.skipif(
    not (ROOT / "setup.cfg").exists(), reason="these tests are not in the source tree"
)

# A room imports only rooms that stand above it: the order of CONTRIBUTING.md.
ROOMS = [
    *(
        "_version",
        "exceptions",
        "_lib",
        "samples",
        "datasets",
        "trees",
        "wavelets",
        "index",
    ),
    *("index", "estimators", "images", "networks", "integrations", "display", "plotting"),
    "command_line",
]


def module_name(path):
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in sorted(PACKAGE.rglob("*.py"))}


def imported_modules(name):
    """The modules of the package that a module imports, wherever in it."""
    path = MODULES[name]
    package = name.split(".") if path.stem == "__init__" else name.split(".")[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.level or node.module == "sksmooth"):
            base = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*base, *filter(None, [node.module])])
            for alias in node.names:
                whole = f"{base}.{alias.name}"
                yield whole if whole in MODULES else base


def room(name):
    return name.split(".")[1] if "." in name else ""


def test_every_module_is_in_a_room():
    assert {room(name) for name in MODULES} == {"", "__main__", *ROOMS}


@pytest.mark.parametrize("name", [name for name in MODULES if room(name) in ROOMS])
def test_no_import_runs_back_up(name):
    for imported in imported_modules(name):
        assert room(imported) in ROOMS, f"{name} imports the package itself"
        assert ROOMS.index(room(imported)) <= ROOMS.index(room(name)), imported


def test_no_modules_import_each_other_in_a_circle():
    imports = {name: set(imported_modules(name)) - {name} for name in MODULES}
    done = set()
    while ready := {name for name in imports.keys() - done if imports[name] <= done}:
        done |= ready
    assert imports.keys() == done, sorted(imports.keys() - done)


def test_imports_are_found_where_they_are():
    found = set(imported_modules("sksmooth.estimators.besov"))
    assert {"sksmooth.trees", "sksmooth.estimators.base"} <= found


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
    page = (ROOT / "doc" / "citing.md").read_text(encoding="utf-8")
    assert f"version = {{{sksmooth.__version__}}}" in page


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


@needs_sources
def test_the_recipe_asks_for_what_the_package_needs():
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    recipe = (ROOT / "recipe" / "meta.yaml").read_text(encoding="utf-8")
    assert f'version = "{sksmooth.__version__}"' in recipe
    _, run, _ = re.split(r"\n  run:\n|\ntest:\n", recipe)
    needed = {line.strip("- ").replace(" ", "") for line in run.split("\n") if line.strip()}
    python = f"python{config['options']['python_requires']}"
    assert needed == {python, *config["options"]["install_requires"].split()}


@needs_sources
def test_the_readme_of_the_distribution_links_to_the_repository(monkeypatch):
    setuptools = pytest.importorskip("setuptools")
    given = {}
    monkeypatch.setattr(setuptools, "setup", lambda **options: given.update(options))
    runpy.run_path(str(ROOT / "setup.py"))
    text = given["long_description"]
    assert "](doc/" not in text
    assert "](https://github.com/sksmooth/sksmooth/raw/main/doc/images/demo.png)" in text
    assert "](https://github.com/sksmooth/sksmooth/blob/main/doc/what_to_do.md)" in text
