"""What a readable environment may still get wrong about paid files: their folder, bucket and CloudFront."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from site_config.env_forms import HOST_NAME, KEY_TEXT, LOOPBACK_HOSTS, is_origin, is_rsa_key
from site_config.env_services import ProtectedStorageConfig

Problem = tuple[str, str]

BUCKET_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,253}[A-Za-z0-9]")
ACCEL_PREFIX = re.compile(r"/[A-Za-z0-9_-]+/")
REGION_NAME = re.compile(r"[A-Za-z0-9-]+")
# The first parts of the shop's addresses. nginx would keep such a location for itself, and answer 404.
OWN_ADDRESSES = frozenset(
    ".well-known _allauth _util accounts admin api cart catalog checkout django-admin downloads "
    "favicon.ico fragments gifts healthz identity legal media metrics orders purchases readyz robots.txt "
    "sandbox sitemap.xml static styleguide".split()
)


def storage_problems(storage: ProtectedStorageConfig, *, production: bool) -> list[Problem]:
    """A bucket is named whole, and nothing that would hand out its files without a signature passes."""
    if storage.kind not in ("local", "s3"):
        return [("PROTECTED_STORAGE", "must be local or s3")]
    if storage.is_s3:
        return _s3_problems(storage, production=production)
    return _accel_problems(storage.accel_redirect)


def _accel_problems(prefix: str) -> list[Problem]:
    if prefix and not ACCEL_PREFIX.fullmatch(prefix):
        return [("PROTECTED_ACCEL_REDIRECT", "must look like /protected/, with both slashes")]
    if prefix.strip("/") in OWN_ADDRESSES:
        return [
            (
                "PROTECTED_ACCEL_REDIRECT",
                f"{prefix} is where the shop has pages of its own, which nginx would hide",
            )
        ]
    return []


def _s3_problems(storage: ProtectedStorageConfig, *, production: bool) -> list[Problem]:
    problems = []
    if not BUCKET_NAME.fullmatch(storage.bucket):
        problems.append(("AWS_STORAGE_BUCKET_NAME", "must name the bucket that holds paid files"))
    if storage.accel_redirect:
        problems.append(
            ("PROTECTED_ACCEL_REDIRECT", "is for files on this machine: nginx has none of a bucket")
        )
    return [
        *problems,
        *_aws_key_problems(storage),
        *_endpoint_problems(storage, production=production),
        *_cloudfront_problems(storage),
    ]


def _aws_key_problems(storage: ProtectedStorageConfig) -> list[Problem]:
    given = {
        "AWS_ACCESS_KEY_ID": storage.access_key,
        "AWS_SECRET_ACCESS_KEY": storage.secret_key,
    }
    problems = [
        (name, "must be the key and nothing else: no spaces, no line breaks")
        for name, value in given.items()
        if value and not KEY_TEXT.fullmatch(value)
    ]
    if bool(storage.access_key) != bool(storage.secret_key):
        problems.append(
            ("AWS_SECRET_ACCESS_KEY", "and AWS_ACCESS_KEY_ID come together or not at all")
        )
    return problems


def _endpoint_problems(storage: ProtectedStorageConfig, *, production: bool) -> list[Problem]:
    """Amazon takes no address that was signed for another region than the bucket's."""
    problems = []
    if not storage.region and not storage.endpoint_url:
        problems.append(
            (
                "AWS_S3_REGION_NAME",
                "is missing: addresses are signed for the bucket's region, such as eu-west-2",
            )
        )
    elif storage.region and not REGION_NAME.fullmatch(storage.region):
        problems.append(("AWS_S3_REGION_NAME", "must be the name of a region, such as eu-west-2"))
    if storage.endpoint_url and not is_origin(storage.endpoint_url):
        problems.append(("AWS_S3_ENDPOINT_URL", "must be an address such as https://s3.example"))
    elif production and _is_open_road(storage.endpoint_url):
        problems.append(
            ("AWS_S3_ENDPOINT_URL", "must start with https://: files pass there openly")
        )
    if storage.public_url and not is_origin(storage.public_url):
        problems.append(("AWS_S3_PUBLIC_URL", "must be an address such as https://files.example"))
    elif (
        production and storage.public_url.startswith("http://") and not _is_here(storage.public_url)
    ):
        problems.append(("AWS_S3_PUBLIC_URL", "must start with https://: files pass there openly"))
    if storage.public_url and storage.cloudfront_domain:
        problems.append(("AWS_S3_PUBLIC_URL", "has no use where CloudFront gives files out"))
    return problems


def _is_here(url: str) -> bool:
    return urlsplit(url).hostname in LOOPBACK_HOSTS


def _is_open_road(url: str) -> bool:
    """Plain HTTP to anywhere but this machine and the containers beside, whose names have no dot."""
    return url.startswith("http://") and not _is_here(url) and "." in (urlsplit(url).hostname or "")


def _cloudfront_problems(storage: ProtectedStorageConfig) -> list[Problem]:
    """CloudFront with half a key would hand out addresses that anybody may pass on."""
    given = {
        "AWS_CLOUDFRONT_DOMAIN": storage.cloudfront_domain,
        "AWS_CLOUDFRONT_KEY_ID": storage.cloudfront_key_id,
        "AWS_CLOUDFRONT_KEY": storage.cloudfront_key,
    }
    if not any(given.values()):
        return []
    problems = [
        (name, "is missing: without it CloudFront's links would carry no signature")
        for name, value in given.items()
        if not value
    ]
    if storage.cloudfront_key_id and not KEY_TEXT.fullmatch(storage.cloudfront_key_id):
        problems.append(("AWS_CLOUDFRONT_KEY_ID", "must be the key's id, without spaces"))
    domain = storage.cloudfront_domain
    if domain and not HOST_NAME.fullmatch(domain):
        problems.append(("AWS_CLOUDFRONT_DOMAIN", "must be a host name, without scheme or path"))
    if storage.cloudfront_key and not is_rsa_key(storage.cloudfront_key):
        problems.append(("AWS_CLOUDFRONT_KEY", "must be the RSA private key as PEM text"))
    return problems
