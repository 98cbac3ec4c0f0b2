"""Credentials of many providers' shapes with random values: no such key was ever issued. They are
put together here, so that no file holds one."""

import base64
import json
import random
import re
import string
import uuid

LETTERS = string.ascii_letters
LOWER = string.ascii_lowercase
ALNUM = string.ascii_letters + string.digits
HEX = string.digits + "abcdef"
UPPER = string.ascii_uppercase + string.digits
BASE32 = string.ascii_uppercase + "234567"
LOWER_ALNUM = LOWER + string.digits
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


# Few of the words of such phrases, so that no list of them stands here.
SEED_WORDS = (
    "abandon ability able about absent academy acid acoustic adapt album alien anchor antique apple "
    "arrow autumn badge bamboo barrel beach bicycle blanket blossom bridge bronze cabin canyon carbon "
    "castle cereal clarify copper cradle cricket dawn desert dolphin dragon eagle ecology elegant"
).split()


def _seed(count):
    return lambda draw: " ".join(draw.choices(SEED_WORDS, k=count))


def _grouped(alphabet, groups, size, separator):
    return lambda draw: separator.join("".join(draw.choices(alphabet, k=size)) for _ in range(groups))


def _encoded(make):
    return lambda draw: base64.b64encode(make(draw).encode()).decode()


def _hash(scheme, salt, size):
    alphabet = ALNUM + "./"
    return lambda draw: f"{scheme}{_some(alphabet, salt)(draw)}${_some(alphabet, size)(draw)}"


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
# Beside them, those of further providers and tools; the texts for them are in test_secret_shapes.py.
SHAPES |= {
    "adafruit": _some(ALNUM, 28, "aio" + "_"),
    "airtable": _joined(".", _some(ALNUM, 14, "pat"), _some(HEX, 64)),
    "algolia": _some(HEX, 32),
    "apikey_uuid": lambda draw: str(uuid.UUID(int=draw.getrandbits(128), version=4)),
    "artifactory": _some(ALNUM, 70, "AKCp" + "8"),
    "atlassian": _some(URL_SAFE, 180, "ATATT3" + "xFfGF0"),
    "backup_code": _grouped(string.digits, 2, 4, "-"),
    "backup_code_alnum": _grouped(LOWER_ALNUM, 2, 5, "-"),
    "base32_16": _some(BASE32, 16),
    "base32_32": _some(BASE32, 32),
    "base32_spaced": _grouped(BASE32, 4, 4, " "),
    "bitbucket": _some(ALNUM, 32, "ATBB"),
    "brevo": _joined("-", _some(HEX, 64, "xkeysib" + "-"), _some(ALNUM, 16)),
    "buildkite": _some(HEX, 40, "bkua" + "_"),
    "cargo": _some(ALNUM, 32, "cio"),
    "cerebras": _some(LOWER_ALNUM, 48, "csk" + "-"),
    "circleci": _joined("_", _some(ALNUM, 22, "CCIPAT" + "_"), _some(HEX, 40)),
    "clojars": _some(HEX, 60, "CLOJARS" + "_"),
    "cloudflare_ca": _joined("-", _some(HEX, 24, "v1.0-"), _some(HEX, 146)),
    "databricks": _some(HEX, 32, "dapi"),
    "deepl": lambda draw: str(uuid.UUID(int=draw.getrandbits(128), version=4)) + ":fx",
    "docker_auth": _encoded(lambda draw: f"robot:{_password(draw)}"),
    "doppler": _some(ALNUM, 43, "dp.st." + "prd."),
    "dropbox": _some(URL_SAFE, 130, "sl" + ".B"),
    "dynatrace": _joined(".", _some(UPPER, 24, "dt0c01" + "."), _some(UPPER, 64)),
    "e2b": _some(HEX, 40, "e2b" + "_"),
    "easypost": _some(ALNUM, 54, "EZ" + "AK"),
    "elevenlabs": _some(HEX, 48, "sk" + "_"),
    "facebook": _some(ALNUM, 120, "EAA" + "G"),
    "figma": _some(URL_SAFE, 40, "figd" + "_"),
    "firecrawl": _some(HEX, 32, "fc" + "-"),
    "flutterwave": _some(HEX, 32, "FLWSECK" + "_TEST-"),
    "fly": _some(ALNUM + "+/", 100, "FlyV1 fm2" + "_"),
    "gcp_oauth": _some(URL_SAFE, 28, "GOCSPX" + "-"),
    "gitlab_routable": _joined(".", _some(URL_SAFE, 27, "glpat" + "-"), _some(LOWER_ALNUM, 9)),
    "google_access": _some(URL_SAFE, 120, "ya29" + ".a0"),
    "google_refresh": _some(URL_SAFE, 60, "1//" + "0g"),
    "grafana": _joined("_", _some(ALNUM, 32, "glsa" + "_"), _some(HEX, 8)),
    "heroku": _some(URL_SAFE, 60, "HRKU" + "-AA"),
    "hex128": _some(HEX, 128),
    "honeycomb": _some(LOWER_ALNUM, 58, "hcaik" + "_01"),
    "hubspot": lambda draw: "pat-" + "na1-" + str(uuid.UUID(int=draw.getrandbits(128), version=4)),
    "langfuse": lambda draw: "sk-" + "lf-" + str(uuid.UUID(int=draw.getrandbits(128), version=4)),
    "langsmith": _joined("_", _some(HEX, 32, "lsv2_pt" + "_"), _some(HEX, 10)),
    "laravel": lambda draw: "base64:" + _base64(32)(draw),
    "launchdarkly": lambda draw: "sdk-" + str(uuid.UUID(int=draw.getrandbits(128), version=4)),
    "ldap_ssha": lambda draw: "{SSHA}" + _base64(24)(draw),
    "mailchimp": _joined("-", _some(HEX, 32), _some("2", 1, "us")),
    "mapbox": lambda draw: "sk." + "eyJ" + _some(ALNUM, 60)(draw) + "." + _some(URL_SAFE, 22)(draw),
    "mollie": _some(ALNUM, 30, "live" + "_"),
    "neon": _some(LOWER_ALNUM, 64, "napi" + "_"),
    "netlify": _some(ALNUM, 36, "nfp" + "_"),
    "newrelic": _some(UPPER, 27, "NRAK" + "-"),
    "nuget": _some(LOWER_ALNUM, 43, "oy2"),
    "nvidia": _some(URL_SAFE, 64, "nvapi" + "-"),
    "openrouter": _some(HEX, 64, "sk-or-" + "v1-"),
    "openshift": _some(URL_SAFE, 43, "sha256" + "~"),
    "packagist": _some(HEX, 60, "packagist" + "_uut_"),
    "password_plain": lambda draw: "".join(draw.choices(LOWER, k=7)) + str(draw.randrange(10, 99)),
    "password_symbols": lambda draw: "".join(draw.choices(LETTERS, k=6))
    + draw.choice("!#$%&*") + str(draw.randrange(100, 999)) + draw.choice("!?*"),
    "pem_dsa": _pem("DSA PRIVATE " + "KEY", 6),
    "pem_ec": _pem("EC PRIVATE " + "KEY", 3),
    "pem_encrypted": _pem("ENCRYPTED PRIVATE " + "KEY", 8),
    "pem_pgp": _pem("PGP PRIVATE " + "KEY BLOCK", 12),
    "pem_pkcs8": _pem("PRIVATE " + "KEY", 10),
    "pem_public": _pem("PUBLIC " + "KEY", 5),
    "pem_ssh2": lambda draw: _pem("SSH2 ENCRYPTED PRIVATE " + "KEY", 6)(draw)
    .replace("-----BEGIN", "---- BEGIN").replace("-----END", "---- END").replace("-----", " ----"),
    "perplexity": _some(ALNUM, 48, "pplx" + "-"),
    "pinecone": _joined("_", _some(ALNUM, 6, "pcsk" + "_"), _some(ALNUM, 60)),
    "plaid": lambda draw: "access-" + "production-" + str(
        uuid.UUID(int=draw.getrandbits(128), version=4)),
    "planetscale": _some(URL_SAFE, 43, "pscale_tkn" + "_"),
    "postman": _joined("-", _some(HEX, 24, "PMAK" + "-"), _some(HEX, 34)),
    "prefect": _some(ALNUM, 36, "pnu" + "_"),
    "pulumi": _some(HEX, 40, "pul" + "-"),
    "putty": lambda draw: "PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\nComment: k\n"
    "Public-Lines: 2\n" + _base64(48)(draw) + "\n" + _base64(20)(draw) + "\nPrivate-Lines: 1\n"
    + _base64(32)(draw) + "\nPrivate-MAC: " + _some(HEX, 64)(draw),
    "rapidapi": lambda draw: _some(HEX, 10)(draw) + "msh" + _some(HEX, 15)(draw) + "p1"
    + _some(HEX, 6)(draw) + "jsn" + _some(HEX, 12)(draw),
    "razorpay": _some(ALNUM, 14, "rzp_" + "live_"),
    "readme": _some(LOWER_ALNUM, 70, "rdme" + "_"),
    "replicate": _some(ALNUM, 37, "r8" + "_"),
    "resend": _joined("_", _some(ALNUM, 8, "re" + "_"), _some(ALNUM, 24)),
    "rubygems": _some(HEX, 48, "rubygems" + "_"),
    "runpod": _some(UPPER, 40, "rpa" + "_"),
    "salesforce": _joined("!", _some(ALNUM, 12, "00D"), _some(ALNUM + "._", 96)),
    "scaleway": _some(UPPER, 17, "SCW"),
    "seed12": _seed(12),
    "seed24": _seed(24),
    "segment": _some(ALNUM, 64, "sgp" + "_"),
    "session": _some(LOWER_ALNUM, 26),
    "sha512crypt": _hash("$6$", 16, 86),
    "yescrypt": _hash("$y$j9T$", 22, 43),
    "apr1": _hash("$apr1$", 8, 22),
    "sha1_htpasswd": lambda draw: "{SHA}" + _base64(20)(draw),
    "slack_app": _joined("-", _some(string.digits, 1, "xapp" + "-"), _some(UPPER, 11),
                         _some(string.digits, 13), _some(HEX, 64)),
    "sonar": _some(HEX, 40, "squ" + "_"),
    "supabase": _some(HEX, 40, "sbp" + "_"),
    "tailscale": _joined("-", _some(ALNUM, 17, "tskey-auth" + "-"), _some(ALNUM, 32)),
    "tencent": _some(ALNUM, 32, "AKID"),
    "together": _some(URL_SAFE, 43, "tgp_v1" + "_"),
    "trello": _some(HEX, 72, "ATTA"),
    "twilio": _some(HEX, 32, "SK"),
    "twitter_bearer": _some(ALNUM, 80, "AAAAAAAAAAAAAAAAAAAAA"),
    "typeform": _some(URL_SAFE, 44, "tfp" + "_"),
    "sas_signature": lambda draw: _base64(32)(draw).replace("+", "%2B").replace("/", "%2F")
    .replace("=", "%3D"),
    "upper32": _some(UPPER, 32),
    "url_safe68": _some(URL_SAFE, 68),
    "voyage": _some(URL_SAFE, 43, "pa" + "-"),
    "xai": _some(ALNUM, 80, "xai" + "-"),
    "yandex": _some(URL_SAFE, 36, "AQVN"),
    "zhipu": _joined(".", _some(HEX, 32), _some(ALNUM, 16)),
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
