/* Passkeys, which exist only where scripts are on; every form beside them works without this file.
   form[data-passkey-get="options"]   signing in: asks for a passkey, sends what it signed as `assertion`
   form[data-passkey-make]            the account: asks the server for options, makes a passkey, sends it as `credential`
   form [data-signing-passkey]        signing: a form that is sent without a password has its statement frozen first,
                                      then a passkey signs it, then the form is sent */
(() => {
  "use strict";
  if (!window.PublicKeyCredential || !navigator.credentials) return;

  const bytes = (text) => {
    const plain = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
    return Uint8Array.from(plain, (letter) => letter.charCodeAt(0));
  };
  const text = (buffer) =>
    btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  const listed = (list) => (list || []).map((one) => ({ ...one, id: bytes(one.id) }));

  const get = async (options) => {
    const found = await navigator.credentials.get({
      publicKey: {
        ...options,
        challenge: bytes(options.challenge),
        allowCredentials: listed(options.allowCredentials),
      },
    });
    const said = found.response;
    return JSON.stringify({
      id: found.id,
      rawId: text(found.rawId),
      type: found.type,
      response: {
        authenticatorData: text(said.authenticatorData),
        clientDataJSON: text(said.clientDataJSON),
        signature: text(said.signature),
        userHandle: said.userHandle ? text(said.userHandle) : null,
      },
    });
  };

  const make = async (options) => {
    const made = await navigator.credentials.create({
      publicKey: {
        ...options,
        challenge: bytes(options.challenge),
        user: { ...options.user, id: bytes(options.user.id) },
        excludeCredentials: listed(options.excludeCredentials),
      },
    });
    const said = made.response;
    return JSON.stringify({
      id: made.id,
      rawId: text(made.rawId),
      type: made.type,
      response: {
        attestationObject: text(said.attestationObject),
        clientDataJSON: text(said.clientDataJSON),
        transports: said.getTransports ? said.getTransports() : [],
      },
    });
  };

  const WHY = {
    NotAllowedError: "No passkey was used. Try again, or take another way.",
    InvalidStateError: "This device has a passkey for this account already.",
    SecurityError: "Passkeys do not work at this address.",
  };
  const say = (place, words) => {
    if (!place) return;
    place.textContent = words;
    place.hidden = !words;
  };
  const why = (trouble) => WHY[trouble.name] || "The passkey could not be used.";

  const answered = async (form, data) => {
    const address = form.getAttribute("action") || window.location.href;
    const response = await fetch(address, {
      method: "POST",
      body: data,
      headers: { Accept: "application/json" },
      credentials: "same-origin",
    });
    const kind = response.headers.get("Content-Type") || "";
    return kind.startsWith("application/json") ? response.json() : null;
  };

  for (const form of document.querySelectorAll("form[data-passkey-get]")) {
    const place = form.querySelector("[data-passkey-said]");
    say(place, "");
    form.querySelector("button").hidden = false;
    form.addEventListener("submit", async (event) => {
      if (form.elements.assertion.value) return;
      event.preventDefault();
      try {
        form.elements.assertion.value = await get(JSON.parse(form.dataset.passkeyGet));
        form.submit();
      } catch (trouble) {
        say(place, why(trouble));
      }
    });
  }

  for (const form of document.querySelectorAll("form[data-passkey-make]")) {
    const place = form.querySelector("[data-passkey-said]");
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      say(place, "");
      try {
        const answer = await answered(form, new FormData(form));
        if (!answer) { window.location.reload(); return; }
        if (answer.errors) { say(place, answer.errors.join(" ")); return; }
        const made = await make(answer.create);
        const field = document.createElement("input");
        field.type = "hidden";
        field.name = "credential";
        field.value = made;
        form.append(field);
        for (const secret of form.querySelectorAll("input[name=password], input[name=code]")) secret.value = "";
        form.submit();
      } catch (trouble) {
        say(place, why(trouble));
      }
    });
  }

  for (const part of document.querySelectorAll("[data-signing-passkey]")) {
    const form = part.closest("form");
    const place = part.querySelector("[data-signing-said]");
    const shown = part.querySelector("[data-signing-statement]");
    part.hidden = false;
    form.addEventListener("submit", async (event) => {
      const { password, sign_assertion: assertion, sign_token: token } = form.elements;
      const button = event.submitter;
      const elsewhere = form.dataset.signedThere || (button && button.name === "sign_prepare");
      if (!assertion || (password && password.value) || assertion.value || elsewhere) return;
      event.preventDefault();
      try {
        const data = button ? new FormData(form, button) : new FormData(form);
        data.set("sign_prepare", "1");
        const answer = await answered(form, data);
        if (answer && answer.get) {
          shown.textContent = answer.statement;
          shown.hidden = false;
          assertion.value = await get(answer.get);
          token.value = answer.token;
        } else {
          assertion.value = "-"; /* the page says what is wrong with the form, or does what binds nothing */
        }
        form.requestSubmit(button);
      } catch (trouble) {
        assertion.value = "";
        say(place, why(trouble));
      }
    });
  }
})();
