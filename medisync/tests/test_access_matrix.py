"""Who gets what: every route with every method, for the whole cast.

The table is complete by construction: a route or method that the URL resolver knows and the
table does not is a failing test, and so is a line about a route that is gone. To add a route,
add its lines; to change who may do something, change a column, and think.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib import admin as django_admin
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from accounts.models import DoctorProfile, Role, Status, User
from accounts.services.changes import propose_role
from accounts.tests.factories import AdminFactory
from accounts.tests.registering import verified
from accounts.tokens import onboarding_token
from audit.models import AccessCase, AccessEvent
from connections.tests.asking import ask
from medisync.tests.client import api_client, page_client, sign_in
from medisync.tests.world import CAST, World
from prescriptions.models import ApprovedPharmacy
from prescriptions.services.pharmacies import approve_pharmacy

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")

# "in" is a redirect to the login page. Where a body is asked for, a right one is sent.
TABLE = """
#                                                       ano pat doc str oth adm pen sus
GET    /                                                200 200 200 200 200 302 200 200
GET    login                                            200 302 302 302 302 302 302 200
POST   login                                            302 302 302 302 302 302 302 302
GET    login/second-factor                              in  302 302 302 302 302 302 in
POST   login/second-factor                              in  302 302 302 302 302 302 in
POST   login/second-factor/passkey                      in  in  in  in  in  in  in  in
POST   login/second-factor/passkey/options              401 401 401 401 401 401 401 401
POST   login/passkey                                    in  in  in  in  in  in  in  in
POST   login/passkey/options                            200 200 200 200 200 200 200 200
GET    confirm                                          in  200 200 200 200 200 200 in
POST   confirm                                          in  302 302 302 400 302 302 in
POST   confirm/passkey                                  in  302 302 302 302 302 302 in
POST   confirm/passkey/options                          in  409 409 409 200 409 409 in
GET    security                                         in  200 200 200 200 200 200 in
GET    security/totp                                    in  200 200 200 409 200 200 in
POST   security/totp                                    in  400 400 400 409 400 400 in
POST   security/totp/remove                             in  302 302 302 302 302 302 in
POST   security/recovery-codes                          in  302 302 302 200 302 302 in
GET    security/passkeys                                in  200 200 200 200 200 200 in
POST   security/passkeys                                in  200 400 400 400 400 400 in
POST   security/passkeys/options                        in  200 200 200 200 200 200 in
POST   security/passkeys/<pk>/rename                    in  404 404 404 302 404 404 in
POST   security/passkeys/<pk>/remove                    in  404 404 404 302 404 404 in
POST   logout                                           in  in  in  in  in  in  in  in
GET    login/google                                     302 302 302 302 302 302 302 302
GET    login/google/callback                            400 400 400 400 400 400 400 400
GET    login/google/link                                in  in  in  in  in  in  in  in
POST   login/google/link                                in  in  in  in  in  in  in  in
GET    login/google/role                                in  in  in  in  in  in  in  in
POST   login/google/role                                in  in  in  in  in  in  in  in
POST   security/google/unlink                           in  302 302 302 302 302 302 in
GET    password/forgot                                  200 200 200 200 200 200 200 200
POST   password/forgot                                  302 302 302 302 302 302 302 302
GET    password/code                                    302 302 302 302 302 302 302 302
POST   password/code                                    302 302 302 302 302 302 302 302
POST   password/resend                                  302 302 302 302 302 302 302 302
GET    password/new                                     302 302 302 302 302 302 302 302
POST   password/new                                     302 302 302 302 302 302 302 302
GET    password/link/<secret>                           200 200 200 200 200 200 200 200
POST   password/link/<secret>                           200 200 200 200 200 200 200 200
GET    password/change                                  in  200 200 200 200 200 200 in
POST   password/change                                  in  302 302 302 302 302 302 in
GET    email/change                                     in  200 200 200 200 200 200 in
POST   email/change                                     in  302 302 302 302 302 302 in
GET    email/code                                       in  302 302 302 302 302 302 in
POST   email/code                                       in  302 302 302 302 302 302 in
POST   email/resend                                     in  302 302 302 302 302 302 in
GET    register                                         200 302 302 302 302 302 302 200
POST   register                                         302 302 302 302 302 302 302 302
GET    register/details                                 302 302 302 302 302 302 302 302
POST   register/details                                 302 302 302 302 302 302 302 302
GET    register/verify                                  302 302 302 302 302 302 302 302
POST   register/verify                                  302 302 302 302 302 302 302 302
POST   register/resend                                  302 302 302 302 302 302 302 302
GET    register/profile                                 302 302 302 302 302 302 302 302
POST   register/profile                                 302 302 302 302 302 302 302 302
GET    register/done                                    in  200 200 200 200 200 200 in
GET    application                                      in  302 302 302 302 302 302 in
POST   application                                      in  302 302 302 302 302 302 in
GET    profile                                          in  200 200 200 200 200 200 in
POST   profile                                          in  302 302 302 302 302 302 in
GET    profile/health                                   in  200 403 200 403 403 403 in
POST   profile/health                                   in  302 403 302 403 403 403 in
GET    profile/health/<slug>/add                        in  200 403 200 403 403 403 in
POST   profile/health/<slug>/add                        in  302 403 302 403 403 403 in
GET    profile/health/<slug>/<entry_id>                 in  200 403 404 403 403 403 in
POST   profile/health/<slug>/<entry_id>                 in  302 403 404 403 403 403 in
POST   profile/health/<slug>/<entry_id>/remove          in  302 302 404 302 302 403 in
GET    profile/practice                                 in  403 200 403 200 403 200 in
POST   profile/practice                                 in  403 302 403 302 403 302 in
GET    sessions                                         in  200 200 200 200 200 200 in
POST   sessions/revoke-others                           in  302 302 302 302 302 302 in
POST   sessions/<pk>/revoke                             in  302 404 404 404 404 404 in
GET    export                                           in  200 200 200 200 200 200 in
POST   export/request                                   in  302 302 302 302 302 302 in
GET    export/<export_id>/download                      in  200 404 404 404 404 404 in
POST   language                                         302 302 302 302 302 302 302 302
GET    notifications                                    in  200 200 200 200 200 200 in
POST   notifications/read-all                           in  302 302 302 302 302 302 in
GET    notifications/preferences                        in  200 200 200 200 200 200 in
POST   notifications/preferences                        in  302 302 302 302 302 302 in
POST   notifications/<notification_id>/open             in  302 404 404 404 404 404 in
POST   notifications/<notification_id>/delete           in  302 404 404 404 404 404 in
GET    doctors                                          in  200 200 200 200 200 403 in
GET    doctors/<doctor_id>                              in  200 200 200 200 200 403 in
GET    connections                                      in  200 200 200 200 200 403 in
POST   connections/<connection_id>/end                  in  302 302 404 404 404 403 in
GET    connections/<connection_id>                      in  200 200 404 404 404 403 in
GET    connections/<connection_id>/availability         in  403 200 404 404 404 403 in
POST   connections/<connection_id>/availability         in  403 302 404 404 404 403 in
POST   connections/<connection_id>/unblock              in  404 302 404 404 404 403 in
POST   people/<person_id>/block                         in  302 404 302 404 403 403 in
GET    doctors/<doctor_id>/request                      in  200 403 200 403 403 403 in
POST   doctors/<doctor_id>/request                      in  302 403 302 403 403 403 in
GET    requests                                         in  200 200 200 200 200 403 in
GET    requests/<request_id>                            in  404 200 200 404 404 403 in
GET    requests/<request_id>/image                      in  404 200 200 404 404 403 in
POST   requests/<request_id>/accept                     in  404 302 403 404 404 403 in
POST   requests/<request_id>/reject                     in  404 302 403 404 404 403 in
POST   requests/<request_id>/cancel                     in  404 302 302 404 404 403 in
GET    access-log                                       in  200 403 200 403 403 403 in
GET    access-log/<event_id>/question                   in  200 403 404 403 403 403 in
POST   access-log/<event_id>/question                   in  302 403 404 403 403 403 in
GET    connections/<connection_id>/sharing              in  200 403 404 404 404 403 in
POST   connections/<connection_id>/sharing              in  302 403 404 404 404 403 in
GET    connections/<connection_id>/preview              in  200 404 404 404 404 403 in
POST   grants/<grant_id>/renew                          in  302 302 404 404 404 403 in
POST   grants/<grant_id>/revoke                         in  302 302 404 404 404 403 in
GET    chats                                            in  200 200 200 200 200 403 in
GET    chats/unread                                     in  200 200 200 200 200 403 in
GET    chats/replies                                    in  403 200 403 200 403 403 in
GET    chats/replies/new                                in  403 200 403 200 403 403 in
POST   chats/replies/new                                in  403 302 403 302 403 403 in
GET    chats/replies/<reply_id>                         in  403 200 403 404 403 403 in
POST   chats/replies/<reply_id>                         in  403 302 403 404 403 403 in
POST   chats/replies/<reply_id>/delete                  in  302 302 302 404 302 403 in
GET    chats/away                                       in  403 200 403 200 403 403 in
POST   chats/away                                       in  403 302 403 302 403 403 in
POST   chats/away/end                                   in  302 302 302 302 302 403 in
GET    chats/messages/<message_id>/retract              in  200 403 404 404 404 403 in
POST   chats/messages/<message_id>/retract              in  302 302 404 404 404 403 in
GET    chats/<chat_id>                                  in  200 200 404 404 404 403 in
GET    chats/<chat_id>/entries                          in  200 200 404 404 404 403 in
POST   chats/<chat_id>/send                             in  302 302 404 404 404 403 in
POST   chats/<chat_id>/read                             in  302 302 404 404 404 403 in
POST   chats/<chat_id>/settle                           in  302 302 404 404 404 403 in
POST   connections/<connection_id>/chat                 in  302 302 404 404 404 403 in
GET    patients/<patient_id>                            in  404 200 404 404 404 403 in
GET    patients/<patient_id>/summary.pdf                in  404 200 404 404 404 403 in
GET    files/<token>                                    200 200 200 200 200 200 200 200
GET    prescriptions                                    in  200 200 200 200 200 403 in
GET    prescriptions/<prescription_id>                  in  200 200 404 404 404 403 in
GET    prescriptions/<prescription_id>/pdf              in  200 200 404 404 404 403 in
GET    connections/<connection_id>/prescribe            in  403 200 404 404 404 403 in
POST   connections/<connection_id>/prescribe            in  403 302 404 404 404 403 in
GET    prescriptions/<prescription_id>/amend            in  404 200 404 404 404 403 in
POST   prescriptions/<prescription_id>/amend            in  404 302 404 404 404 403 in
GET    prescriptions/<prescription_id>/stop             in  404 200 404 404 404 403 in
POST   prescriptions/<prescription_id>/stop             in  404 302 404 404 404 403 in
GET    prescriptions/<prescription_id>/code             in  200 404 404 404 404 403 in
POST   prescriptions/<prescription_id>/code             in  302 404 404 404 404 403 in
GET    prescriptions/<prescription_id>/claims/<claim_id>/dispute in 200 404 404 404 404 403 in
POST   prescriptions/<prescription_id>/claims/<claim_id>/dispute in 302 404 404 404 404 403 in
GET    prescriptions/<prescription_id>/refill           in  200 403 404 404 404 403 in
POST   prescriptions/<prescription_id>/refill           in  302 403 404 404 404 403 in
GET    refills                                          in  200 200 200 200 200 403 in
GET    refills/<request_id>/decline                     in  403 200 404 404 404 403 in
POST   refills/<request_id>/decline                     in  403 302 404 404 404 403 in
POST   refills/<request_id>/cancel                      in  302 404 404 404 404 403 in
GET    medicines                                        in  403 200 403 200 403 403 in
GET    prescription-templates                           in  403 200 403 200 403 403 in
GET    prescription-templates/new                       in  403 200 403 200 403 403 in
POST   prescription-templates/new                       in  403 302 403 302 403 403 in
GET    prescription-templates/<template_id>             in  403 200 403 404 403 403 in
POST   prescription-templates/<template_id>             in  403 302 403 404 403 403 in
POST   prescription-templates/<template_id>/delete      in  302 302 302 404 302 403 in
GET    qr                                               in  403 200 403 200 403 403 in
POST   qr                                               in  403 200 403 200 403 403 in
POST   qr/<token_id>/revoke                             in  404 302 404 404 404 403 in
GET    scan                                             in  200 403 200 403 403 403 in
POST   scan                                             in  302 403 302 403 403 403 in
GET    scan/<token>                                     in  200 403 200 403 403 403 in
POST   scan/<token>                                     in  302 403 302 403 403 403 in
GET    verify                                           200 200 200 200 200 200 200 200
POST   verify                                           302 302 302 302 302 302 302 302
GET    verify/<code>                                    200 200 200 200 200 200 200 200
GET    dispensing                                       200 200 200 200 200 200 200 200
POST   dispensing                                       200 200 200 200 200 200 200 200
GET    dispensing/open                                  302 302 302 302 302 302 302 302
POST   dispensing/open                                  200 200 200 200 200 200 200 200
GET    dispensing/read                                  302 302 302 302 302 302 302 302
POST   dispensing/read                                  200 200 200 200 200 200 200 200
GET    dispensing/claim                                 302 302 302 302 302 302 302 302
POST   dispensing/claim                                 200 200 200 200 200 200 200 200
GET    dispensing/dispense                              302 302 302 302 302 302 302 302
POST   dispensing/dispense                              200 200 200 200 200 200 200 200
GET    dispensing/withdraw                              302 302 302 302 302 302 302 302
POST   dispensing/withdraw                              200 200 200 200 200 200 200 200
GET    dispensing/return                                302 302 302 302 302 302 302 302
POST   dispensing/return                                200 200 200 200 200 200 200 200
GET    e/<secret>                                       200 200 200 200 200 200 200 200
POST   e/<secret>                                       200 200 200 200 200 200 200 200
GET    prescriptions/<prescription_id>/health-card      in  200 403 404 403 403 403 in
POST   prescriptions/<prescription_id>/health-card      in  302 302 404 302 302 403 in
GET    prescriptions/<prescription_id>/health-card/file in  200 403 404 403 403 403 in
GET    .well-known/jwks.json                            200 200 200 200 200 200 200 200
GET    .well-known/crl/<kid>.json                       200 200 200 200 200 200 200 200
GET    links                                            in  200 403 200 403 403 403 in
GET    links/new                                        in  200 403 200 403 403 403 in
POST   links/new                                        in  302 403 302 403 403 403 in
GET    links/<link_id>                                  in  200 403 404 403 403 403 in
POST   links/<link_id>/revoke                           in  302 302 404 302 302 403 in
GET    shl                                              200 200 200 200 200 200 200 200
POST   shl/<manifest_id>                                200 200 200 200 200 200 200 200
GET    shl/file/<ticket>                                200 200 200 200 200 200 200 200
GET    emergency-card                                   in  200 403 200 403 403 403 in
GET    emergency-card/choose                            in  200 403 200 403 403 403 in
POST   emergency-card/choose                            in  302 403 302 403 403 403 in
GET    emergency-card/confirm                           in  200 403 404 403 403 403 in
POST   emergency-card/confirm                           in  302 403 404 403 403 403 in
GET    emergency-card/openings                          in  200 403 200 403 403 403 in
GET    emergency-card/wallet.pdf                        in  200 403 404 403 403 403 in
GET    emergency-card/wallpaper.png                     in  200 403 404 403 403 403 in
POST   emergency-card/revoke                            in  302 302 302 302 302 403 in
POST   emergency-card/<card_id>/reissue                 in  302 302 302 302 302 403 in
POST   api/v1/auth/register/init                        201 201 201 201 201 201 201 201
POST   api/v1/auth/register/basic                       201 201 201 201 201 201 201 201
POST   api/v1/auth/register/verify-email                200 200 200 200 200 200 200 200
POST   api/v1/auth/resend-otp                           204 204 204 204 204 204 204 204
POST   api/v1/auth/login                                200 200 200 200 200 200 200 200
GET    api/v1/auth/google                               in  in  in  in  in  in  in  in
POST   api/v1/auth/google                               200 200 200 200 200 200 200 200
GET    api/v1/auth/google/callback                      in  in  in  in  in  in  in  in
POST   api/v1/auth/forgot-password                      200 200 200 200 200 200 200 200
POST   api/v1/auth/verify-reset-otp                     200 200 200 200 200 200 200 200
POST   api/v1/auth/reset-password                       204 204 204 204 204 204 204 204
POST   api/v1/auth/change-password                      401 204 204 204 204 204 204 401
POST   api/v1/auth/change-email                         401 200 200 200 200 200 200 401
POST   api/v1/auth/change-email/verify                  401 200 400 400 400 400 400 401
POST   api/v1/auth/refresh                              200 200 200 200 200 200 200 200
POST   api/v1/auth/logout                               401 204 204 204 204 204 204 401
GET    api/v1/auth/mfa                                  401 200 200 200 200 200 200 401
POST   api/v1/auth/mfa/totp                             401 201 201 201 409 201 201 401
DELETE api/v1/auth/mfa/totp                             401 409 409 409 204 409 409 401
POST   api/v1/auth/mfa/totp/confirm                     401 200 400 400 400 400 400 401
POST   api/v1/auth/mfa/recovery-codes                   401 409 409 409 201 409 409 401
POST   api/v1/auth/mfa/verify                           200 200 200 200 200 200 200 200
POST   api/v1/auth/mfa/passkey/options                  201 201 201 201 201 201 201 201
POST   api/v1/auth/mfa/passkey                          200 200 200 200 200 200 200 200
POST   api/v1/auth/confirm                              401 204 204 204 409 204 204 401
POST   api/v1/auth/confirm/passkey/options              401 409 409 409 201 409 409 401
POST   api/v1/auth/confirm/passkey                      401 400 400 400 204 400 400 401
POST   api/v1/auth/passkeys/sign-in/options             201 201 201 201 201 201 201 201
POST   api/v1/auth/passkeys/sign-in                     200 200 200 200 200 200 200 200
POST   api/v1/auth/passkeys/options                     401 201 201 201 201 201 201 401
GET    api/v1/auth/passkeys                             401 200 200 200 200 200 200 401
POST   api/v1/auth/passkeys                             401 201 400 400 400 400 400 401
PATCH  api/v1/auth/passkeys/<pk>                        401 404 404 404 200 404 404 401
DELETE api/v1/auth/passkeys/<pk>                        401 404 404 404 204 404 404 401
GET    api/v1/users/profile                             401 200 200 200 200 200 200 401
PATCH  api/v1/users/profile                             401 200 403 200 403 403 403 401
PUT    api/v1/users/profile                             401 200 400 200 400 403 400 401
GET    api/v1/users/profile/allergies                   401 200 200 200 200 200 403 401
POST   api/v1/users/profile/allergies                   401 201 403 201 403 403 403 401
PATCH  api/v1/users/profile/allergies/<pk>              401 200 403 404 403 403 403 401
DELETE api/v1/users/profile/allergies/<pk>              401 204 403 404 403 403 403 401
GET    api/v1/users/profile/conditions                  401 200 200 200 200 200 403 401
POST   api/v1/users/profile/conditions                  401 201 403 201 403 403 403 401
PATCH  api/v1/users/profile/conditions/<pk>             401 200 403 404 403 403 403 401
DELETE api/v1/users/profile/conditions/<pk>             401 204 403 404 403 403 403 401
GET    api/v1/users/profile/medications                 401 200 200 200 200 200 403 401
POST   api/v1/users/profile/medications                 401 201 403 201 403 403 403 401
PATCH  api/v1/users/profile/medications/<pk>            401 200 403 404 403 403 403 401
DELETE api/v1/users/profile/medications/<pk>            401 204 403 404 403 403 403 401
GET    api/v1/users/profile/emergency-contacts          401 200 200 200 200 200 403 401
POST   api/v1/users/profile/emergency-contacts          401 201 403 201 403 403 403 401
PATCH  api/v1/users/profile/emergency-contacts/<pk>     401 200 403 404 403 403 403 401
DELETE api/v1/users/profile/emergency-contacts/<pk>     401 204 403 404 403 403 403 401
GET    api/v1/users/application                         401 404 404 404 404 404 200 401
PATCH  api/v1/users/application                         401 409 409 409 409 409 409 401
GET    api/v1/users                                     401 403 403 403 403 200 403 401
GET    api/v1/users/stats                               401 403 403 403 403 200 403 401
GET    api/v1/users/<pk>                                401 404 200 404 404 200 403 401
GET    api/v1/users/<pk>/summary                        401 404 200 404 404 404 403 401
POST   api/v1/users/<pk>/summary-link                   401 404 201 404 404 404 403 401
PUT    api/v1/users/<pk>/activate                       401 403 403 403 403 200 403 401
PUT    api/v1/users/<pk>/deactivate                     401 403 403 403 403 200 403 401
PUT    api/v1/users/<pk>/suspend                        401 403 403 403 403 200 403 401
PUT    api/v1/users/<pk>/reset-second-factor            401 403 403 403 403 200 403 401
GET    api/v1/users/registration-status                 200 200 200 200 200 200 200 200
PATCH  api/v1/users/<user_id>/profile                   401 401 401 401 401 401 401 401
GET    api/v1/prescriptions/connections/<connection_id> 401 200 200 404 404 404 403 401
POST   api/v1/prescriptions/connections/<connection_id> 401 403 201 404 404 404 403 401
POST   api/v1/prescriptions/connections/<connection_id>/check 401 403 200 404 404 404 403 401
GET    api/v1/medicines                                 401 403 200 403 200 403 403 401
GET    api/v1/prescription-templates                    401 403 200 403 200 403 403 401
POST   api/v1/prescription-templates                    401 403 201 403 201 403 403 401
GET    api/v1/prescription-templates/<pk>               401 404 200 404 404 404 403 401
PUT    api/v1/prescription-templates/<pk>               401 403 200 403 404 403 403 401
DELETE api/v1/prescription-templates/<pk>               401 403 204 403 404 403 403 401
POST   api/v1/qr/scan                                   401 200 403 200 403 403 403 401
POST   api/v1/qr/read                                   200 200 200 200 200 200 200 200
POST   api/v1/qr/validate                               401 200 200 200 200 200 403 401
POST   api/v1/qr/verify                                 200 200 200 200 200 200 200 200
POST   api/v1/dispensing/open                           200 200 200 200 200 200 200 200
POST   api/v1/dispensing/claims                         201 201 201 201 201 201 201 201
POST   api/v1/dispensing/claims/view                    200 200 200 200 200 200 200 200
POST   api/v1/dispensing/claims/return                  200 200 200 200 200 200 200 200
POST   api/v1/dispensing/dispenses                      200 200 200 200 200 200 200 200
POST   api/v1/dispensing/dispenses/withdraw             200 200 200 200 200 200 200 200
GET    api/v1/prescriptions/<pk>/health-card            401 200 403 404 403 403 403 401
POST   api/v1/prescriptions/<pk>/health-card            401 200 403 404 403 403 403 401
GET    api/v1/links                                     401 200 200 200 200 200 403 401
POST   api/v1/links                                     401 201 403 201 403 403 403 401
GET    api/v1/links/<pk>                                401 200 404 404 404 404 403 401
GET    api/v1/links/<pk>/address                        401 200 403 404 403 403 403 401
DELETE api/v1/links/<pk>                                401 204 403 404 403 403 403 401
GET    api/v1/emergency-card                            401 200 403 404 403 403 403 401
PUT    api/v1/emergency-card                            401 200 403 200 403 403 403 401
DELETE api/v1/emergency-card                            401 204 403 404 403 403 403 401
POST   api/v1/emergency-card/confirm                    401 200 403 404 403 403 403 401
POST   api/v1/emergency-card/reissue                    401 201 403 409 403 403 403 401
GET    api/v1/emergency-card/scans                      401 200 403 200 403 403 403 401
GET    api/v1/emergency-card/wallet.pdf                 401 200 403 404 403 403 403 401
GET    api/v1/emergency-card/wallpaper.png              401 200 403 404 403 403 403 401
POST   api/v1/emergency/open                            200 200 200 200 200 200 200 200
GET    api/v1/auth/sessions                             401 200 200 200 200 200 200 401
DELETE api/v1/auth/sessions                             401 204 204 204 204 204 204 401
DELETE api/v1/auth/sessions/<pk>                        401 204 404 404 404 404 404 401
GET    api/v1/specializations                           200 200 200 200 200 200 200 200
POST   api/v1/specializations                           401 403 403 403 403 201 403 401
GET    api/v1/specializations/popular                   200 200 200 200 200 200 200 200
GET    api/v1/specializations/<pk>                      200 200 200 200 200 200 200 200
PUT    api/v1/specializations/<pk>                      401 403 403 403 403 200 403 401
DELETE api/v1/specializations/<pk>                      401 403 403 403 403 204 403 401
GET    api/v1/doctors                                   401 200 200 200 200 200 403 401
GET    api/v1/doctors/<pk>                              401 200 200 200 200 200 403 401
POST   api/v1/requests                                  401 201 403 201 403 403 403 401
GET    api/v1/requests/pending                          401 200 200 200 200 200 403 401
GET    api/v1/requests/all                              401 200 200 200 200 200 403 401
GET    api/v1/requests/<pk>                             401 404 200 200 404 404 403 401
GET    api/v1/requests/<pk>/image                       401 404 200 200 404 404 403 401
POST   api/v1/requests/<pk>/accept                      401 404 200 403 404 404 403 401
POST   api/v1/requests/<pk>/reject                      401 404 200 403 404 404 403 401
POST   api/v1/requests/<pk>/cancel                      401 404 403 200 404 404 403 401
POST   api/v1/requests/block                            401 200 404 200 404 403 403 401
PUT    api/v1/requests/connections/<pk>/availability    401 403 200 404 404 404 403 401
POST   api/v1/requests/connections/<pk>/unblock         401 404 200 404 404 404 403 401
GET    api/v1/requests/connections                      401 200 200 200 200 200 403 401
GET    api/v1/requests/connections/<pk>                 401 200 200 404 404 404 403 401
PUT    api/v1/requests/connections/<pk>/deactivate      401 200 200 404 404 404 403 401
GET    api/v1/prescriptions/my-prescriptions            401 200 200 200 200 200 403 401
GET    api/v1/prescriptions/patients/<patient_id>       401 200 200 404 404 404 403 401
POST   api/v1/prescriptions/<pk>/claims/<claim_id>/dispute 401 200 404 404 404 404 403 401
POST   api/v1/prescriptions/<pk>/code                   401 200 404 404 404 404 403 401
POST   api/v1/prescriptions/<pk>/refill                 401 201 404 404 404 404 403 401
GET    api/v1/prescriptions/<pk>/history                401 200 200 404 404 404 403 401
GET    api/v1/refill-requests                           401 200 200 200 200 200 403 401
POST   api/v1/refill-requests/<pk>/decline              401 403 200 404 404 404 403 401
POST   api/v1/refill-requests/<pk>/cancel               401 200 404 404 404 404 403 401
GET    api/v1/prescriptions/<pk>                        401 200 200 404 404 404 403 401
GET    api/v1/prescriptions/<pk>/pdf                    401 200 200 404 404 404 403 401
PUT    api/v1/prescriptions/<pk>                        401 404 200 404 404 404 403 401
PUT    api/v1/prescriptions/<pk>/deactivate             401 404 200 404 404 404 403 401
GET    api/v1/prescriptions/<pk>/versions               401 200 200 404 404 404 403 401
POST   api/v1/prescriptions/<pk>/pdf-link               401 201 201 404 404 404 403 401
GET    api/v1/grants                                    401 200 200 200 200 200 403 401
POST   api/v1/grants                                    401 201 403 404 404 404 403 401
GET    api/v1/grants/<pk>                               401 200 200 404 404 404 403 401
PUT    api/v1/grants/<pk>                               401 200 403 404 404 404 403 401
DELETE api/v1/grants/<pk>                               401 204 403 404 404 404 403 401
POST   api/v1/grants/<pk>/renew                         401 200 403 404 404 404 403 401
GET    api/v1/grants/<pk>/preview                       401 200 404 404 404 404 403 401
GET    api/v1/chat                                      401 200 200 200 200 200 403 401
GET    api/v1/chat/<pk>                                 401 200 200 404 404 404 403 401
POST   api/v1/chat/connection/<connection_id>           401 200 200 404 404 404 403 401
GET    api/v1/chat/<pk>/messages                        401 200 200 404 404 404 403 401
PUT    api/v1/chat/<pk>/read                            401 200 200 404 404 404 403 401
PUT    api/v1/chat/<pk>/read-all                        401 200 200 404 404 404 403 401
PUT    api/v1/chat/<pk>/delivered                       401 200 200 404 404 404 403 401
PUT    api/v1/chat/<pk>/settle                          401 403 200 404 404 404 403 401
GET    api/v1/chat/<pk>/unread/count                    401 200 200 404 404 404 403 401
GET    api/v1/chat/unread/count                         401 200 200 200 200 200 403 401
POST   api/v1/chat/messages                             401 201 201 404 404 404 403 401
DELETE api/v1/chat/messages/<pk>                        401 204 403 404 404 404 403 401
PUT    api/v1/chat/messages/<pk>/read                   401 200 200 404 404 404 403 401
GET    api/v1/chat/replies                              401 403 200 403 200 403 403 401
POST   api/v1/chat/replies                              401 403 201 403 201 403 403 401
GET    api/v1/chat/replies/<pk>                         401 404 200 404 404 404 403 401
PUT    api/v1/chat/replies/<pk>                         401 403 200 403 404 403 403 401
DELETE api/v1/chat/replies/<pk>                         401 403 204 403 404 403 403 401
GET    api/v1/chat/absence                              401 403 200 403 404 403 403 401
PUT    api/v1/chat/absence                              401 403 200 403 200 403 403 401
DELETE api/v1/chat/absence                              401 403 204 403 204 403 403 401
GET    api/v1/notifications                             401 200 200 200 200 200 200 401
PUT    api/v1/notifications/read-all                    401 200 200 200 200 200 200 401
GET    api/v1/notifications/unread/count                401 200 200 200 200 200 200 401
GET    api/v1/notifications/preferences                 401 200 200 200 200 200 200 401
PUT    api/v1/notifications/preferences                 401 200 200 200 200 200 200 401
DELETE api/v1/notifications/<pk>                        401 204 404 404 404 404 404 401
PUT    api/v1/notifications/<pk>/read                   401 200 404 404 404 404 404 401
GET    api/v1/access-log                                401 200 403 200 403 403 403 401
GET    api/v1/access-log/cases                          401 200 403 200 403 403 403 401
GET    api/v1/access-log/<pk>                           401 200 403 404 403 403 403 401
POST   api/v1/access-log/<pk>/question                  401 201 403 404 403 403 403 401
GET    api/v1/exports                                   401 200 200 200 200 200 200 401
POST   api/v1/exports                                   401 202 202 202 202 202 202 401
GET    api/v1/exports/<pk>                              401 200 404 404 404 404 404 401
GET    api/v1/exports/<pk>/download                     401 200 404 404 404 404 404 401
GET    api/v1/qr/active                                 401 200 200 200 200 200 403 401
POST   api/v1/qr/generate                               401 403 201 403 201 403 403 401
POST   api/v1/qr/cleanup                                401 403 403 403 403 200 403 401
DELETE api/v1/qr/<pk>                                   401 404 204 404 404 404 403 401
GET    api/schema                                       200 200 200 200 200 200 200 200
GET    api/asyncapi                                     200 200 200 200 200 200 200 200
GET    api/docs                                         200 200 200 200 200 200 200 200
GET    api/redoc                                        200 200 200 200 200 200 200 200
GET    healthz                                          200 200 200 200 200 200 200 200
GET    readyz                                           200 200 200 200 200 200 200 200
"""


def lines() -> dict[tuple[str, str], list[str]]:
    """The table: method and route to the statuses, in the order of the cast."""
    rows = [line.split() for line in TABLE.strip().splitlines() if not line.startswith("#")]
    return {(method, "" if route == "/" else route): cells for method, route, *cells in rows}


def routes(patterns: list[Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every route with its view; the admin's have a rule of their own below."""
    for pattern in patterns:
        route = prefix + re.sub(r"<\w+:", "<", str(pattern.pattern))
        if isinstance(pattern, URLResolver):
            if pattern.app_name != "admin":
                yield from routes(pattern.url_patterns, route)
        else:
            yield route, pattern.callback


def declared_methods(view: Any) -> set[str] | None:
    """What a class-based view answers to; None for a function, which does not tell."""
    actions = getattr(view, "actions", None)
    if actions:
        return {method.upper() for method in actions} & set(METHODS)
    cls = getattr(view, "cls", None) or getattr(view, "view_class", None)
    if cls is None:
        return None
    return {name.upper() for name in cls.http_method_names if hasattr(cls, name)} & set(METHODS)


SITE = dict(routes(get_resolver().url_patterns))


def test_every_line_is_about_a_route_that_exists() -> None:
    assert [route for _, route in lines() if route not in SITE] == []


@pytest.mark.parametrize("route", SITE)
def test_every_method_of_every_route_is_in_the_table(world: World, route: str) -> None:
    listed = {method for method, name in lines() if name == route}
    offered = declared_methods(SITE[route])
    if offered is None:
        offered = {method for method in METHODS if world.ask("patient", method, route) != "405"}

    assert listed == offered


@pytest.mark.parametrize(("method", "route"), lines(), ids=lambda part: part or "home")
def test_everyone_gets_what_the_table_says(world: World, method: str, route: str) -> None:
    expected = dict(zip(CAST, lines()[method, route], strict=True))

    answers = {who: world.ask(who, method, route) for who in CAST}

    assert answers == expected


def admin_routes(patterns: list[Any], prefix: str = "admin/") -> Iterator[str]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from admin_routes(pattern.url_patterns, prefix + str(pattern.pattern))
        elif isinstance(pattern, URLPattern):
            yield prefix + str(pattern.pattern)


ADMIN_ROUTES = sorted(set(admin_routes(django_admin.site.urls[0])))


# What an administrator gets, where it is no page: what is done by POST alone, what leads on to a
# page, and what the services alone may do.
ADMIN_ACTIONS = (
    "approve", "refuse", "withdraw", "claim", "release", "return", "reject", "export",
    "retry", "answer", "renew",
)  # fmt: skip
NO_PAGE = {
    "admin/prescriptions/approvedpharmacy/<uuid:pk>/deactivate/": 405,
    "admin/accounts/licence/<path:object_id>/change/": 302,
    "admin/notifications/unreached/<path:object_id>/change/": 302,
    "admin/notifications/unreached/<path:object_id>/history/": 302,
    "admin/autocomplete/": 403,
    "admin/login/": 302,
    "admin/logout/": 302,
    "admin/password_change/": 404,
    "admin/r/<path:content_type_id>/<path:object_id>/": 404,
    "admin/specializations/specialization/add/": 200,
    "admin/specializations/specialization/<path:object_id>/delete/": 200,
}


def administrator_gets(route: str) -> int:
    if route in NO_PAGE:
        return NO_PAGE[route]
    if route.endswith(("/add/", "/delete/")):
        return 403
    if route.endswith("<path:object_id>/"):
        return 302
    return 405 if route.rstrip("/").rpartition("/")[2] in ADMIN_ACTIONS else 200


@pytest.fixture
def admin_ids(world: World) -> dict[str, Any]:
    """One row for everything that an admin route names."""
    patient, doctor, admin = (world.people[who] for who in ("patient", "doctor", "admin"))
    application = DoctorProfile.objects.get(user__status=Status.PENDING_APPROVAL)
    ask(patient, AccessEvent.objects.filter(action=AccessEvent.Action.ISSUED).latest("pk"))
    propose_role(
        session=sign_in(AdminFactory()), user_id=doctor.pk, role=Role.ADMIN, reason="Joins us."
    )
    approve_pharmacy(session=sign_in(admin), name="Central Pharmacy", licence_number="EG-77")
    rows = {
        f"admin/{model._meta.app_label}/{model._meta.model_name}": model._default_manager.first()
        for model in django_admin.site._registry
    }
    return {route: row.pk for route, row in rows.items() if row} | {
        "admin/accounts/user": patient.pk,
        "admin/accounts/doctorprofile": application.pk,
        "admin/accounts/licence": doctor.doctor_profile.pk,
        "review_id": application.reviews.get().pk,
        "user_id": doctor.pk,
        "kind": "LICENCE",
        "name": "licence_document",
        "content_type_id": 1,
        "admin/r/<path:content_type_id>": patient.pk,
    }


def admin_path(route: str, ids: dict[str, Any]) -> str:
    """The route with ids in it. The admin's last route catches everything else, by an
    expression."""
    if "(?P" in route:
        return "/admin/accounts/"
    model = "/".join(route.split("/")[:3])
    return "/" + re.sub(r"<\w+:(\w+)>", lambda name: str(ids.get(name[1]) or ids[model]), route)


@pytest.mark.parametrize("route", ADMIN_ROUTES)
def test_admin_opens_to_nobody_but_administrators(
    world: World, admin_ids: dict[str, Any], route: str
) -> None:
    path = admin_path(route, admin_ids)

    answers = {
        (who, method): getattr(world.browsers[who], method)(path).status_code
        for who in CAST
        if who != "admin"
        for method in ("get", "post")
    }

    pending = {answers.pop(("pending", method)) for method in ("get", "post")}
    assert pending == ({302} if route == "admin/login/" else {403})
    assert set(answers.values()) <= {302, 404}, answers


@pytest.mark.parametrize("route", ADMIN_ROUTES)
def test_everyone_ends_where_they_belong(
    world: World, admin_ids: dict[str, Any], route: str
) -> None:
    browsers = {name: world.browsers[name] for name in ("anonymous", "patient", "doctor")} | {
        "admin without a second factor": page_client(world.people["admin"], factor="")
    }
    path = admin_path(route, admin_ids)

    ends = {
        who: browser.get(path, follow=True).request["PATH_INFO"]
        for who, browser in browsers.items()
    }

    assert ends == {
        "anonymous": "/login",
        "patient": "/",
        "doctor": "/",
        "admin without a second factor": "/security",
    }
    assert world.browsers["admin"].get(path).status_code == administrator_gets(route)


@pytest.mark.parametrize(
    "model", list(django_admin.site._registry), ids=lambda model: model._meta.label
)
def test_administrators_see_every_list_of_the_admin(world: World, model: Any) -> None:
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist"

    assert world.browsers["admin"].get(reverse(name)).status_code == 200


def test_administrators_see_the_index(world: World) -> None:
    assert world.browsers["admin"].get("/admin/").status_code == 200


def test_suspended_administrator_sees_nothing(world: World) -> None:
    User.objects.filter(pk=world.people["admin"].pk).update(status=Status.SUSPENDED)

    assert world.browsers["admin"].get("/admin/").status_code == 302


@pytest.mark.parametrize("model", list(django_admin.site._registry))
def test_admin_shows_no_clinical_row_to_be_changed(model: Any) -> None:
    """Cases are letters, not records; that one is opened is logged. A pharmacy is no record."""
    is_no_record = model in {AccessCase, ApprovedPharmacy}
    assert is_no_record or model._meta.app_label not in {
        "prescriptions",
        "records",
        "chat",
        "audit",
    }


def test_onboarding_token_opens_its_own_step_and_no_other(world: World) -> None:
    """The one route that the cast's own tokens do not open."""
    mine, yours = verified(email="c@example.org"), verified(email="d@example.org")
    client = api_client()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {onboarding_token(mine)}")
    details = {"phone": "+201001234567", "national_id": "29005170100123"}

    answers = [
        client.patch(f"/api/v1/users/{user.pk}/profile", details).status_code
        for user in (yours, mine)
    ]

    assert answers == [403, 200]
