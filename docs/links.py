"""Links of the site: those of tutorials lead to pages, and one that leads nowhere is a warning, which fails the build."""

import html.parser
import itertools
import logging
import pathlib
import posixpath
import re
import urllib.parse

log = logging.getLogger("mkdocs.links")  # whose warnings MkDocs counts
LINKS = {"a": "href", "img": "src", "link": "href", "script": "src"}


def on_post_page(output, page, config):
    """Turns what a tutorial says of other sources into links to their pages, and gives headings in Chinese their anchors.

    MkDocs does both for Markdown; notebooks come to it as HTML, whose headings without Latin letters have no anchor, while
    the table of contents counts them: ``_1``, ``_2``.
    """
    if not page.file.src_uri.endswith(".ipynb"):
        return output
    numbers = itertools.count(1)
    output = re.sub(r'<h(\d) id=""', lambda found: f'<h{found[1]} id="_{next(numbers)}"', output)
    return re.sub(r'href="((?!\w+:)[^"#]+)\.(?:md|ipynb)([#"])', r'href="\1.html\2', output)


def on_post_build(config):
    """Warns of every link within the site that leads nowhere."""
    site = pathlib.Path(config.site_dir)
    pages = {str(path.relative_to(site)): Page(path.read_text()) for path in site.rglob("*.html")}
    for name, page in pages.items():
        if name != "404.html":  # which is shown at any address
            for link in sorted(page.links):
                if not leads_somewhere(link, name, pages, site):
                    log.warning("%s: the link %s leads nowhere", name, link)


def leads_somewhere(link, name, pages, site):
    """Whether a link of the page of a name leads out of the site, or to a file and an anchor that are there."""
    parts = urllib.parse.urlsplit(link)
    if parts.scheme or parts.netloc:
        return True
    path = urllib.parse.unquote(parts.path)
    target = posixpath.normpath(posixpath.join(posixpath.dirname(name), path)) if path else name
    if target not in pages:
        return (site / target).exists()
    return not parts.fragment or urllib.parse.unquote(parts.fragment) in pages[target].anchors


class Page(html.parser.HTMLParser):
    """What a page links to, and the anchors that it has.

    Args:
        text: its HTML.

    Attributes:
        links: as they are written.
        anchors: the ids of its elements.
    """

    def __init__(self, text):
        super().__init__()
        self.links, self.anchors = set(), set()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        """Called with every element: notes its link and its id."""
        attributes = dict(attrs)
        if link := attributes.get(LINKS.get(tag)):
            self.links.add(link)
        self.anchors |= {attributes.get(name) for name in ("id", "name")} - {None}
