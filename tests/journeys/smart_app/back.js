// Exchanges the code, then reads with what it got.
const say = (id, text) => {
  document.getElementById(id).textContent = text;
};
FHIR.oauth2
  .ready()
  .then(async (client) => {
    window.client = client;
    const patient = await client.patient.read();
    const found = await client.request(`Observation?_total=accurate&patient=${client.patient.id}`);
    const other = client.request("Patient/smart-other").then(() => "seen", (error) => error.status);
    say("observations", found.total);
    say("encounter", client.encounter.id || "none");
    say("user", client.user.fhirUser);
    say("other", await other);
    say("patient", patient.name[0].family);
  })
  .catch((error) => say("fault", error.message || error));
