"""What others read to find their way: https://hl7.org/fhir/smart-app-launch/STU2.2/conformance.html."""

from typing import Any

from commonweal.identity.house import Identity
from commonweal.identity.oauth import assertions, exchanging, places, registering, scopes
from commonweal.identity.oauth.keys import ALGORITHMS

Json = dict[str, Any]
CAPABILITIES = (
    "launch-ehr",
    "launch-standalone",
    "authorize-post",
    "client-public",
    "client-confidential-symmetric",
    "client-confidential-asymmetric",
    "sso-openid-connect",
    "context-banner",
    "context-ehr-patient",
    "context-ehr-encounter",
    "context-standalone-patient",
    "permission-offline",
    "permission-online",
    "permission-patient",
    "permission-user",
    "permission-v1",
    "permission-v2",
)
RESOURCES = tuple(
    f"{context}/*.{verbs}"
    for context in ("patient", "user", "system")
    for verbs in ("rs", "cruds", "read", "*")
)
AUTHENTICATION = tuple(registering.METHODS)


def smart_configuration(identity: Identity) -> Json:
    """[base]/.well-known/smart-configuration"""
    return {**_shared(identity), "capabilities": CAPABILITIES}


def openid_configuration(identity: Identity) -> Json:
    """https://openid.net/specs/openid-connect-discovery-1_0.html"""
    return {
        **_shared(identity),
        "response_modes_supported": ("query",),
        "subject_types_supported": ("public",),
        "id_token_signing_alg_values_supported": sorted({*ALGORITHMS}.intersection(registering.SIGNED)),
        "claims_supported": ("iss", "aud", "sub", "iat", "exp", "nonce", "fhirUser", "name"),
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
    }


def _shared(identity: Identity) -> Json:
    here = places.issuer(identity)
    return {
        "issuer": here,
        "jwks_uri": f"{here}/oauth/keys",
        "authorization_endpoint": f"{here}/oauth/authorize",
        "token_endpoint": places.token(identity),
        "introspection_endpoint": f"{here}/oauth/introspect",
        "revocation_endpoint": f"{here}/oauth/revoke",
        "registration_endpoint": f"{here}/oauth/register",
        "management_endpoint": f"{here}/apps",
        "grant_types_supported": tuple(exchanging.GRANTS),
        "response_types_supported": ("code",),
        "scopes_supported": (*sorted(scopes.NAMED), *RESOURCES),
        "token_endpoint_auth_methods_supported": AUTHENTICATION,
        "token_endpoint_auth_signing_alg_values_supported": tuple(assertions.KEY_TYPES),
        "introspection_endpoint_auth_methods_supported": AUTHENTICATION,
        "revocation_endpoint_auth_methods_supported": AUTHENTICATION,
        "code_challenge_methods_supported": ("S256",),
        "authorization_response_iss_parameter_supported": True,
    }
