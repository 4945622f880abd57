"""Stands in for the cockpit where a test is about the tab around it: says how it was started, echoes keys."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import BinaryIO


def say(kind: bytes, content: object) -> None:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    sys.stdout.buffer.write(kind + len(body).to_bytes(4, "big") + body)
    sys.stdout.buffer.flush()


def packets(source: BinaryIO) -> None:
    """Until it is told to quit, or nobody is there any more."""
    while head := source.read(5):
        body = source.read(int.from_bytes(head[1:], "big"))
        told = json.loads(body) if head[:1] == b"M" else {"type": "keys"}
        match told["type"]:
            case "keys" if body == b"q":
                return
            case "keys" if body == b"dig":  # what no cockpit may have a browser do
                say(b"M", {"type": "open_url", "url": "https://evil.example/", "new_tab": True})
                say(b"M", {"type": "deliver_file_start", "key": "k", "path": "/etc/passwd"})
                say(b"D", b"dug")
            case "keys":
                say(b"D", b"keys:" + body)
            case "resize":
                say(b"D", f"size:{told['width']}x{told['height']}".encode())
            case "quit" if "stubborn" not in sys.argv:
                say(b"M", {"type": "exit"})
                return


if __name__ == "__main__":
    print("__GANGLION__", flush=True)
    say(b"D", {"argv": sys.argv[1:], "environment": dict(os.environ), "pid": os.getpid(), "cwd": str(Path.cwd())})
    packets(sys.stdin.buffer)
