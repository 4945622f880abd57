"""Puts app.py and server.py together as one program, stamped with the commit that it was made from."""

import os
import pathlib
import sys

here = pathlib.Path(__file__).parent
service = os.environ["HERO_SERVICE"]
branch = os.environ["HERO_BRANCH"]
commit = os.environ["HERO_COMMIT"]

sources = []
for name in ("app.py", "server.py"):
    print(f"   Compiling {name}", flush=True)
    text = (here / name).read_text()
    try:
        compile(text, name, "exec")
    except SyntaxError as error:
        print(f"error: {name}:{error.lineno}: {error.msg}", file=sys.stderr)
        print(f"error: could not compile {service}", file=sys.stderr)
        sys.exit(1)
    sources.append(text)

stamp = f"SERVICE = {service!r}\nBRANCH = {branch!r}\nCOMMIT = {commit!r}\n"
program = here / "dist" / service
program.parent.mkdir(exist_ok=True)
program.write_text("#!/usr/bin/env python3\n" + stamp + "\n".join(sources))
program.chmod(0o755)
print(f"    Finished dist/{service}, {program.stat().st_size} bytes", flush=True)
