"""Issuing a free copy: of any product, to any address, with a reason; from an order's page or by itself.

The form carries the id of the order that it makes, so that pressing twice is one copy.
"""

from __future__ import annotations

import re
import uuid
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views import View
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin
from wagtail.admin.views.generic.permissions import PermissionCheckedMixin
from wagtail.admin.widgets import AdminPageChooser

from catalog_pages.errors import DomainError
from catalog_pages.models import ProductPage
from orders.admin import log
from orders.errors import EmailInvalid, EmailMissing
from orders.models import Order
from orders.models.desk import MAX_REASON
from orders.services.free_copies import free_copy_issue

ID = re.compile(r"[0-9]{1,18}", flags=re.ASCII)


class ProductField(forms.ModelChoiceField):
    """A product by its id; what cannot be one is a sentence, whatever was posted."""

    def clean(self, value: Any) -> Any:
        if value and not ID.fullmatch(str(value)):
            raise ValidationError(gettext("Choose a product that the shop has."))
        return super().clean(value)


class FreeCopyForm(forms.Form):
    copy_id = forms.UUIDField(widget=forms.HiddenInput)
    product = ProductField(
        ProductPage.objects.all(),
        label=_("Product"),
        widget=AdminPageChooser(target_models=[ProductPage]),
        error_messages={
            "required": _("Choose a product."),
            "invalid_choice": _("Choose a product that the shop has."),
        },
    )
    email = forms.CharField(
        label=_("Email of who gets it"),
        max_length=254,
        widget=forms.EmailInput,
        help_text=_("The links are mailed there. An account with this address gets it as its own."),
        error_messages={"required": _("Enter the email address of who gets it.")},
    )
    reason = forms.CharField(
        label=_("Reason"),
        max_length=MAX_REASON,
        widget=forms.TextInput,
        help_text=_("For staff; who gets it never sees this."),
        error_messages={"required": _("Say why, for whoever looks at this later.")},
    )


class FreeCopyView(PermissionCheckedMixin, WagtailAdminTemplateMixin, View):
    """GET shows the form, POST issues the copy. With `pk`, it is because of that order."""

    permission_policy: Any = None
    permission_required = "give"
    any_permission_required = ["view"]
    http_method_names = ["get", "post"]
    page_title = _("Issue a free copy")
    header_icon = "tag"
    template_name = "orders/admin/free_copy.html"

    @cached_property
    def about(self) -> Order | None:
        pk = self.kwargs.get("pk")
        return None if pk is None else get_object_or_404(Order, pk=pk)

    def get(self, request: HttpRequest, pk: uuid.UUID | None = None) -> HttpResponse:
        first: dict[str, Any] = {"copy_id": uuid.uuid4()}
        if self.about is not None:
            lines = list(self.about.items.values_list("product", flat=True)[:2])
            asked = request.GET.get("product", "")
            own = ID.fullmatch(asked) and self.about.items.filter(product=int(asked)).exists()
            first["email"] = self.about.email
            first["product"] = int(asked) if own else lines[0] if len(lines) == 1 else None
        return self.show(FreeCopyForm(initial=first))

    def post(self, request: HttpRequest, pk: uuid.UUID | None = None) -> HttpResponse:
        typed = request.POST.copy()
        if not ID.fullmatch(typed.get("product", "")):
            typed["product"] = ""  # what is no id would be looked up when the chooser is drawn
        form = FreeCopyForm(typed)
        about = self.about
        if "copy_id" in form.errors:
            messages.error(request, gettext("This form cannot be used any more. Open it again."))
            return redirect(request.path)
        if not form.is_valid():
            return self.show(form)
        try:
            order = self.issue(form, about)
        except (EmailInvalid, EmailMissing) as refusal:
            form.add_error("email", refusal.message)
            return self.show(form)
        except DomainError as refusal:
            form.add_error(
                refusal.field if refusal.field in form.fields else None, str(refusal.message)
            )
            return self.show(form)
        values = {"title": form.cleaned_data["product"].title, "email": order.email}
        sentence = gettext("“%(title)s” is issued to %(email)s, and the links are on their way.")
        messages.success(request, sentence % values)
        return redirect(reverse("order_desk:inspect", args=[(about or order).pk]))

    def issue(self, form: FreeCopyForm, about: Order | None) -> Order:
        """The copy and what the log says of it, or neither."""
        data = form.cleaned_data
        with transaction.atomic():
            order, is_new = free_copy_issue(
                copy_id=data["copy_id"],
                product=data["product"],
                email=data["email"],
                reason=data["reason"],
                by=self.request.user,
                about=about,
            )
            if is_new:
                comment = gettext("Order {number}").format(number=order.number)
                log.log_press(
                    log.FREE_COPY, on=about or order, by=self.request.user, comment=comment
                )
        return order

    def show(self, form: FreeCopyForm) -> HttpResponse:
        return self.render_to_response(self.get_context_data(form=form))

    @property
    def back_url(self) -> str:
        if self.about is None:
            return reverse("order_desk:index")
        return reverse("order_desk:inspect", args=[self.about.pk])

    def get_page_subtitle(self) -> str:
        return self.about.number if self.about is not None else ""

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        items = [
            *self.breadcrumbs_items,
            {"url": reverse("order_desk:index"), "label": gettext("Orders")},
        ]
        if self.about is not None:
            items.append({"url": self.back_url, "label": self.about.number})
        here = {"url": "", "label": self.page_title, "sublabel": self.get_page_subtitle()}
        return [*items, here]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(
            about=self.about, back_url=self.back_url, media=kwargs["form"].media, **kwargs
        )
