"""Answer requests over HTTP: `bertkit serve`. How a request goes:

    application.py   the paths; reads a request, answers it
    body.py          the body of a request as inputs, within limits
    batching.py      the requests that wait, and the one thread that computes the answers
    models.py        the bundles that are served, and how one takes the place of another
    measures.py      what /metrics says
    openapi.py       the description of the paths, as JSON and as a page
    server.py        the socket, the signals, the orderly end

No TensorFlow is imported before a bundle is loaded.
"""

from bertkit.serving.limits import Limits
from bertkit.serving.start import serve

__all__ = ["Limits", "serve"]
