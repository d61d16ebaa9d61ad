"""Render formulas as MathML, which browsers display without a script, font or network.

A formula that cannot be translated gives a warning, which ``-W`` turns into an error.
"""

import re

from docutils.nodes import SkipNode
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.util import logging

logger = logging.getLogger(__name__)
# Norm bars: browsers would stretch the opening one to the height of the whole formula.
BAR = re.compile(r"<mo(?: class=\"math\w+\")?>([‖|])</mo>")


def translated(node, as_block):
    """Translate a formula to MathML; on failure, warn and return its source."""
    formula = node.astext()
    try:
        return BAR.sub(r'<mo stretchy="false">\1</mo>', tex2mathml(formula, as_block))
    except MathError as error:
        logger.warning("%s in formula %r", error, formula, location=node)
        return f"<code>{formula}</code>"


def visit_inline(self, node):
    """Write an inline formula."""
    self.body.append(translated(node, as_block=False))
    raise SkipNode


def visit_block(self, node):
    """Write a displayed formula, in a box that scrolls on narrow screens."""
    self.body.append(f'<div class="formula">{translated(node, as_block=True)}</div>')
    raise SkipNode


def setup(app):
    """Register this renderer of formulas."""
    app.add_html_math_renderer(
        "mathml",
        inline_renderers=(visit_inline, None),
        block_renderers=(visit_block, None),
    )
    return {"parallel_read_safe": True, "parallel_write_safe": True}
