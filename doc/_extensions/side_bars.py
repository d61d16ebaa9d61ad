"""Leave out side bars that have nothing to show, which the theme would leave empty."""


def has_sections(context):
    """Tell whether a page has sections to list on the right."""
    return context.get("toc", "").count("<li") > 1


def has_downloads(docname):
    """Tell whether a page offers files, as examples of the gallery do."""
    return docname.startswith("auto_examples/") and "/plot_" in docname


def has_neighbours(env, docname):
    """Tell whether a page of the site's menu has pages below it, or is one of them."""
    top_level = env.toctree_includes.get(env.config.root_doc, [])
    return docname not in top_level or docname in env.toctree_includes


def leave_out(app, docname, template, context, doctree):
    """Remove the items of empty bars."""
    if not has_sections(context) and not has_downloads(docname):
        context["secondary_sidebar_items"] = []
    if not has_neighbours(app.env, docname):
        context["sidebars"] = []


def setup(app):
    """Connect the hook, after that of the theme, which fills the bars."""
    app.connect("html-page-context", leave_out, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
