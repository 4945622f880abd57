"""Answers HTTP on a UNIX socket; what it answers is the business of app.py, which stands above this."""

import json
import os
import selectors
import signal
import socket
import sys
import time

BEGUN = time.monotonic()
LIMIT = 16384


def say(level, message):
    moment = time.strftime("%Y-%m-%dT%H:%M:%S") + f".{int(time.time() * 1000) % 1000:03d}"
    zone = time.strftime("%z")
    print(f"{moment}{zone[:3]}:{zone[3:]} {level:<5} {message}", flush=True)


def answer(path):
    if path == "/health":
        waiting = READY_AFTER - (time.monotonic() - BEGUN)
        if waiting > 0:
            return 503, {"status": "warming up", "seconds": round(waiting, 1)}
        return 200, {"status": "ok"}
    about = {"service": SERVICE, "branch": BRANCH, "commit": COMMIT[:8], "path": path}
    return 200, {**about, **page(path)}


def reply(status, body):
    content = json.dumps(body, indent=1).encode() + b"\n"
    reason = {200: "OK", 400: "Bad Request", 503: "Service Unavailable"}[status]
    head = f"HTTP/1.1 {status} {reason}\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(content)}\r\nConnection: close\r\n\r\n".encode() + content


def handle(connection):
    connection.settimeout(2)
    request = b""
    while b"\r\n\r\n" not in request and len(request) < LIMIT:
        chunk = connection.recv(4096)
        if not chunk:
            return
        request += chunk
    words = request.split(b"\r\n", 1)[0].decode("latin-1").split(" ")
    path = words[1] if len(words) == 3 else ""
    status, body = answer(path) if path.startswith("/") else (400, {"error": "that is no request"})
    connection.sendall(reply(status, body))
    if path != "/health":
        say("INFO", f"GET {path[:80]} {status}")


def listen(path):
    if os.path.exists(path):
        os.unlink(path)
    server = socket.socket(socket.AF_UNIX)
    server.bind(path)
    server.listen(64)
    server.setblocking(False)
    return server


def serve(path):
    server = listen(path)
    say("INFO", f"{SERVICE} {BRANCH}@{COMMIT[:8]} listens on {os.path.basename(path)}")
    waiting = selectors.DefaultSelector()
    waiting.register(server, selectors.EVENT_READ)
    due = time.monotonic() + EVERY
    while True:
        if waiting.select(max(0.0, due - time.monotonic())):
            try:
                connection, _ = server.accept()
            except BlockingIOError:
                continue
            try:
                handle(connection)
            except OSError as error:
                say("WARN", f"a client went away: {error}")
            finally:
                connection.close()
        if time.monotonic() >= due:
            due += EVERY
            say(*work())


def stop(*_):
    say("INFO", "stopping")
    sys.exit(0)


def main():
    signal.signal(signal.SIGTERM, stop)
    serve(sys.argv[sys.argv.index("--socket") + 1])


main()
