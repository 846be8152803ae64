"""Accounts, and how browsers, apps and third parties sign in: all of it by django-allauth."""

from site_config.settings.loaded import CONFIG

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
    )
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "orders:purchases"
ACCOUNT_ADAPTER = "site_config.accounts.adapter.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = True
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_TIMEOUT = 600  # seconds
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_LOGOUT_REDIRECT_URL = "/"
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "https" if CONFIG.is_https else "http"
ALLAUTH_TRUSTED_PROXY_COUNT = 1 if CONFIG.trusted_proxy else 0

# Our own apps: /_allauth/app/v1/. Links in mail lead to the shop's own pages, for them as well.
HEADLESS_CLIENTS = ("app",)

# Third parties' apps: /identity/o/. Everything that is not named here is off.
OIDC_PRIVATE_KEY = CONFIG.oidc_private_key  # read by accounts/oauth/keys.py, when first needed
OIDC_PREVIOUS_KEYS = CONFIG.oidc_previous_keys
IDP_OIDC_ADAPTER = "site_config.accounts.oauth.adapter.OIDCAdapter"
IDP_OIDC_ACCESS_TOKEN_EXPIRES_IN = 3600
IDP_OIDC_REFRESH_TOKEN_EXPIRES_IN = (
    90 * 86_400
)  # anew with each use: an app that rests longer asks again
IDP_OIDC_ROTATE_REFRESH_TOKEN = True

MFA_ADAPTER = "site_config.accounts.second_factors.SecondFactors"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
STAFF_SECOND_FACTOR_REQUIRED = False
