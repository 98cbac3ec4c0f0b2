"""Credentials of many providers' shapes with random values: no such key was ever issued. They are
put together here, so that no file holds one."""

import base64
import json
import random
import re
import string
import uuid

LETTERS = string.ascii_letters
ALNUM = string.ascii_letters + string.digits
HEX = string.digits + "abcdef"
UPPER = string.ascii_uppercase + string.digits
URL_SAFE = ALNUM + "-_"


def _some(alphabet, count, prefix=""):
    return lambda draw: prefix + "".join(draw.choices(alphabet, k=count))


def _base64(size):
    return lambda draw: base64.b64encode(draw.randbytes(size)).decode()


def _joined(separator, *parts):
    return lambda draw: separator.join(part(draw) for part in parts)


def _password(draw):
    """As people choose them, fit for a URL."""
    word = "".join(draw.choices(string.ascii_lowercase, k=6)).capitalize()
    rest = "".join(draw.choices(ALNUM, k=6))
    return word + draw.choice("-_!.") + rest + draw.choice(string.digits)


def _basic(draw):
    return base64.b64encode(f"deploy:{_password(draw)}".encode()).decode()


def _jwt(draw):
    def part(value):
        return base64.urlsafe_b64encode(value).rstrip(b"=").decode()

    head = json.dumps({"alg": "HS256", "typ": "JWT"}).encode()
    body = json.dumps({"sub": str(draw.randrange(10**6)), "iat": draw.randrange(10**9)}).encode()
    return ".".join((part(head), part(body), part(draw.randbytes(32))))


def _pem(kind, lines, line_end="\n"):
    def make(draw):
        body = [base64.b64encode(draw.randbytes(48)).decode() for _ in range(lines)]
        return line_end.join((f"-----BEGIN {kind}-----", *body, f"-----END {kind}-----"))

    return make


SHAPES = {
    "age": _some(UPPER, 58, "AGE-SECRET-KEY-" + "1"),
    "aliyun": _some(ALNUM, 20, "LTAI"),
    "alnum20": _some(ALNUM, 20),
    "alnum32": _some(ALNUM, 32),
    "alnum40": _some(ALNUM, 40),
    "anthropic": _some(URL_SAFE, 93, "sk-ant-" + "api03-"),
    "aws_id": _some(UPPER, 16, "AKIA"),
    "aws_secret": _some(ALNUM + "/+", 40),
    "azure": _joined("8Q~", _some(ALNUM, 3), _some(URL_SAFE, 34)),
    "b64_43": lambda draw: _base64(32)(draw).rstrip("="),
    "b64_44": _base64(32),
    "b64_88": _base64(64),
    "basic": _basic,
    "certificate": _pem("CERTIFICATE", 8),
    "digitalocean": _some(HEX, 64, "dop_v1" + "_"),
    "discord": _joined(".", _some(ALNUM, 24, "MT"), _some(ALNUM, 6, "G"), _some(URL_SAFE, 38)),
    "django": _some(ALNUM + "!@#%^&*(-_=+)", 44, "django-insecure-"),
    "docker": _some(URL_SAFE, 27, "dckr_pat" + "_"),
    "github": _some(ALNUM, 36, "ghp" + "_"),
    "github_pat": _joined("_", _some(ALNUM, 22, "github_pat" + "_"), _some(ALNUM, 59)),
    "gitlab": _some(URL_SAFE, 20, "glpat" + "-"),
    "google": _some(URL_SAFE, 35, "AIza"),
    "groq": _some(ALNUM, 52, "gsk" + "_"),
    "hex8": _some(HEX, 8),
    "hex16": _some(HEX, 16),
    "hex20": _some(HEX, 20),
    "hex32": _some(HEX, 32),
    "hex34": _some(HEX, 34),
    "hex40": _some(HEX, 40),
    "hex64": _some(HEX, 64),
    "huggingface": _some(LETTERS, 34, "hf" + "_"),
    "jwt": _jwt,
    "linear": _some(ALNUM, 40, "lin_api" + "_"),
    "mailgun": _joined("-", _some(HEX, 32, "key-"), _some(HEX, 8), _some(HEX, 8)),
    "notion": _some(ALNUM, 46, "ntn" + "_"),
    "npm": _some(ALNUM, 36, "npm" + "_"),
    "openai": _some(ALNUM, 48, "sk" + "-"),
    "openai_proj": _some(URL_SAFE, 100, "sk-" + "proj-"),
    "password": _password,
    "pem_json": _pem("PRIVATE " + "KEY", 10, "\\n"),
    "pem_openssh": _pem("OPENSSH PRIVATE " + "KEY", 6),
    "pem_rsa": _pem("RSA PRIVATE " + "KEY", 10),
    "pypi": _some(URL_SAFE, 140, "pypi-" + "AgEIcHlwaS5vcmc"),
    "sendgrid": _joined(".", _some("G", 1, "S"), _some(URL_SAFE, 22), _some(URL_SAFE, 43)),
    "sentry": _some(HEX, 64, "sntryu" + "_"),
    "shopify": _some(HEX, 32, "shpat" + "_"),
    "sk_hex32": _some(HEX, 32, "sk" + "-"),
    "slack_bot": _joined(
        "-", _some(string.digits, 12, "xoxb" + "-"), _some(string.digits, 12), _some(ALNUM, 24)
    ),
    "slack_hook": _joined("/", _some(UPPER, 8, "T"), _some(UPPER, 8, "B"), _some(ALNUM, 24)),
    "ssh_public": _some(ALNUM, 43, "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI"),
    "stripe_live": _some(ALNUM, 24, "sk_" + "live_"),
    "stripe_publishable": _some(ALNUM, 24, "pk_" + "live_"),
    "stripe_webhook": _some(ALNUM, 32, "whsec" + "_"),
    "telegram": _joined(":", _some(string.digits, 10), _some(URL_SAFE, 35)),
    "terraform": _joined(".", _some(ALNUM, 14), _some("v", 1, "atlas"), _some(ALNUM, 60)),
    "uuid": lambda draw: str(uuid.UUID(int=draw.getrandbits(128), version=4)),
    "vault": _some(URL_SAFE, 90, "hvs" + "."),
}
PLACE = re.compile(r"\{([a-z0-9_]+)\}")


def fill(text: str, seed: str) -> tuple[str, list[tuple[int, int]]]:
    """The text with a value in each place, and where the values are (code points)."""
    draw = random.Random(seed)
    out, spans, at = "", [], 0
    for place in PLACE.finditer(text):
        out += text[at : place.start()]
        value = SHAPES[place[1]](draw)
        spans.append((len(out), len(out) + len(value)))
        out += value
        at = place.end()
    return out + text[at:], spans
