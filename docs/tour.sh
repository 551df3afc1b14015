#!/bin/sh
# The main journey over the REST API, with curl alone: a patient and a doctor register, an
# administrator approves the doctor, the two connect by QR code, a prescription is issued and
# printed, and somebody without an account verifies it.
#
#   docs/tour.sh [address]          default: http://127.0.0.1:8000, where `make run` serves
#
# It needs the demonstration's administrator and the development inbox, so it is for a stack
# started with `make run`. It can be run again and again: each run makes two new people.
set -eu

BASE=${1:-http://127.0.0.1:8000}
API=$BASE/api/v1
ADMIN_EMAIL=admin@medisync.example
ADMIN_PASSWORD=a-clinic-to-try-out
PASSWORD='a long walk by the river'
RUN=$(date +%s)-$$
PATIENT_EMAIL=patient-$RUN@tour.example
DOCTOR_EMAIL=doctor-$RUN@tour.example

TMP=$(mktemp -d)
trap 'rm -rf "$TMP"' EXIT
trap 'exit 1' HUP INT TERM

step() { printf '\n%s\n' "$1"; }
say() { printf '    %s\n' "$1"; }
fail() {
    printf '\nThe tour ends here: %s\n' "$1" >&2
    exit 1
}

# send URL [curl option...]: prints the body of a 2xx or 3xx answer. Anything else ends the tour
# with what the server said, but for 429, which is waited for: two tours may share a minute.
send() {
    while :; do
        status=$(curl -sS -o "$TMP/body" -D "$TMP/headers" -w '%{http_code}' "$@") ||
            fail "no answer from $1"
        [ "$status" = 429 ] || break
        wait=$(sed -n 's/^[Rr]etry-[Aa]fter: *\([0-9]*\).*/\1/p' "$TMP/headers")
        printf '    (over the rate limit: waiting %s s)\n' "${wait:=5}" >&2
        sleep "$wait"
    done
    case $status in
        2* | 3*) cat "$TMP/body" ;;
        *) fail "$1 answered $status: $(head -c 2000 "$TMP/body")" ;;
    esac
}

# call METHOD PATH TOKEN [JSON]: a request to the API; the token is '' where none is needed.
call() {
    method=$1 url=$API$2 token=$3 json=${4:-}
    set -- "$url" -X "$method" -H "Authorization:${token:+ Bearer $token}"
    [ -z "$json" ] || set -- "$@" -H 'Content-Type: application/json' -d "$json"
    send "$@"
}

# field NAME JSON: the first text of that name.
field() {
    value=$(printf '%s' "$2" | grep -o "\"$1\" *: *\"[^\"]*\"" | head -n 1 | cut -d '"' -f 4)
    [ -n "$value" ] || fail "there is no \"$1\" in $2"
    printf '%s\n' "$value"
}

# code_sent_to ADDRESS: the six digits of the newest mail, once the worker has sent it.
code_sent_to() {
    for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
        mails=$(send "$BASE/dev/inbox.json?to=$1")
        code=$(printf '%s' "$mails" | grep -o 'code is [0-9]\{6\}' | head -n 1 | cut -c 9-)
        [ -z "$code" ] || break
        sleep 1
    done
    [ -n "$code" ] || fail "no code was mailed to $1; is the worker running?"
    printf '%s\n' "$code"
}

# register ROLE ADDRESS FIRST LAST: steps 1 to 3; prints the answer that opens step 4.
register() {
    role=$1 address=$2 first=$3 last=$4
    answer=$(call POST /auth/register/init '' "{\"role\": \"$role\", \"language\": \"en\"}")
    registration=$(field registration_id "$answer")
    call POST /auth/register/basic '' "{
        \"registration_id\": \"$registration\", \"email\": \"$address\",
        \"first_name\": \"$first\", \"last_name\": \"$last\",
        \"password\": \"$PASSWORD\", \"confirm_password\": \"$PASSWORD\"}" >/dev/null
    code=$(code_sent_to "$address")
    call POST /auth/register/verify-email '' "{
        \"registration_id\": \"$registration\", \"otp\": \"$code\"}"
}

# login ADDRESS: prints the answer with the two tokens.
login() {
    call POST /auth/login '' "{
        \"email\": \"$1\", \"password\": \"$PASSWORD\", \"device_name\": \"Tour\"}"
}

# page PATH [curl option...]: a page of the portal, with the cookies of a browser.
page() {
    url=$BASE$1
    shift
    send "$url" -b "$TMP/cookies" -c "$TMP/cookies" -H "Referer: $BASE/" "$@"
}

# csrf_token HTML: what a form of the page has to send back.
csrf_token() {
    printf '%s' "$1" | grep -o 'name="csrfmiddlewaretoken" value="[^"]*"' | head -n 1 |
        cut -d '"' -f 4
}

# link PATTERN HTML: the first address in the page that the pattern fits.
link() {
    found=$(printf '%s' "$2" | grep -oE "(href|action)=\"$1\"" | head -n 1 | cut -d '"' -f 2)
    [ -n "$found" ] || fail "the page has no link like $1; is $ADMIN_EMAIL an administrator?"
    printf '%s\n' "$found"
}

# A picture of one pixel and a PDF without pages: what a scanner would have made.
{
    printf '\211PNG\015\012\032\012\000\000\000\015IHDR\000\000\000\001\000\000\000\001\010\000'
    printf '\000\000\000:~\233U\000\000\000\012IDATx\332c\370\017\000\001\001\001\000\034\260\214'
    printf '\231\000\000\000\000IEND\256B`\202'
} >"$TMP/licence.png"
printf '%%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%%%EOF\n' >"$TMP/id.pdf"

curl -fsS -o /dev/null "$BASE/readyz" || fail "nothing is ready at $BASE; start it with 'make run'"

step "1. A patient registers"
answer=$(register PATIENT "$PATIENT_EMAIL" Mona Mansour)
user=$(field user_id "$answer")
token=$(field onboarding_token "$answer")
answer=$(call PATCH "/users/$user/profile" "$token" '{
    "phone": "+201001234567", "birth_date": "1968-05-17", "sex": "FEMALE"}')
say "$PATIENT_EMAIL is $(field status "$answer")"

step "2. A doctor registers, with a licence and an identity card"
answer=$(register DOCTOR "$DOCTOR_EMAIL" Karim Nabil)
user=$(field user_id "$answer")
token=$(field onboarding_token "$answer")
answer=$(call GET /specializations '')
answer=$(send "$API/users/$user/profile" -X PATCH -H "Authorization: Bearer $token" \
    -F 'phone=+201001234568' -F "specialization_id=$(field id "$answer")" \
    -F "licence_number=TOUR-$RUN" -F "licence_document=@$TMP/licence.png" \
    -F "national_id_document=@$TMP/id.pdf")
say "$DOCTOR_EMAIL is $(field status "$answer")"

step "3. An administrator signs in with two factors, claims the application and approves it"
form=$(page /login)
page /login --data-urlencode "csrfmiddlewaretoken=$(csrf_token "$form")" \
    --data-urlencode "email=$ADMIN_EMAIL" --data-urlencode "password=$ADMIN_PASSWORD" >/dev/null
form=$(page /login/second-factor)
code=$(page /dev/inbox | sed -n 's/.*id="administrator-code">\([0-9]*\)<.*/\1/p')
page /login/second-factor --data-urlencode "csrfmiddlewaretoken=$(csrf_token "$form")" \
    --data-urlencode "code=$code" >/dev/null
waiting=$(page "/admin/accounts/doctorprofile/?q=TOUR-$RUN")
address=$(link '/admin/accounts/doctorprofile/[^"]*/change/[^"]*' "$waiting")
application=$(page "$address")
page "$(link '[^"]*/claim/' "$application")" \
    --data-urlencode "csrfmiddlewaretoken=$(csrf_token "$application")" >/dev/null
application=$(page "$address")
page "$(link '[^"]*/approve/' "$application")" \
    --data-urlencode "csrfmiddlewaretoken=$(csrf_token "$application")" \
    -d approve-checks=LEGIBLE -d approve-checks=SAME_PERSON -d approve-checks=NAME \
    -d approve-checks=LICENCE_NUMBER -d approve-checks=SPECIALIZATION -d approve-checks=IN_FORCE \
    -d approve-licence_expiry_date=2099-12-31 >/dev/null
say "approved in the admin, as $ADMIN_EMAIL"

step "4. The doctor signs in, and trades the refresh token for the next pair"
answer=$(login "$DOCTOR_EMAIL")
spent=$(field refresh_token "$answer")
answer=$(call POST /auth/refresh '' "{\"refresh_token\": \"$spent\"}")
[ "$(field refresh_token "$answer")" != "$spent" ] || fail "the refresh token was not rotated"
doctor=$(field access_token "$answer")
answer=$(call GET /users/profile "$doctor")
say "$DOCTOR_EMAIL is $(field status "$answer")"

step "5. The doctor shows a QR code; the patient scans it, sees whose it is, and confirms"
answer=$(login "$PATIENT_EMAIL")
patient=$(field access_token "$answer")
answer=$(call POST /qr/generate "$doctor" '{"type": "CONNECTION", "expiry_minutes": 5}')
qr=$(field url "$answer")
say "the code holds $qr"
answer=$(call POST /qr/scan "$patient" "{\"token\": \"$qr\"}")
say "it is from Dr $(field first_name "$answer") $(field last_name "$answer")"
answer=$(call POST /qr/scan "$patient" "{\"token\": \"$qr\", \"confirm\": true}")
connection=$(field id "${answer#*\"connection\":}")
say "connected"

step "6. The doctor issues a prescription"
answer=$(call POST "/prescriptions/connections/$connection" "$doctor" '{
    "diagnosis": "Essential hypertension",
    "items": [{"medicine": "Amlodipine", "strength": "5 mg", "route": "ORAL", "frequency": 1,
               "duration_days": 30, "quantity": 30, "refills": 2,
               "instructions": "At the same time every day."}]}')
prescription=$(field id "$answer")
printed=$(field verification_url "$answer")
say "number $(field number "$answer"): $(field dosage "$answer")"

step "7. The patient is told, reads it, and downloads the sheet"
answer=$(call GET /notifications "$patient")
notification=$(field id "$answer")
say "$(field title "$answer")"
answer=$(call PUT "/notifications/$notification/read" "$patient")
say "read at $(field read_at "$answer")"
call GET "/prescriptions/$prescription/pdf?size=A5&language=ar" "$patient" >"$TMP/sheet.pdf"
[ "$(head -c 5 "$TMP/sheet.pdf")" = '%PDF-' ] || fail "the sheet is not a PDF"
say "$(wc -c <"$TMP/sheet.pdf" | tr -d ' ') bytes of PDF, in Arabic on A5"

step "8. A pharmacist without an account verifies the code printed on it"
secret=${printed##*/verify/}
hash=${printed##*h=}
version=${secret#*v=}
answer=$(call POST /qr/verify '' "{
    \"code\": \"${secret%%\?*}\", \"version\": ${version%%&*}, \"content_hash\": \"$hash\"}")
say "number $(field number "$answer"), by Dr $(field prescriber_name "$answer")"
outcome=$(field outcome "$answer")
[ "$outcome" = authentic ] || fail "the verification answers $outcome"
printf '\n%s\n' "$outcome"
