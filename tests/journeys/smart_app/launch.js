// Opened by the record (?iss&launch) or by a person (?fhir): the library finds its way from there.
const asked = new URLSearchParams(location.search);
const more = asked.get("launch") ? "launch" : "launch/patient offline_access";
FHIR.oauth2
  .authorize({
    clientId,
    scope: `${more} openid fhirUser patient/*.rs`,
    redirectUri: "back.html",
    ...(asked.get("fhir") ? { iss: asked.get("fhir") } : {}),
  })
  .catch((error) => {
    document.getElementById("fault").textContent = error.message || error;
  });
