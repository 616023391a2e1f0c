/* Comforts only: every page works without this file.
   form[data-draft="key"]        what is typed stays in this browser until a page says it was saved ([data-saved])
   form with a textarea          the same, by the address, the fields and what the form showed before anybody typed
   form[data-bound]              it holds what was just sent: no draft of before is put over that
   form[data-draft-url]          the draft is also posted there, two seconds after the last key
   form [data-draft-note]        where "Draft kept" is said
   form[data-auto]               choosing a filter shows its result at once
   form[data-guard]              leaving with something unsent asks first
   [data-focus]                  takes the focus when the page opens (the summary of errors)
   [data-of-kind="value"]        a folded part for one choice of its form's kind: unfolded while that is chosen
   form [data-tick-count="name"]  says how many boxes of that name are ticked
   [data-line]                   a line of a list that j and k go down and up, e opens, s snoozes
   select[data-pick]             a long list: a field in front of it in which one types a part of the name
   the key /                     goes to the search box
   form with a chosen file       asks for the consequences first, because a page that is shown again forgets the file
   [data-slash]                  where this browser can be told to leave all these keys alone */
(() => {
  "use strict";
  const person = document.body.dataset.person || "";
  const SENT = "plumbline:sent";
  const SLASH = "plumbline:slash";
  const keyOf = (form) => `plumbline:draft:${person}:${form.dataset.draft}`;
  /* As the pages write it, whatever the language of the browser: 9 Nov 10:50, 9 Nov 2025 10:50. */
  const clockTime = (at) => {
    const on = new Date(at);
    const [, month, day, year] = on.toDateString().split(" ");
    const earlier = on.getFullYear() === new Date().getFullYear() ? "" : ` ${year}`;
    return `${+day} ${month}${earlier} ${on.toTimeString().slice(0, 5)}`;
  };

  /* Where storage is refused there is no draft. */
  const storage = (kind, act) => {
    try { return act(window[kind]); } catch { return null; }
  };

  const keepable = (field) =>
    field.name && !field.disabled && !["password", "file", "hidden", "submit", "button"].includes(field.type);

  const valuesOf = (form) => {
    const values = {};
    for (const field of form.elements) {
      if (!keepable(field)) continue;
      const list = (values[field.name] ||= []);
      if (field.type === "checkbox" || field.type === "radio") {
        if (field.checked) list.push(field.value);
      } else if (field.multiple) {
        list.push(...Array.from(field.selectedOptions, (option) => option.value));
      } else {
        list.push(field.value);
      }
    }
    return values;
  };

  const fill = (form, values) => {
    const taken = {};
    for (const field of form.elements) {
      if (!keepable(field) || !(field.name in values)) continue;
      const list = values[field.name];
      if (field.type === "checkbox" || field.type === "radio") {
        field.checked = list.includes(field.value);
      } else if (field.multiple) {
        for (const option of field.options) option.selected = list.includes(option.value);
      } else {
        const place = (taken[field.name] = (taken[field.name] ?? -1) + 1);
        if (list[place] !== undefined) field.value = list[place];
      }
    }
    form.dispatchEvent(new Event("filled"));
  };

  const say = (form, words) => {
    let place = form.querySelector("[data-draft-note]");
    if (!place) {
      place = document.createElement("span");
      place.className = "small soft";
      place.dataset.draftNote = "";
      place.setAttribute("role", "status");
      form.querySelector(".row:last-of-type")?.append(place);
    }
    place.textContent = words;
  };

  /* A draft belongs to what the form showed: it is not put over what somebody else saved meanwhile. */
  const nameDraft = (form) => {
    const texts = [...form.querySelectorAll("textarea")];
    if (!person || !texts.length) return;
    let digest = 0;
    for (const letter of JSON.stringify(valuesOf(form))) digest = (Math.imul(digest, 31) + letter.codePointAt(0)) | 0;
    const fields = texts.map((field) => field.name).join();
    form.dataset.draft = [location.pathname + location.search, form.getAttribute("action"), fields, digest].join(" ");
  };

  const offerDraft = (form) => {
    const kept = storage("localStorage", (s) => JSON.parse(s.getItem(keyOf(form))));
    if (!kept) return;
    const before = valuesOf(form);
    if (JSON.stringify(kept.values) === JSON.stringify(before)) {
      storage("localStorage", (s) => s.removeItem(keyOf(form)));
      return;
    }
    fill(form, kept.values);
    const note = document.createElement("div");
    note.className = "note";
    note.setAttribute("role", "status");
    const discard = document.createElement("button");
    discard.type = "button";
    discard.className = "link";
    discard.textContent = "Discard the draft";
    discard.addEventListener("click", () => {
      fill(form, before);
      storage("localStorage", (s) => s.removeItem(keyOf(form)));
      note.remove();
    });
    note.append(`Draft from ${clockTime(kept.at)} restored. It is not saved yet. `, discard);
    form.prepend(note);
  };

  const postDraft = async (form) => {
    const body = new FormData(form);
    for (const [name, value] of [...body]) if (value instanceof File) body.delete(name);
    form.querySelectorAll("input[type=password]").forEach((field) => body.delete(field.name));
    try {
      const answer = await fetch(form.dataset.draftUrl, { method: "POST", body, credentials: "same-origin" });
      say(form, answer.ok ? `Draft kept at ${clockTime(Date.now())}` : "Draft kept in this browser only");
    } catch {
      say(form, "Draft kept in this browser only");
    }
  };

  const watch = (form) => {
    if (form.dataset.watched) return;
    form.dataset.watched = "yes";
    let timer = 0;
    let unsent = false;
    if (form.dataset.draft && !("bound" in form.dataset)) offerDraft(form);
    form.addEventListener("input", () => {
      unsent = true;
      if (!form.dataset.draft) return;
      const draft = JSON.stringify({ at: Date.now(), values: valuesOf(form) });
      storage("localStorage", (s) => s.setItem(keyOf(form), draft));
      clearTimeout(timer);
      timer = setTimeout(() => {
        if (form.dataset.draftUrl) postDraft(form);
        else say(form, "Draft kept in this browser");
      }, 2000);
    });
    form.addEventListener("submit", () => {
      unsent = false;
      clearTimeout(timer);
      if (form.dataset.draft) {
        storage("sessionStorage", (s) => s.setItem(SENT, JSON.stringify([...unsaved, keyOf(form)])));
      }
    });
    if ("guard" in form.dataset) {
      window.addEventListener("beforeunload", (event) => {
        if (unsent && form.isConnected) event.preventDefault();
      });
    }
    if ("auto" in form.dataset) {
      /* Not for who chooses by keyboard: there each arrow on the way down a list is a change (WCAG 3.2.2). */
      let pointed = false;
      form.addEventListener("pointerdown", () => { pointed = true; });
      form.addEventListener("keydown", () => { pointed = false; });
      form.addEventListener("change", (event) => {
        if (pointed && event.target.matches("select,input[type=checkbox],input[type=radio]")) form.requestSubmit();
      });
    }
  };

  /* Drafts go only when the answer to their form says that it was saved, or leads a person to another page. An answer
     with a remark shows the form again, with another draft: both go then. */
  let unsaved = [];
  const dropSavedDraft = (root) => {
    const sent = storage("sessionStorage", (s) => JSON.parse(s.getItem(SENT))) ?? [];
    const way = root === document && performance.getEntriesByType("navigation")[0];
    const led = way && person && way.redirectCount > 0 && !(way.responseStatus >= 400);
    const saved = led || root.matches?.("[data-saved]") || root.querySelector("[data-saved]");
    if (saved) sent.forEach((key) => storage("localStorage", (s) => s.removeItem(key)));
    else unsaved = sent;
    storage("sessionStorage", (s) => s.removeItem(SENT));
  };

  /* The select stays what is sent; it is out of sight, and follows what is typed. Half a name finds one that has it. */
  let picks = 0;
  const offerTyping = (select) => {
    const typed = document.createElement("input");
    const list = document.createElement("datalist");
    const words = new Map();
    for (const option of select.options) {
      const said = option.text.trim();
      let name = said;
      for (let more = 2; words.has(name); more += 1) name = `${said} (${more})`;
      words.set(name, option);
      if (option.value) list.append(new Option(name, name));
    }
    const empty = [...select.options].find((option) => !option.value);
    const nameOf = () => [...words].find(([, option]) => option.selected && option.value)?.[0] ?? "";
    const show = () => {
      typed.value = nameOf();
      typed.setCustomValidity("");
    };
    const find = (text) => {
      if (words.has(text)) return words.get(text);
      const part = text.toLowerCase();
      const near = [...words].filter(([name, option]) => option.value && name.toLowerCase().includes(part));
      return near.length === 1 ? near[0][1] : null;
    };
    const take = (final) => {
      const text = typed.value.trim();
      const found = text ? find(text) : empty;
      if (found && (final || !text || words.has(text))) {
        if (!found.selected) {
          found.selected = true;
          select.dispatchEvent(new Event("change", { bubbles: true }));
        }
        if (final) show();
      }
      const ok = Boolean(found && (found.value || !select.required));
      typed.setCustomValidity(ok || !text ? "" : "Choose one of the list: type until only one name is left.");
    };
    list.id = `pick-${(picks += 1)}`;
    typed.type = "text";
    typed.setAttribute("list", list.id);
    typed.autocomplete = "off";
    typed.placeholder = empty ? empty.text.trim() : "";
    typed.required = select.required;
    typed.dataset.picks = select.name;
    for (const name of ["aria-describedby", "aria-invalid", "autofocus"]) {
      if (select.hasAttribute(name)) typed.setAttribute(name, select.getAttribute(name));
    }
    typed.id = select.id;
    select.id += "-choices";
    select.hidden = true;
    select.required = false;
    delete select.dataset.pick;
    select.before(typed, list);
    /* What stands there is replaced by what is typed; a click that gives focus sets the caret after it. */
    typed.addEventListener("focus", () => typed.select());
    typed.addEventListener("pointerdown", () => {
      if (document.activeElement !== typed) typed.addEventListener("click", () => typed.select(), { once: true });
    });
    typed.addEventListener("input", () => take(false));
    typed.addEventListener("change", () => take(true));
    select.form?.addEventListener("filled", show);
    select.form?.addEventListener("reset", () => setTimeout(show));
    show();
  };

  const FORMS = "form[data-draft],form[data-auto],form[data-guard]";
  const start = (root) => {
    root.querySelectorAll("form[method=post]:not([data-draft])").forEach(nameDraft);
    if (root.matches?.(FORMS)) watch(root);
    root.querySelectorAll(FORMS).forEach(watch);
    root.querySelectorAll("select[data-pick]").forEach(offerTyping);
    root.querySelector("[data-focus]")?.focus();
  };

  const writing = (place) => place.closest("input,textarea,select,[contenteditable]");
  const search = () => document.querySelector("[role=search] input[type=search]");
  const lineOf = (place) => place.closest?.("[data-line]");
  const step = (by) => {
    const lines = [...document.querySelectorAll("[data-line]")].filter((line) => line.checkVisibility());
    const at = lines.indexOf(lineOf(document.activeElement));
    return lines[Math.min(Math.max(at + by, 0), lines.length - 1)]?.querySelector("a");
  };
  const KEYS = {
    "/": () => search(),
    j: () => step(1),
    k: () => step(-1),
    e: (here) => {
      const line = lineOf(here);
      (line?.querySelector("a.btn") ?? line?.querySelector("a"))?.click();
    },
    s: (here) => {
      const part = lineOf(here)?.querySelector("details");
      if (part) part.open = true;
      return part?.querySelector("input[type=date]");
    },
  };
  document.addEventListener("keydown", (event) => {
    const plain = KEYS[event.key] && !(event.ctrlKey || event.metaKey || event.altKey || event.isComposing);
    if (!plain || writing(event.target) || storage("localStorage", (s) => s.getItem(SLASH)) === "off") return;
    const place = KEYS[event.key](document.activeElement);
    if (!place) return;
    event.preventDefault();
    place.focus();
    place.select?.();
  });

  document.addEventListener("submit", async (event) => {
    const [form, button] = [event.target, event.submitter];
    const files = [...form.querySelectorAll("input[type=file]")];
    if (event.defaultPrevented || form.method !== "post" || !files.some((field) => field.files.length)) return;
    if (form.dataset.confirmed) { delete form.dataset.confirmed; return; }
    event.preventDefault();
    const send = () => {
      form.dataset.confirmed = "yes";
      form.requestSubmit(button);
    };
    try {
      const answer = await fetch(form.getAttribute("action") || window.location.href, {
        method: "POST",
        body: button ? new FormData(form, button) : new FormData(form),
        headers: { "X-Consequences": "asked" },
        credentials: "same-origin",
      });
      const { html, confirmed } = await answer.json();
      if (!html || form.elements.confirmed?.value === confirmed) { send(); return; }
      form.querySelector("[data-consequences]")?.remove();
      const place = document.createElement("div");
      place.dataset.consequences = "";
      place.innerHTML = html;
      (button?.closest(".row") ?? form.lastElementChild).before(place);
      place.querySelector("[data-focus]")?.focus();
    } catch { send(); } /* the page asks then, and the file is chosen again */
  });

  document.addEventListener("change", (event) => {
    if (!event.target.matches("select[name$=kind]")) return;
    event.target.form?.querySelectorAll("details[data-of-kind]").forEach((part) => {
      part.open = part.dataset.ofKind === event.target.value;
    });
  });

  document.querySelectorAll("[data-tick-count]").forEach((place) => {
    const form = place.closest("form");
    const boxes = form.querySelectorAll(`input[type=checkbox][name="${place.dataset.tickCount}"]`);
    const count = () => { place.querySelector("b").textContent = [...boxes].filter((box) => box.checked).length; };
    form.addEventListener("change", count);
    count();
    place.hidden = false;
  });

  document.querySelectorAll("[data-slash]").forEach((place) => {
    const label = document.createElement("label");
    const box = document.createElement("input");
    box.type = "checkbox";
    box.checked = storage("localStorage", (s) => s.getItem(SLASH)) !== "off";
    box.addEventListener("change", () =>
      storage("localStorage", (s) => (box.checked ? s.removeItem(SLASH) : s.setItem(SLASH, "off"))));
    label.className = "check";
    label.append(box, "Let them do so in this browser");
    place.replaceChildren(label);
  });

  /* What is folded is printed too, but for forms, and folded again. */
  let printed = [];
  addEventListener("beforeprint", () => {
    printed = [...document.querySelectorAll("main details:not([open]):not(:has(form))")];
    printed.forEach((part) => { part.open = true; });
  });
  addEventListener("afterprint", () => printed.forEach((part) => { part.open = false; }));

  /* A link to something folded away unfolds it. */
  const unfold = () => {
    const target = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    for (let part = target; part; part = part.parentElement) if (part.tagName === "DETAILS") part.open = true;
    target.scrollIntoView();
  };
  addEventListener("hashchange", unfold);

  dropSavedDraft(document);
  start(document);
  if (!person && unsaved.length) {
    const note = document.createElement("div");
    note.className = "note";
    note.setAttribute("role", "status");
    note.append("Your session has ended. What you typed is kept in this browser. Sign in to go on.");
    document.querySelector("main form")?.before(note);
  }
  unfold();
  /* Whoever had the focus in what is replaced goes on in what comes instead: in its first field, or at its first button. */
  let replaced = false;
  document.addEventListener("htmx:beforeSwap", (event) => {
    replaced = event.detail.target.contains(document.activeElement);
  });
  document.addEventListener("htmx:load", (event) => {
    const root = event.detail.elt;
    if (root === document.body) return;
    dropSavedDraft(root);
    start(root);
    if (!replaced || root.contains(document.activeElement)) return;
    const next = "form :is(textarea,select,input:not([type=hidden])),a.btn,button";
    root.querySelector(next)?.focus();
  });
})();
