// Keeps the parts marked data-live up to date. Everything works without it: reload the page instead.
"use strict";

const parse = (html) => new DOMParser().parseFromString(html, "text/html");

function replaceChanged(fresh) {
  for (const old of document.querySelectorAll("[data-live]")) {
    const next = fresh.getElementById(old.id);
    if (!next || next.outerHTML === old.outerHTML || old.contains(document.activeElement)) continue;
    if (old.id === "next") { old.disabled = next.disabled; continue; }
    old.innerHTML = next.innerHTML;
  }
}

async function look() {
  try {
    const answer = await fetch(location.pathname, { headers: { Accept: "text/html" } });
    if (answer.ok) replaceChanged(parse(await answer.text()));
  } catch { /* the sandbox has stopped: the page stays as it is */ }
  setTimeout(look, 2000);
}

setTimeout(look, 2000);

// Enter sends, Shift+Enter makes a new line, as on a phone.
document.getElementById("body")?.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    event.target.form.requestSubmit();
  }
});
