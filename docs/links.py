"""MkDocs hooks for links: tutorials link to pages of the site, and a broken link is a warning, which fails the build."""

import html.parser
import itertools
import logging
import pathlib
import posixpath
import re
import urllib.parse

log = logging.getLogger("mkdocs.links")  # MkDocs counts the warnings of this logger
LINKS = {"a": "href", "img": "src", "link": "href", "script": "src"}


def on_post_page(output, page, config):
    """Converts links of a tutorial to ``.md`` and ``.ipynb`` files into links to pages, and adds anchors to Chinese headings.

    MkDocs does both for Markdown, but receives notebooks as HTML. There, headings without Latin letters have no anchor, while
    the table of contents numbers them: ``_1``, ``_2``.
    """
    if not page.file.src_uri.endswith(".ipynb"):
        return output
    numbers = itertools.count(1)
    output = re.sub(r'<h(\d) id=""', lambda match: f'<h{match[1]} id="_{next(numbers)}"', output)
    return re.sub(r'href="((?!\w+:)[^"#]+)\.(?:md|ipynb)([#"])', r'href="\1.html\2', output)


def on_post_build(config):
    """Logs a warning for every broken link within the site."""
    site = pathlib.Path(config.site_dir)
    pages = {str(path.relative_to(site)): Page(path.read_text()) for path in site.rglob("*.html")}
    for name, page in pages.items():
        if name != "404.html":  # served at any address, so its relative links cannot be checked
            for link in sorted(page.links):
                if not leads_somewhere(link, name, pages, site):
                    log.warning("%s: the link %s leads nowhere", name, link)


def leads_somewhere(link, name, pages, site):
    """Returns True if a link on page ``name`` leaves the site, or leads to an existing file and anchor."""
    parts = urllib.parse.urlsplit(link)
    if parts.scheme or parts.netloc:
        return True
    path = urllib.parse.unquote(parts.path)
    target = posixpath.normpath(posixpath.join(posixpath.dirname(name), path)) if path else name
    if target not in pages:
        return (site / target).exists()
    return not parts.fragment or urllib.parse.unquote(parts.fragment) in pages[target].anchors


class Page(html.parser.HTMLParser):
    """The links and the anchors of an HTML page.

    Args:
        text: The HTML of the page.

    Attributes:
        links: The set of links, as written.
        anchors: The set of ids of its elements.
    """

    def __init__(self, text):
        super().__init__()
        self.links, self.anchors = set(), set()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        """Records the link and the id of an element."""
        attributes = dict(attrs)
        if link := attributes.get(LINKS.get(tag)):
            self.links.add(link)
        self.anchors |= {attributes.get(name) for name in ("id", "name")} - {None}
