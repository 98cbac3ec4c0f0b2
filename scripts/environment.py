"""A Python environment of its own under build/, made once for a list of pinned packages."""

import hashlib
import pathlib
import subprocess
import sys
import venv

ROOT = pathlib.Path(__file__).resolve().parents[1]


def python(requirements: pathlib.Path, name: str) -> pathlib.Path:
    """The interpreter of build/NAME with the packages of `requirements`."""
    folder = ROOT / "build" / name
    want = hashlib.sha256(requirements.read_bytes()).hexdigest()
    stamp = folder / "stamp"
    if not stamp.exists() or stamp.read_text() != want:
        print(f"preparing build/{name}", file=sys.stderr)
        venv.create(folder, clear=True, with_pip=True)
        subprocess.run([folder / "bin" / "python", "-m", "pip", "install", "--quiet",
                        "--disable-pip-version-check", "-r", requirements], check=True)
        stamp.write_text(want)
    return folder / "bin" / "python"
