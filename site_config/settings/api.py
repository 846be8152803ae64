"""The public API: who may call it how often, and how it describes itself."""

from site_config.settings.loaded import CONFIG
from store_api import words

REST_FRAMEWORK = {
    "DEFAULT_VERSIONING_CLASS": "rest_framework.versioning.NamespaceVersioning",
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "store_api.authentication.AccessTokenAuthentication",
        "store_api.authentication.SessionTokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "store_api.negotiation.WeighedNegotiation",
    "URL_FORMAT_OVERRIDE": None,  # `format` is a format of audio; JSON is the only one of answers
    "DEFAULT_PARSER_CLASSES": ["store_api.parsers.StrictJSONParser"],
    "DEFAULT_METADATA_CLASS": "store_api.metadata.PlainMetadata",
    "DEFAULT_SCHEMA_CLASS": "store_api.schema.ProblemSchema",
    "EXCEPTION_HANDLER": "drf_standardized_errors.handler.exception_handler",
    "DEFAULT_THROTTLE_CLASSES": [
        "store_api.throttles.AddressThrottle",
        "store_api.throttles.PersonThrottle",
        "store_api.throttles.AppThrottle",
    ],
}
# Requests a minute, of which a fifth may write: store_api/throttles.py.
API_LIMITS = CONFIG.api_limits

# Web apps of others: nobody unless listed, and never with a browser's cookies. They sign in, buy, and read
# the files that their links open. (What allauth opens to everybody, such as its keys, stays open.)
CORS_ALLOWED_ORIGINS = CONFIG.cors_allowed_origins
CORS_URLS_REGEX = (
    r"^/(api|_allauth/app|downloads|\.well-known)/|^/identity/o/api/(token|revoke|userinfo)$"
)
CORS_ALLOW_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
CORS_ALLOW_HEADERS = (
    "Accept Authorization Content-Type Idempotency-Key If-Match If-None-Match If-Range Range "
    "Want-Repr-Digest X-Cart-Token X-Order-Token X-Request-ID X-Session-Token"
).split()
CORS_EXPOSE_HEADERS = (
    "Accept-Ranges Content-Disposition Content-Range Deprecation ETag Idempotent-Replayed Link "
    "Location Repr-Digest Retry-After Sunset WWW-Authenticate X-Request-ID"
).split()
CORS_PREFLIGHT_MAX_AGE = 3600

DRF_STANDARDIZED_ERRORS = {
    "EXCEPTION_HANDLER_CLASS": "store_api.problems.ProblemHandler",
    "EXCEPTION_FORMATTER_CLASS": "store_api.problems.ProblemFormatter",
    # Clients read the same 500 wherever they meet it; the trace is in the log.
    "ENABLE_IN_DEBUG_FOR_UNHANDLED_EXCEPTIONS": True,
    # What a documented operation can meet; 405 is for methods that are none.
    "ALLOWED_ERROR_STATUS_CODES": "400 401 403 404 406 413 415 429 500 503".split(),
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Digital Downloads",
    "DESCRIPTION": words.DESCRIPTION,
    "TAGS": words.TAGS,
    "VERSION": words.VERSION,
    "LICENSE": {"name": "BSD 3-Clause License", "identifier": "BSD-3-Clause"},
    # The shop that the description is read from: the same document on every machine.
    "SERVERS": [{"url": "/", "description": "This shop."}],
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "APPEND_COMPONENTS": {
        "securitySchemes": {
            "orderToken": {
                "type": "apiKey",
                "in": "header",
                "name": "X-Order-Token",
                "description": "For guests, of one order or gift: `order_token` of what they checked out or "
                "redeemed. Sent along with a sign-in, it adds that to what the account has.",
            }
        },
        "headers": {
            "X-Request-ID": {
                "description": "What our log calls this request; yours, if you sent one.",
                "schema": {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,64}$"},
            },
            "Retry-After": {
                "description": "Seconds after which to ask again.",
                "schema": {"type": "integer", "minimum": 1},
            },
            "WWW-Authenticate": {
                "description": "How to sign in (RFC 9110, section 11.6.1).",
                "schema": {"type": "string"},
            },
        },
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "store_api.links.link_operations",
        "store_api.words.say_version",
    ],
    "WEBHOOKS": [
        f"store_api.v1.serializers.events.{name}"
        for name in ("order_paid", "order_refunded", "download_granted", "product_published")
    ],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_OAUTH2_CONFIG": {"usePkceWithAuthorizationCodeGrant": True},
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "ENUM_NAME_OVERRIDES": {
        "KindEnum": "orders.models.Payment.Kind",
        "OrderStatus": "orders.models.Order.Status",
        "PaymentStatus": "orders.models.Payment.Status",
        "RefundStatus": "orders.models.Refund.Status",
        "WebhookDeliveryStatus": "orders.models.WebhookDelivery.Status",
        "WebhookType": "orders.models.WebhookType",
    },
}
