"""What is found, as a page: written to a file, or shown by a notebook."""

from pathlib import Path

from bertkit.report.markup import element
from bertkit.report.page import write_report

HEIGHT = 640        # pixels of a page in a notebook, which can be scrolled


class Shown:
    """Something that has a page. A notebook shows it where a cell ends with it.

    Example:
        >>> class Answer(Shown):
        ...     def page(self):
        ...         return "<p>42</p>"
        >>> Answer()._repr_html_()[:45]
        '<iframe srcdoc="&lt;p&gt;42&lt;/p&gt;" title='
    """

    def page(self) -> str:
        """Return the page.

        Returns:
            The HTML of a whole document, which needs no network.

        Raises:
            NotImplementedError: When a subclass has none.
        """
        raise NotImplementedError

    def write_page(self, path: str | Path | None) -> None:
        """Write the page, whole or not at all.

        Args:
            path: The file; None writes nothing.

        Raises:
            Error: When it cannot be written.
        """
        if path is not None:
            write_report(path, self.page())

    def _repr_html_(self) -> str:
        # A frame of its own: the page's look stays inside, and its scripts cannot reach the notebook.
        return str(element("iframe", srcdoc=self.page(), title=type(self).__name__, width="100%", height=HEIGHT,
                           sandbox="allow-scripts", frameborder="0"))
