"""An extension of griffe, which reads the docstrings: examples are shown as code wherever they stand."""

import re

from griffe import Extension

EXAMPLE = re.compile(r"^( *)>>> .*(?:\n\1(?! *$).+)*", flags=re.MULTILINE)


def fenced(text):
    """Return a docstring with fences around its examples; what is fenced stays as it is.

    >>> print(fenced("Add.\\n\\n>>> 1 + 1\\n2"))
    Add.
    <BLANKLINE>
    ```pycon
    >>> 1 + 1
    2
    ```
    """
    if "```" in text:
        return text
    return EXAMPLE.sub(lambda found: f"{found[1]}```pycon\n{found[0]}\n{found[1]}```", text)


class Doctests(Extension):
    """Fences the examples of every docstring when griffe has read it."""

    def on_object(self, *, obj, **kwargs):
        if obj.docstring and ">>>" in obj.docstring.value:
            obj.docstring.value = fenced(obj.docstring.value)
