// Passkeys: ask the server what to sign, let the browser sign it, hand the answer in.
// Parts of a page marked data-passkey stay hidden where the browser can't do it, so that nothing is offered in vain.
(() => {
  "use strict";
  if (!window.PublicKeyCredential) return;

  const token = document.querySelector('meta[name="csrf-token"]').content;
  const paths = { "sign-in": "/sign-in/passkey", add: "/account/passkeys" };

  const toBytes = (text) =>
    Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (letter) => letter.charCodeAt(0));
  const toText = (buffer) =>
    btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

  async function post(path, body) {
    const answer = await fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-CSRFToken": token },
      body: JSON.stringify(body),
    });
    const isJson = (answer.headers.get("Content-Type") || "").startsWith("application/json");
    const found = isJson ? await answer.json() : {};
    if (!answer.ok) {
      throw new Error(found.problem || "That didn't work. Load the page again, or try later.");
    }
    return found;
  }

  function withBytes(options) {
    options.challenge = toBytes(options.challenge);
    if (options.user) options.user.id = toBytes(options.user.id);
    for (const list of [options.excludeCredentials, options.allowCredentials]) {
      for (const each of list || []) each.id = toBytes(each.id);
    }
    return options;
  }

  function told(credential) {
    const parts = ["attestationObject", "clientDataJSON", "authenticatorData", "signature", "userHandle"];
    const response = {};
    for (const part of parts) {
      if (credential.response[part]) response[part] = toText(credential.response[part]);
    }
    return { id: credential.id, rawId: toText(credential.rawId), type: credential.type, response };
  }

  async function run(kind, box) {
    const publicKey = withBytes(await post(`${paths[kind]}/options`, {}));
    const ask = kind === "add" ? "create" : "get";
    const answer = told(await navigator.credentials[ask]({ publicKey }));
    const name = box.querySelector("input");
    if (name) answer.name = name.value;
    window.location.assign((await post(paths[kind], answer)).go);
  }

  function say(box, text) {
    const line = box.querySelector(".error");
    line.textContent = text;
    line.hidden = !text;
  }

  for (const box of document.querySelectorAll("[data-passkey]")) {
    const button = box.querySelector("button");
    box.hidden = false;
    button.addEventListener("click", async () => {
      button.disabled = true;
      say(box, "");
      try {
        await run(box.dataset.passkey, box);
      } catch (error) {
        const ours = error.constructor === Error;
        say(box, ours ? error.message : "No passkey was used. You can try again, or sign in another way.");
      } finally {
        button.disabled = false;
      }
    });
  }
})();
