"""Sphinx's settings for the course's site. `fer_course/site.py` gathers the sources and calls sphinx."""

from docutils.nodes import SkipNode
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.util.logging import getLogger

project = "Facial expression recognition"
language = "en"
exclude_patterns = ["README.md"]  # its parts stand on the pages that include them
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.autosummary"]
suppress_warnings = ["toc.empty_glob"]  # there may be no solutions

html_theme = "furo"
html_title = project
html_copy_source = False
html_show_copyright = False
html_use_index = False
html_domain_indices = False
html_static_path = ["_static"]
html_css_files = ["course.css"]
html_favicon = "_static/icon.svg"

# The stored outputs are shown. The page loads nothing from elsewhere, so it does not bring widgets to life.
nb_execution_mode = "off"
nb_merge_streams = True
nb_ipywidgets_js = {}
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3

# Docstrings are plain sentences: what stands between backticks is code, and a link where it names a part of the module.
default_role = "py:obj"
autodoc_default_options = {"members": True, "member-order": "bysource"}
autodoc_preserve_defaults = True  # a default such as a folder is shown as it is written
autodoc_typehints = "none"


def write_inline_math(translator, node):
    _write_math(translator, node, as_block=False)


def write_block_math(translator, node):
    _write_math(translator, node, as_block=True)


def _write_math(translator, node, as_block):
    """Browsers draw MathML themselves: no script, no fonts, no network."""
    try:
        translator.body.append(tex2mathml(node.astext(), as_block=as_block))
    except MathError as error:
        getLogger(__name__).warning("no MathML for %r: %s", node.astext(), error, location=node)
    raise SkipNode


def skip_bare_fields(app, what, name, obj, skip, options):
    """Leaves out the fields of named tuples, of which Python itself says no more than their number."""
    return True if (obj.__doc__ or "").startswith("Alias for field number") else None


def setup(app):
    """Called by sphinx."""
    app.connect("autodoc-skip-member", skip_bare_fields)
    app.add_html_math_renderer("mathml", (write_inline_math, None), (write_block_math, None))


html_math_renderer = "mathml"
