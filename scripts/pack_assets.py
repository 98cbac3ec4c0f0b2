#!/usr/bin/env python3
"""Packs a folder of web files into one, for the program to carry: pack_assets.py FOLDER OUT

A line a file (path, content type, first 16 hex digits of its SHA-256, coding, offset, bytes; split
by tabs), an empty line, and the bytes. Files are gzipped where that makes them smaller; the first
page is there plain too, for whoever takes no gzip. The same files give the same bytes.
"""

import gzip
import hashlib
import pathlib
import sys

TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".json": "application/json",
    ".woff2": "font/woff2",
}


def main() -> None:
    folder, out = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    lines, blob = [], b""
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        plain = path.read_bytes()
        packed = gzip.compress(plain, 9, mtime=0)
        name = "/" + path.relative_to(folder).as_posix()
        kind = TYPES.get(path.suffix)
        if kind is None:
            sys.exit(f"pack_assets: no content type is known for {name}; add it to TYPES")
        digest = hashlib.sha256(plain).hexdigest()[:16]
        codings = [("gzip", packed)] if len(packed) < len(plain) else [("identity", plain)]
        if path.suffix == ".html" and codings[0][0] == "gzip":
            codings.append(("identity", plain))
        for coding, data in codings:
            lines.append(f"{name}\t{kind}\t{digest}\t{coding}\t{len(blob)}\t{len(data)}\n")
            blob += data
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_bytes("".join(lines).encode() + b"\n" + blob)


main()
