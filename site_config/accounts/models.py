"""The one user model: people sign in with an email address and have no user name.

Everybody else says `settings.AUTH_USER_MODEL`.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.models import AbstractUser, BaseUserManager
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _


class UserManager(BaseUserManager["User"]):
    use_in_migrations = True

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        fields.setdefault("is_staff", False)
        fields.setdefault("is_superuser", False)
        user = self.model(email=self.normalize_email(email), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        return self.create_user(
            email, password, **{"is_staff": True, "is_superuser": True, **fields}
        )

    def get_by_natural_key(self, email: str | None) -> User:
        """Sign-in ignores the case of the address, as every mail server in use does."""
        return self.get(email__iexact=email)


class User(AbstractUser):
    """Unique email without regard to case; no user name."""

    username = None  # type: ignore[assignment]
    email = models.EmailField(
        _("email address"),
        unique=True,  # the constraint below is the real rule; Django's own checks look for this one
        error_messages={"unique": _("There is an account with this address.")},
    )

    closed_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text=_("When its owner closed it, for good.")
    )

    objects: ClassVar[UserManager] = UserManager()  # type: ignore[assignment]

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        constraints = [
            models.UniqueConstraint(Lower("email"), name="accounts_user_email_unique"),
            models.CheckConstraint(
                condition=Q(closed_at=None) | Q(is_active=False),
                name="accounts_user_closed_is_not_active",
                violation_error_message=_("This account was closed by its owner and stays closed."),
            ),
        ]

    def __str__(self) -> str:
        return self.email

    @property
    def password_is_new(self) -> bool:
        """While it is saved: whether somebody chose this password. A quicker hash of the old one is none."""
        return self._password is not None  # type: ignore[attr-defined]  # AbstractBaseUser's

    def clean(self) -> None:
        """Uniqueness without regard to case, as a form error rather than a database error."""
        super().clean()
        self.email = self.email.strip()
