"""A model over HTTP, and a page to try it on.

`app` has the routes, `schemas` what goes in and comes out, `guard` what is refused before a route sees it, `batching`
the queue of texts and the thread that scores them, `server` the process: its address, its signals, its end. The page is
`page/`: three files, which load nothing from elsewhere.
"""

from sentiment_pipeline.serve.limits import Limits
from sentiment_pipeline.serve.server import Address, serve

__all__ = ["Address", "Limits", "serve"]
