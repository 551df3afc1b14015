"""Where people come in, and what they see of their own account."""

from django.urls import path

from accounts import views

urlpatterns = [
    path("login", views.Login.as_view(), name="login"),
    path("logout", views.logout, name="logout"),
    path("register", views.ChooseRole.as_view(), name="register"),
    path("register/details", views.Details.as_view(), name="register-details"),
    path("register/verify", views.VerifyEmail.as_view(), name="register-verify"),
    path("register/resend", views.resend_code, name="register-resend"),
    path("register/profile", views.CompleteProfile.as_view(), name="register-profile"),
    path("register/done", views.registered, name="register-done"),
    path("profile", views.Account.as_view(), name="profile"),
    path("sessions", views.sessions, name="sessions"),
    path("sessions/<uuid:pk>/revoke", views.revoke_session, name="session-revoke"),
    path("language", views.choose_language, name="language"),
]
