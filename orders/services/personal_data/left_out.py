"""Models that tell of people and are in no table of the export, and fields of those that are, each with
the reason why not.

A test walks every model of the project, and fails for one that is in neither list.
"""

from __future__ import annotations

SHOP = "Nothing about a person: what the shop sells, or how it runs."
SUMS = "Sums over everybody, which name nobody."
STAFFS_WORK = (
    "Who did what in running the shop: the shop's record of its work, not a shopper's data."
)
STAFFS_WORDS = "Words of staff, which may tell of others: handed out on request."
ADMIN_SETTINGS = "How somebody who runs the shop likes their admin; they see and change it there."
ELSEWHERE = "Said by another table already."
PASSED_ON = "What the shop told partners of an order; it says no more than the order's own tables."
DIGESTS = "Digests and an encrypted answer, for a day: whose they are, not even the shop can read."
SECRET = "A key that is sent by mail and ends; the address that it is for is told."  # noqa: S105  # nosec B105  # a sentence

LEFT_OUT = {
    "accounts.User_groups": STAFFS_WORK,
    "accounts.User_user_permissions": STAFFS_WORK,
    "account.EmailConfirmation": SECRET,
    "admin.LogEntry": STAFFS_WORK,
    "catalog_pages.BatchAlbum": STAFFS_WORK,
    "catalog_pages.CatalogueImport": STAFFS_WORK,
    "catalog_pages.CataloguePage": STAFFS_WORK,
    "catalog_pages.CoverImage": STAFFS_WORK,
    "catalog_pages.DigitalAsset": STAFFS_WORK,
    "catalog_pages.HomePage": STAFFS_WORK,
    "catalog_pages.LegalVersion": STAFFS_WORK,
    "catalog_pages.MusicBatch": STAFFS_WORK,
    "catalog_pages.PendingUpload": STAFFS_WORK,
    "catalog_pages.ProductPage": STAFFS_WORK,
    "catalog_pages.ShopSettings": SHOP,
    "downloads.DownloadDay": SUMS,
    "downloads.Listening": ELSEWHERE,
    "orders.Cart": ELSEWHERE,
    "orders.Customer": ELSEWHERE,
    "orders.DiscountCode": SHOP,
    "orders.DiscountCode_artists": SHOP,
    "orders.DiscountCode_genres": SHOP,
    "orders.DiscountCode_products": SHOP,
    "orders.DiscountUse": ELSEWHERE,
    "orders.FiguresArtist": SUMS,
    "orders.FiguresChange": SUMS,
    "orders.FiguresDay": SUMS,
    "orders.FiguresProduct": SUMS,
    "orders.FiguresProductDay": SUMS,
    "orders.FiguresState": SUMS,
    "orders.FreeCopy": STAFFS_WORDS,
    "orders.LetterText": SHOP,
    "orders.OrderItemAsset": ELSEWHERE,
    "orders.OrderNote": STAFFS_WORDS,
    "orders.PublishedVersion": SHOP,
    "orders.Reconciliation": SHOP,
    "orders.WebhookDelivery": PASSED_ON,
    "orders.WebhookEvent": PASSED_ON,
    "store_api.IdempotentRequest": DIGESTS,
    "wagtailadmin.EditingSession": STAFFS_WORK,
    "wagtailadmin.FormState": STAFFS_WORK,
    "wagtailcore.Comment": STAFFS_WORK,
    "wagtailcore.CommentReply": STAFFS_WORK,
    "wagtailcore.ModelLogEntry": STAFFS_WORK,
    "wagtailcore.Page": STAFFS_WORK,
    "wagtailcore.PageLogEntry": STAFFS_WORK,
    "wagtailcore.PageSubscription": ADMIN_SETTINGS,
    "wagtailcore.Revision": STAFFS_WORK,
    "wagtailcore.TaskState": STAFFS_WORK,
    "wagtailcore.UploadedFile": STAFFS_WORK,
    "wagtailcore.WorkflowState": STAFFS_WORK,
    "wagtailimages.Image": STAFFS_WORK,
    "wagtailusers.UserProfile": ADMIN_SETTINGS,
}

# Reason -> the fields of exported models that no column hands out.
FIELDS_LEFT_OUT = {
    "Whose row it is: the account's own, or of those who work for the shop.": (
        "account.EmailAddress.user",
        "allauth_idp_oidc.Client.owner",
        "allauth_idp_oidc.Token.user",
        "downloads.AccessEvent.actor",
        "downloads.UserAsset.user",
        "mfa.Authenticator.user",
        "usersessions.UserSession.user",
        "orders.GiftCode.redeemed_by",
        "orders.Order.user",
        "orders.OrderAnomaly.resolved_by",
        "orders.OutboxMail.requested_by",
        "orders.Refund.requested_by",
        "orders.WebhookEndpoint.app",
        "orders.WebhookEndpoint.created_by",
    ),
    "Secrets, digests of secrets, and texts that hold secrets.": (
        "accounts.User.password",
        "allauth_idp_oidc.Client.secret",
        "allauth_idp_oidc.Token.hash",
        "downloads.Download.client",
        "mfa.Authenticator.data",
        "usersessions.UserSession.session_key",
        "orders.GiftCode.link_key",
        "orders.Order.link_key",
        "orders.OutboxMail.body_html",
        "orders.OutboxMail.body_text",
        "orders.Payment.idempotency_key",
        "orders.Payment.stripe_session_id",
        "orders.Payment.url",
        "orders.WebhookEndpoint.sealed_previous_secret",
        "orders.WebhookEndpoint.sealed_secret",
    ),
    "Words of staff, which may tell of others: handed out on request.": (
        "orders.OrderAnomaly.detail",
        "orders.Refund.note",
    ),
    "Said by another column or table already.": (
        "orders.GiftCode.seat",
        "orders.OrderAnomaly.reference",
        "orders.OrderItem.product",
        "orders.Payment.request",
        "orders.StripeEvent.object_id",
        "orders.UpdateNotice.letter",
        "orders.UpdateNotice.seat",
        "orders.UpdateWish.seat",
    ),
    "How the shop works through it, which says nothing about the person.": (
        "accounts.User.closed_at",
        "accounts.User.is_active",
        "accounts.User.is_superuser",
        "usersessions.UserSession.data",
        "usersessions.UserSession.last_seen_at",
        *(
            f"allauth_idp_oidc.Client.{name}"
            for name in (
                "allow_uri_wildcards cors_origins data default_scopes grant_types redirect_uris "
                "response_types scopes skip_consent type"
            ).split()
        ),
        "allauth_idp_oidc.Token.data",
        *(
            f"downloads.Download.{name}"
            for name in (
                "counted_by_link covered held_until is_current open_requests promised_bytes "
                "scattered_bytes shared"
            ).split()
        ),
        "downloads.UserAsset.most_counted",
        "downloads.UserAsset.position",
        "orders.Dispute.lost_at",
        "orders.Dispute.updated_at",
        "orders.Order.cancel_url",
        "orders.Order.cart",
        "orders.Order.cart_fingerprint",
        "orders.Order.success_url",
        "orders.Order.tax_reported_at",
        "orders.Order.updated_at",
        "orders.OrderItem.download_limit",
        "orders.OrderItem.position",
        *(
            f"orders.OutboxMail.{name}"
            for name in "attempts dedupe_key fact last_error message_id next_attempt_at".split()
        ),
        "orders.Payment.expires_at",
        "orders.Payment.livemode",
        "orders.Refund.failure",
        "orders.Refund.succeeded_at",
        *(
            f"orders.StripeEvent.{name}"
            for name in (
                "api_version attempts error event_id handled_at livemode next_attempt_at received_at "
                "status"
            ).split()
        ),
        *(
            f"orders.WebhookEndpoint.{name}"
            for name in (
                "disabled_at disabled_reason enabled_at failing_since is_active "
                "previous_secret_ends_at updated_at"
            ).split()
        ),
    ),
}
