"""Signing in, step by step: each screen is one step, and a cookie holds the handle of the next."""

from commonweal.web.screens.entering import passkey, phoning, proving, signing

ENTERING = {
    "/sign-in": signing.sign_in,
    "/sign-in/second": proving.second,
    "/sign-in/enrol": proving.enrol,
    "/sign-in/renew": proving.renew,
    "/sign-in/passkey": passkey.passkey,
    "/sign-in/phone": phoning.phone,
    "/sign-in/code": phoning.code,
    "/sign-in/desk": phoning.desk,
    "/signed-out": signing.signed_out,
}
"""Screens that need nobody to be signed in."""
