"""Why a socket was closed. Those from 4000 on are ours, the others of RFC 6455."""

TOO_BIG = 1009
RESTARTING = 1012
TRY_LATER = 1013
# Do not come back with this session.
NOT_SIGNED_IN = 4401
REVOKED = 4403
NOT_HERE = 4404
FELL_BEHIND = 4408
TOO_MANY_ERRORS = 4429
