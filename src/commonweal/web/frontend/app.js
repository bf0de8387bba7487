// What pages do better with scripts; every one of them works without.

// A link that signs in: the code stands behind '#', which is never sent to a server; here it is posted.
const form = document.querySelector("form[data-code]");
function enter() {
  const code = new URLSearchParams(location.hash.slice(1)).get("code");
  if (!form || !code) return;
  history.replaceState(null, "", location.pathname + location.search);
  form.elements.code.value = code;
  form.submit();
}
enter();
// The link may be pasted while this page is already open.
addEventListener("hashchange", enter);

// Copy what an element holds.
for (const button of document.querySelectorAll("[data-copy]")) {
  if (!navigator.clipboard) break;
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
    document.querySelector("[data-told]").textContent = button.dataset.done;
  });
}

// A page with faults begins at them.
document.querySelector(".faults")?.focus();

// Filters start folded on a phone, where they would push the record out of sight.
if (matchMedia("(max-width: 760px)").matches) {
  document.querySelectorAll("details.fold").forEach((each) => each.removeAttribute("open"));
}
