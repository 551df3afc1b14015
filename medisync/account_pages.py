"""What an administrator does to an account: pages that say what follows before they do it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.forms.users import AnonymiseForm, ReasonForm
from accounts.middleware import confirmed, device_session
from accounts.models import Status, User
from accounts.services import users
from common.pages import FormPage
from medisync.anonymise import anonymise_everywhere
from medisync.consequences import (
    consequences_of_anonymising,
    consequences_of_closing,
    consequences_of_reopening,
    consequences_of_resetting,
)

USER_PAGE = "admin:accounts_user_change"


class AccountPage(FormPage):
    """The consequences in words, a reason, one button. Whoever opens it has just shown that it
    is them."""

    template_name = "admin/accounts/user/act.html"
    form_class: type[Form] = ReasonForm
    title: str | Promise
    submit: str | Promise
    done: str | Promise
    kind = "danger"
    service: ClassVar[Callable[..., User]]

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        self.account = get_object_or_404(User.objects.visible_to(request.user), pk=kwargs["pk"])
        return super().dispatch(request, *args, **kwargs)

    def consequences(self) -> list[str]:
        raise NotImplementedError

    def form_valid(self, form: Form) -> HttpResponse:
        # The class keeps a plain function, which is not to be taken for a method.
        service = type(self).service
        user = service(
            session=device_session(self.request), user_id=self.account.pk, **form.cleaned_data
        )
        messages.success(self.request, self.done % {"name": user.full_name})
        return redirect(USER_PAGE, user.pk)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(
            **admin.site.each_context(self.request),
            title=self.title,
            account=self.account,
            consequences=self.consequences(),
            submit=self.submit,
            kind=self.kind,
            **kwargs,
        )


class Deactivate(AccountPage):
    title = _("Deactivate the account")
    submit = _("Deactivate")
    done = _("The account of %(name)s is deactivated.")
    service = staticmethod(users.deactivate_user)

    def consequences(self) -> list[str]:
        return consequences_of_closing(self.account, Status.INACTIVE)


class Suspend(AccountPage):
    title = _("Suspend the account")
    submit = _("Suspend")
    done = _("The account of %(name)s is suspended.")
    service = staticmethod(users.suspend_user)

    def consequences(self) -> list[str]:
        return consequences_of_closing(self.account, Status.SUSPENDED)


class Activate(AccountPage):
    title = _("Open the account again")
    submit = _("Open again")
    done = _("The account of %(name)s is open again.")
    kind = "primary"
    service = staticmethod(users.activate_user)

    def consequences(self) -> list[str]:
        return consequences_of_reopening(self.account)


class ResetSecondFactor(AccountPage):
    title = _("Reset the second factor")
    submit = _("Reset")
    done = _("The second factor of %(name)s is reset.")
    service = staticmethod(users.reset_second_factor)

    def consequences(self) -> list[str]:
        return consequences_of_resetting(self.account)


class Anonymise(AccountPage):
    form_class = AnonymiseForm
    title = _("Anonymise the account")
    submit = _("Anonymise for good")
    done = _("The account is anonymised: %(name)s.")
    service = staticmethod(anonymise_everywhere)

    def consequences(self) -> list[str]:
        return consequences_of_anonymising(self.account)


PAGES: dict[str, type[AccountPage]] = {
    "activate": Activate,
    "deactivate": Deactivate,
    "suspend": Suspend,
    "reset-second-factor": ResetSecondFactor,
    "anonymise": Anonymise,
}


def account_urls(admin_view: Callable[..., Any]) -> list[URLPattern]:
    """Below the page of a user; named `admin:user_suspend` and so on."""
    return [
        path(
            f"accounts/user/<uuid:pk>/{name}/",
            admin_view(confirmed(page.as_view())),
            name=f"user_{name.replace('-', '_')}",
        )
        for name, page in PAGES.items()
    ]
