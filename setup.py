"""Fill in what setup.cfg cannot: the README with absolute links, for a package index."""

import re
from configparser import ConfigParser
from pathlib import Path

from setuptools import setup

ROOT = Path(__file__).parent
LINK = re.compile(r"(!?)\[([^]]*)\]\((?!https?:|#)([^)]+)\)")


def absolute(readme: str, url: str) -> str:
    """Let links lead to the repository, and pictures come from it."""

    def replace(link: re.Match) -> str:
        is_picture, text, path = link.groups()
        kind = "raw" if is_picture else "blob"
        return f"{is_picture}[{text}]({url}/{kind}/main/{path})"

    return LINK.sub(replace, readme)


settings = ConfigParser()
settings.read(ROOT / "setup.cfg", encoding="utf-8")
setup(
    long_description=absolute(
        (ROOT / "README.md").read_text(encoding="utf-8"), settings["metadata"]["url"]
    ),
    long_description_content_type="text/markdown",
)
