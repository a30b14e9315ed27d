"""Reads a page as a browser does, and refuses what is not well nested."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"meta"}


@dataclass
class Node:
    """An element: its name, attributes and what is in it, elements and texts."""

    name: str
    attributes: dict
    inside: list = field(default_factory=list)

    @property
    def text(self):
        return "".join(part if isinstance(part, str) else part.text for part in self.inside)

    def all(self, *names):
        """Return the elements of these names within it, in order."""
        found = []
        for part in self.inside:
            if isinstance(part, Node):
                found += [part] * (part.name in names) + part.all(*names)
        return found


class _Reader(HTMLParser):
    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.open = [Node("", {})]

    def handle_starttag(self, tag, attrs):
        assert len(dict(attrs)) == len(attrs), f"{tag} has an attribute twice"
        node = Node(tag, dict(attrs))
        self.open[-1].inside.append(node)
        if tag not in VOID:
            self.open.append(node)

    def handle_endtag(self, tag):
        assert self.open.pop().name == tag

    def handle_data(self, data):
        self.open[-1].inside.append(data)


def read(html):
    """Return the page as a tree."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    assert len(reader.open) == 1, f"{reader.open[-1].name} is not closed"
    return reader.open[0]


def table(html, caption=""):
    """Return the rows of texts of the table whose caption begins so, the head first."""
    found = next(node for node in read(html).all("table") if node.all("caption")[0].text.startswith(caption))
    return [[cell.text for cell in row.all("th", "td")] for row in found.all("tr")]
