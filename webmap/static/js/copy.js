// Buttons that copy a text: hidden until this runs, so that nobody presses one in vain.
for (const button of document.querySelectorAll("button[data-copies]")) {
  const field = document.getElementById(button.dataset.copies);
  const said = document.getElementById(button.getAttribute("aria-describedby"));
  button.hidden = false;
  button.addEventListener("click", async () => {
    field.select();
    try {
      await navigator.clipboard.writeText(field.value);
    } catch {
      // Without HTTPS, or when the browser refuses; the old way still works in most, and the text is marked.
      if (!document.execCommand("copy")) return;
    }
    said.textContent = button.dataset.done;
  });
}
