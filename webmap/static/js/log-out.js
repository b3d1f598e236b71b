// What the editor kept of unsaved changes belongs to its person: after logging out none of it is left in this browser.
const form = document.querySelector("form[data-account]");

form.addEventListener("submit", (event) => {
  const kept = Object.keys(localStorage).filter((key) => key.startsWith(`machimori-editor:${form.dataset.account}:`));
  if (kept.length && !window.confirm(form.dataset.ask)) {
    event.preventDefault();
    return;
  }
  form.dataset.isLeaving = "yes"; // an editor in this window keeps nothing any more
  kept.forEach((key) => localStorage.removeItem(key));
});
