/* Signing at an identity provider, between two tabs of ours; without this file its person sends the first page.
   [data-signed-there="token"]    the second tab: tells the others that this statement was signed at the provider
   form input[name=sign_token]    the first: is sent once the statement of that token was signed */
(() => {
  "use strict";
  if (!window.BroadcastChannel) return;
  const channel = new BroadcastChannel("signed at a provider");

  const there = document.querySelector("[data-signed-there]");
  if (there) channel.postMessage(there.dataset.signedThere);

  channel.addEventListener("message", (event) => {
    for (const token of document.querySelectorAll("input[name=sign_token]")) {
      const form = token.closest("form");
      if (!token.value || token.value !== event.data || form.dataset.signedThere) continue;
      form.dataset.signedThere = "yes";
      const binds = "button[type=submit]:not([name=sign_prepare]):not(.unseen):not([value=look])";
      form.requestSubmit(form.querySelector(binds));
    }
  });
})();
