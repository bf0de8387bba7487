// Passkeys: the browser signs, a form carries what it signed. Without scripts these forms stay hidden.
const able = window.PublicKeyCredential?.parseRequestOptionsFromJSON;

async function signed(form) {
  const options = JSON.parse(form.dataset.passkey);
  if (form.dataset.kind === "create") {
    const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options);
    return navigator.credentials.create({ publicKey });
  }
  return navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) });
}

for (const form of able ? document.querySelectorAll("form[data-passkey]") : []) {
  form.hidden = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const told = form.querySelector("[role=status]");
    told.textContent = form.dataset.waiting;
    try {
      form.elements.credential.value = JSON.stringify((await signed(form)).toJSON());
      form.submit();
    } catch {
      told.textContent = form.dataset.failed;
    }
  });
}
