"""The form by which staff let an app in, or change what it may do."""

from __future__ import annotations

from typing import Any

from allauth.idp.oidc.models import Client, Token
from django import forms
from django.db import transaction
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from orders.services.outgoing.delivery import endpoint_switch_off
from store_api.clients.addresses import redirect_problem
from store_api.scopes import IDENTITY_SCOPES, SCOPES, Scope

PEOPLE, ITSELF = "people", "itself"
GRANTS = {
    PEOPLE: (Client.GrantType.AUTHORIZATION_CODE, Client.GrantType.REFRESH_TOKEN),
    ITSELF: (Client.GrantType.CLIENT_CREDENTIALS,),
}
WAYS = {
    PEOPLE: _("People sign in here and allow it to act for them"),
    ITSELF: _("It acts for itself, without a person"),
}
KINDS = {
    str(Client.Type.PUBLIC): _("On people's devices: a phone, a computer, a page in a browser"),
    str(Client.Type.CONFIDENTIAL): _("On a server, where it can keep a secret"),
}
MAX_ADDRESSES = 20
MAY_HEAR_OF_SALES = "orders.add_webhookendpoint"
NOT_TOLD = _("Its app may not be told about sales any more: staff took that away.")


def hears_of_sales(client: Client) -> bool:
    return str(Scope.WEBHOOKS_WRITE) in client.get_scopes()


class ClientForm(forms.ModelForm[Client]):
    """Plain words for OAuth's; whatever is not asked here keeps allauth's careful default."""

    name = forms.CharField(
        max_length=100,
        help_text=_("People read it when they are asked to allow the app."),
        label=_("Name"),
    )
    type = forms.ChoiceField(
        label=_("Where it runs"),
        choices=list(KINDS.items()),
        widget=forms.RadioSelect,
        help_text=_("Cannot be changed later."),
    )
    ways = forms.MultipleChoiceField(
        label=_("How it gets in"), choices=list(WAYS.items()), widget=forms.CheckboxSelectMultiple
    )
    addresses = forms.CharField(
        label=_("Addresses to come back to"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_(
            "For apps that people allow; one on each line, exactly as the app will send it: "
            "https://…, an app's own scheme such as com.example.app:/done, or http://127.0.0.1/… "
            "for a program on a computer."
        ),
    )
    allowed = forms.MultipleChoiceField(
        label=_("What it may ask for"),
        choices=[
            *((str(scope), words) for scope, words in SCOPES.items()),
            *IDENTITY_SCOPES.items(),
        ],
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Tick what it needs and no more. What you take away later, it loses at once."),
    )

    class Meta:
        model = Client
        fields = ["name", "type"]

    def __init__(self, *args: Any, for_user: Any, **kwargs: Any) -> None:
        """Who may not hear of sales lets no app hear of them; they can take that away."""
        super().__init__(*args, **kwargs)
        if not for_user.has_perm(MAY_HEAR_OF_SALES) and not hears_of_sales(self.instance):
            allowed: Any = self.fields["allowed"]
            allowed.choices = [
                (name, words) for name, words in allowed.choices if name != Scope.WEBHOOKS_WRITE
            ]
        if self.instance.created_at is not None and not self.instance._state.adding:
            self.fields["type"].disabled = True
            grants = set(self.instance.get_grant_types())
            self.initial.update(
                ways=[way for way, needed in GRANTS.items() if needed[0] in grants],
                addresses="\n".join(self.instance.get_redirect_uris()),
                allowed=self.instance.get_scopes(),
            )

    def clean_name(self) -> str:
        """As people will read it: no line breaks, nothing that turns the direction of writing."""
        name = " ".join(self.cleaned_data["name"].split())
        if not name.isprintable():
            raise forms.ValidationError(
                gettext("A name has letters, numbers and signs that can be seen.")
            )
        return name

    def clean_addresses(self) -> list[str]:
        lines = [line.strip() for line in self.cleaned_data["addresses"].splitlines()]
        addresses = list(dict.fromkeys(line for line in lines if line))
        if len(addresses) > MAX_ADDRESSES:
            raise forms.ValidationError(
                gettext("At most {max_addresses} addresses.").format(max_addresses=MAX_ADDRESSES)
            )
        wrong = [
            f"“{address[:100]}” {problem}."
            for address in addresses
            if (problem := redirect_problem(address))
        ]
        if wrong:
            raise forms.ValidationError(wrong)
        return addresses

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        ways, kind = cleaned.get("ways", []), cleaned.get("type")
        if kind == Client.Type.PUBLIC and ITSELF in ways:
            why = gettext(
                "An app on people's devices cannot act for itself: it has no secret to show."
            )
            self.add_error("ways", why)
        if PEOPLE in ways and "addresses" in cleaned and not cleaned["addresses"]:
            self.add_error(
                "addresses", gettext("Say where people are sent back to after they allowed it.")
            )
        return cleaned

    def save(self, commit: bool = True) -> Client:
        client, cleaned = self.instance, self.cleaned_data
        client.set_redirect_uris(cleaned["addresses"] if PEOPLE in cleaned["ways"] else [])
        client.set_grant_types([str(grant) for way in cleaned["ways"] for grant in GRANTS[way]])
        client.set_scopes(cleaned["allowed"])
        client.set_default_scopes(cleaned["allowed"])  # for requests that name none
        client.set_response_types([str(Client.ResponseType.CODE)])
        client.skip_consent, client.allow_uri_wildcards = False, False
        with transaction.atomic():
            saved = super().save(commit)
            if commit:
                _take_back(saved)
        return saved


def _take_back(client: Client) -> None:
    """What it got for itself ends with its right to that, and so does being told of sales."""
    for_itself = str(Client.GrantType.CLIENT_CREDENTIALS) in client.get_grant_types()
    if not for_itself:
        Token.objects.filter(client=client, user=None, type=Token.Type.ACCESS_TOKEN).delete()
    if not for_itself or not hears_of_sales(client):
        for pk in client.webhook_endpoints.order_by("pk").values_list("pk", flat=True):
            endpoint_switch_off(pk, reason=str(NOT_TOLD))
