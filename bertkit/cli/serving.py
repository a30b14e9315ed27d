"""The command that answers over HTTP (see commands.py for what a command is)."""

from typing import Any

from bertkit.serving.limits import Limits


def serve(folders: list[str], /, host: str = "127.0.0.1", port: int = 8080,
          limits: Limits = Limits()) -> dict[str, Any]:
    """Answer requests over HTTP until SIGTERM or Ctrl-C, which answer what was accepted; SIGHUP loads folders again.

    POST /v1/predict {"inputs": [text or [first, second], ...]} gives {"answers": [...]}. The page / says the rest.

    folders    bundles that a recipe left, or folders that `bertkit export --to tflite` wrote; the first is /v1/predict
    host       the address to listen at; 0.0.0.0 is reached from other machines
    port       the port; 0 takes a free one
    """
    from bertkit.serving import serve as run
    return run(folders, host, port, limits)
