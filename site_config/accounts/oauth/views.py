"""allauth's views of the provider, less what they would allow too kindly.

Consent is asked each time, by a page: `prompt=none` is never answered with a code, because allauth
would take what somebody allowed one app for a yes to every other. PKCE by S256 is asked of all
clients (RFC 9700, section 2.1.1), and redirect addresses are compared character for character.
"""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any

from allauth.idp.oidc.internal.oauthlib.request_validator import OAuthLibRequestValidator
from allauth.idp.oidc.internal.oauthlib.server import get_server
from allauth.idp.oidc.internal.oauthlib.utils import convert_response, extract_params
from allauth.idp.oidc.internal.resources import get_resources
from allauth.idp.oidc.models import Client
from allauth.idp.oidc.views import (
    AuthorizationView,
    LogoutView,
    RevokeView,
    TokenView,
    UserInfoView,
)
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from oauthlib.oauth2 import RevocationEndpoint
from oauthlib.oauth2.rfc6749 import errors
from oauthlib.openid.connect.core.exceptions import ConsentRequired

from orders.form_targets import allow_form_to, form_target
from site_config.accounts.oauth.freshness import (
    max_age_is_readable,
    sign_in_is_due,
    sign_in_was_used,
    signed_in_at,
)
from site_config.accounts.oauth.grants import (
    Code,
    Grant,
    GrantIsEnding,
    code_in,
    grant_note,
    grant_of,
    token_hand_back,
)
from site_config.accounts.oauth.limits import (
    note_given,
    note_wrong_secret,
    too_many,
    wait_after_wrong_token,
    wait_before_asking,
    wait_for_more,
)
from site_config.accounts.oauth.requests import (
    claims_are_readable,
    client_id_of,
    error_page,
    ignore_claims,
    names_two_clients,
    oauth_error,
    readable_only,
    redirect_is_registered,
)
from store_api.authentication import (
    AccessTokenRefused,
    access_token_find,
    address_asked,
    bearer_of,
)
from store_api.permissions import scopes_of

# Consent and sign-out check a token of their own forms; programs have no cookie that could be abused.
PROVIDER: list[Any] = [
    csrf_exempt,
    never_cache,
    readable_only,
]  # consent checks its own token, others have none
TWO_CLIENTS = "Name one client: in the header or in the body."
MAX_AGE = "max_age is a whole number of seconds (OpenID Connect Core, section 3.1.2.1)."
CLAIMS = "claims has to be a JSON object (OpenID Connect Core, section 5.5)."


def _sent_back(request: HttpRequest, error: errors.OAuth2Error) -> HttpResponse:
    """To the app's address, which has been checked (RFC 6749, section 4.1.2.1)."""
    error.state = request.GET.get("state")
    address = error.in_uri(request.GET["redirect_uri"])
    return HttpResponse(status=HTTPStatus.FOUND, headers={"Location": address})


def _as_error(response: HttpResponse) -> HttpResponse:
    """allauth answers its error page with 200; only pages that ask something come as templates."""
    if response.status_code == HTTPStatus.OK and not isinstance(response, TemplateResponse):
        response.status_code = HTTPStatus.BAD_REQUEST
    return response


@method_decorator(PROVIDER, name="dispatch")
class ConsentView(AuthorizationView):
    """Which app asks for what, and the person's answer (RFC 6749, section 4.1.1)."""

    http_method_names = ["get", "head", "post", "options"]

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        client = Client.objects.filter(pk=request.GET.get("client_id", "")).first()
        address = request.GET.get("redirect_uri", "")
        if client is None or not redirect_is_registered(client, address):
            return error_page(request)
        if not claims_are_readable(request):
            return _sent_back(request, errors.InvalidRequestError(CLAIMS))
        ignore_claims(request)
        if not max_age_is_readable(request):
            return self._refuse(request, errors.InvalidRequestError(MAX_AGE))
        if "none" in request.GET.get("prompt", "").split():
            return self._refuse(request, ConsentRequired())
        if request.GET.get("code_challenge_method") != "S256" or not request.GET.get(
            "code_challenge"
        ):
            why = "This shop wants PKCE: code_challenge, with code_challenge_method=S256."
            return self._refuse(request, errors.InvalidRequestError(why))
        return _as_error(super().get(request, *args, **kwargs))

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        ignore_claims(request)
        try:
            return _as_error(super().post(request, *args, **kwargs))
        except Client.DoesNotExist:  # staff deleted it while the page was open
            return error_page(request)

    def _login_required(self, request: HttpRequest) -> HttpResponse | None:
        """allauth's forgets `prompt=login` on the way to the password, and does not know `max_age`."""
        if not sign_in_is_due(request):
            signed_in = request.user.is_authenticated
            response: HttpResponse | None = None if signed_in else super()._login_required(request)
            return response
        page = "account_reauthenticate" if request.user.is_authenticated else "account_login"
        back = urlencode({REDIRECT_FIELD_NAME: request.get_full_path()})
        return HttpResponseRedirect(f"{reverse(page)}?{back}")

    def _respond_with_access_denied(self) -> HttpResponse:
        """Staff may have taken the address from the app since this page was shown."""
        client = Client.objects.get(pk=self._request_info["client_id"])
        if not redirect_is_registered(client, self._request_info["redirect_uri"]):
            return error_page(self.request)
        sign_in_was_used(self.request)
        response: HttpResponse = super()._respond_with_access_denied()
        return response

    def _refuse(self, request: HttpRequest, error: errors.OAuth2Error) -> HttpResponse:
        """The app is told why, at its own address, unless allauth finds a worse fault first."""
        try:
            get_server().validate_authorization_request(*extract_params(request))
        except errors.FatalClientError:
            return error_page(request)
        except errors.OAuth2Error as found:
            error = found
        return _sent_back(request, error)

    def form_valid(self, form: Any) -> HttpResponse:
        response: HttpResponse = super().form_valid(form)
        if code := code_in(response.get("Location", "")):
            given = Code(self._request_info["client_id"], code)
            given.note_giver(self.request.user, signed_in_at=signed_in_at(self.request))
            sign_in_was_used(self.request)
        return response

    def render_to_response(self, context: dict[str, Any], **kwargs: Any) -> HttpResponse:
        address = self._request_info["redirect_uri"]
        context["target"] = form_target(address)
        return allow_form_to(super().render_to_response(context, **kwargs), [address])


@method_decorator(PROVIDER, name="dispatch")
class SignOutView(LogoutView):
    """OpenID Connect's sign-out, begun by an app; asks before it ends the shop's own session."""

    http_method_names = ["get", "head", "post", "options"]

    def get(self, request: HttpRequest) -> HttpResponse:
        return _as_error(super().get(request))

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return _as_error(super().post(request, *args, **kwargs))

    def render_to_response(self, context: dict[str, Any], **kwargs: Any) -> HttpResponse:
        response = super().render_to_response(context, **kwargs)
        address = context["form"].cleaned_data.get("post_logout_redirect_uri")
        return allow_form_to(response, [address]) if address else response


class _SecretLimits:
    """For views where clients bring secrets: too many, and too many wrong ones, are refused first."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        client_id = client_id_of(request)
        if seconds := wait_before_asking(request, client_id=client_id):
            return too_many(seconds)
        response: HttpResponse = super().dispatch(request, *args, **kwargs)  # type: ignore[misc]
        if response.status_code == HTTPStatus.UNAUTHORIZED:
            note_wrong_secret(request, client_id=client_id)
            response["WWW-Authenticate"] = 'Basic realm="oauth"'  # how secrets come (RFC 6749, 5.2)
        if response.status_code >= HTTPStatus.BAD_REQUEST:
            response["Content-Type"] = "application/json"
        return response


@method_decorator(PROVIDER, name="dispatch")
class TokenEndpoint(_SecretLimits, TokenView):
    """Codes and refresh tokens for tokens; each of them once, also when two ask in the same moment."""

    @transaction.atomic
    def post(self, request: HttpRequest) -> HttpResponse:
        try:
            get_resources(request)
        except ValidationError as error:
            return oauth_error("invalid_target", " ".join(error.messages))
        if request.POST.get("grant_type") == Client.GrantType.DEVICE_CODE:
            return oauth_error(
                "unsupported_grant_type", "Devices without a browser have no way here."
            )
        if names_two_clients(request):
            return oauth_error("invalid_request", TWO_CLIENTS)
        grant = grant_of(request)
        return self._for_itself(request) if grant is None else self._once(request, grant)

    def _for_itself(self, request: HttpRequest) -> HttpResponse:
        client_id = client_id_of(request)
        if seconds := wait_for_more(client_id=client_id, user_id=None):
            return too_many(seconds)
        response: HttpResponse = super().post(request)
        if response.status_code == HTTPStatus.OK:
            note_given(client_id=client_id, user_id=None)
        return response

    def _once(self, request: HttpRequest, grant: Grant) -> HttpResponse:
        grant_note(request, grant)
        try:
            grant.hold()
        except GrantIsEnding:
            return oauth_error("invalid_grant", "This is being ended at the moment.")
        client_id, user_id = grant.client_id, grant.user_id
        if user_id and (seconds := wait_for_more(client_id=client_id, user_id=user_id)):
            return too_many(seconds)
        response: HttpResponse = super().post(request)
        answer = json.loads(response.content)
        if response.status_code == HTTPStatus.OK:
            grant.given(answer)
            note_given(client_id=client_id, user_id=user_id)
        elif answer.get("error") == "invalid_grant":  # only told to who has shown to be the app
            grant.refused()
        return response


class HandBackValidator(OAuthLibRequestValidator):
    """allauth's, but apps end their own tokens only."""

    def revoke_token(
        self, token: str, token_type_hint: str | None, request: Any, *args: Any, **kwargs: Any
    ) -> None:
        """The hint is no more than that: RFC 7009, section 2.1 has other kinds looked through as well."""
        token_hand_back(client_id=request.client.pk, value=token)


@method_decorator(PROVIDER, name="dispatch")
class RevokeEndpoint(_SecretLimits, RevokeView):
    """An app hands a token back (RFC 7009). Of another app's it learns and changes nothing."""

    @transaction.atomic
    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if names_two_clients(request):
            return oauth_error("invalid_request", TWO_CLIENTS)
        endpoint = RevocationEndpoint(HandBackValidator())
        return convert_response(*endpoint.create_revocation_response(*extract_params(request)))


@method_decorator(PROVIDER, name="dispatch")
class UserInfoEndpoint(UserInfoView):
    """Who signed in to the app (OpenID Connect Core, section 5.3), by the header alone."""

    def _respond(self, request: HttpRequest) -> HttpResponse:
        try:
            value = bearer_of(request.headers.get("Authorization", ""))
            token = access_token_find(value=value, address=address_asked(request))
        except AccessTokenRefused as refused:
            if seconds := wait_after_wrong_token(request):
                return too_many(seconds)
            return _bearer_error("invalid_token", str(refused.detail), status=401)
        if token.user is None or "openid" not in scopes_of(token):
            return _bearer_error(
                "insufficient_scope", "This app may not know who you are.", status=403
            )
        return super()._respond(request)


def _bearer_error(error: str, description: str, *, status: int) -> HttpResponse:
    response = oauth_error(error, description, status=status)
    response["WWW-Authenticate"] = f'Bearer realm="api", error="{error}"'
    return response
