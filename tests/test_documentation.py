"""The pages: their links lead somewhere, their figures are those of the benchmarks."""

import re
from pathlib import Path

import pytest

import sksmooth

ROOT = Path(__file__).parents[1]
PAGES = [
    *ROOT.glob("*.md"),
    *ROOT.glob("doc/*.md"),
    *ROOT.glob("benchmarks/README.md"),
]
LINK = re.compile(r"\]\((?!https?:)([^()\s#]*)(?:#([^()\s]*))?\)")
NUMBER = re.compile(r"(?<![\w.,-])\d+[.,]\d+(?![\w.])")

pytestmark = pytest.mark.skipif(
    not (ROOT / "doc" / "figures.md").exists(), reason="installed without documentation"
)


def text_of(path):
    return path.read_text(encoding="utf-8")


def anchors(path):
    """Anchors of the headings, as git hosts and MyST make them."""
    headings = re.findall(r"^#+ (.*)$", text_of(path), re.MULTILINE)
    return {
        re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings
    }


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_to_files_and_headings(page):
    for target, anchor in LINK.findall(text_of(page)):
        path = (page.parent / target).resolve() if target else page
        assert path.exists(), target
        if anchor:
            assert anchor in anchors(path), f"{target}#{anchor}"


def test_links_are_found():
    (found,) = LINK.findall("[the interval](mathematics.md#the-interval)")
    assert found == ("mathematics.md", "the-interval")
    assert "the-interval" in anchors(ROOT / "doc" / "mathematics.md")


@pytest.mark.parametrize("name", sksmooth.exceptions.__all__)
def test_every_warning_and_error_is_explained(name):
    assert f"`{name}`" in text_of(ROOT / "doc" / "troubleshooting.md")


def test_figures_are_those_of_the_benchmarks():
    measured = set(NUMBER.findall(text_of(ROOT / "benchmarks" / "README.md")))
    shown = NUMBER.findall(text_of(ROOT / "doc" / "figures.md"))
    assert len(shown) > 100
    assert not [number for number in shown if number not in measured]
