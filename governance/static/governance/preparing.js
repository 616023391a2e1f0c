// The page of a start (templates/preparing.html): show the progress, then the sign-in page.
"use strict";
async function look() {
  try {
    const answer = await fetch(location.href);
    if (answer.status !== 503) {
      location.reload();
      return;
    }
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    document.getElementById("now").replaceChildren(...page.getElementById("now").childNodes);
  } catch {
    // The web server takes over at this moment. The next look finds it.
  }
  setTimeout(look, 2000);
}
setTimeout(look, 2000);
