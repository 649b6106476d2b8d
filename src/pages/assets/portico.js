// What the pages do better with scripts than without. Nothing here is needed: each page works as plain HTML.
(() => {
  "use strict";
  const doc = document, root = doc.documentElement;
  root.classList.add("js");
  const all = (selector, inside = doc) => [...inside.querySelectorAll(selector)];
  const one = (selector, inside = doc) => inside.querySelector(selector);
  const typing = (at) => at.closest?.("input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]");

  // ---- keys: a page's links and buttons say by data-key which key they answer to; two letters in a row are "g t"
  let before = "", beforeAt = 0;
  const press = (target) => {
    if (target.matches("input, textarea, select")) { target.focus(); target.select?.(); }
    else target.click();
  };
  const step = (by) => {
    const rows = all("[data-row]");
    if (!rows.length) return;
    const now = rows.findIndex((row) => row.contains(doc.activeElement));
    const row = rows[Math.min(rows.length - 1, Math.max(0, now < 0 ? 0 : now + by))];
    (one("a, button", row) ?? row).focus();
  };
  // The next row with a problem, at what is to be done with it; after the last one the first again.
  const problem = () => {
    const rows = all("[data-row][data-problem]");
    const after = rows.find((row) => doc.activeElement?.closest("[data-row]") && row.compareDocumentPosition(doc.activeElement) & Node.DOCUMENT_POSITION_PRECEDING && !row.contains(doc.activeElement));
    const row = after ?? rows[0];
    if (row) (one("a[data-next], a", row) ?? row).focus();
    else say("No row needs you.");
  };
  doc.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && typing(event.target)) { event.target.blur(); return; }
    if (event.key === "Enter" && event.ctrlKey && typing(event.target)) {
      one("[data-key='ctrl-enter']", event.target.form ?? doc)?.click();
      return;
    }
    const palette = (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k";
    if (!palette && (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || typing(event.target))) return;
    if (root.dataset.keys === "off" && !palette) return;
    const key = palette ? "/" : event.key;
    if (key === "?") { one("#keys")?.showModal(); event.preventDefault(); return; }
    if (key === "j" || key === "k") { step(key === "j" ? 1 : -1); event.preventDefault(); return; }
    if (key === "n" && one("[data-row]")) { problem(); event.preventDefault(); return; }
    const here = key === "x" && doc.activeElement?.closest("[data-row]");
    if (here) { one("input.tick", here)?.click(); event.preventDefault(); return; }
    const chosen = key === "v" && one("[data-row] .tick:checked") && one("[data-chosen]");
    if (chosen) { press(chosen); event.preventDefault(); return; }
    const pair = event.timeStamp - beforeAt < 1200 ? before + " " + key : "";
    before = key; beforeAt = event.timeStamp;
    const target = (pair && one(`[data-key="${CSS.escape(pair).replace("\\ ", " ")}"]`)) || (key.length === 1 && one(`[data-key="${CSS.escape(key)}"]`));
    if (target) { press(target); event.preventDefault(); }
  });

  // ---- a field that is to be mended is typed over
  const over = (at) => {
    if (!at?.matches?.("input[autofocus]") || at.dataset.met || !at.value) return;
    at.dataset.met = "yes";
    at.select();
  };
  doc.addEventListener("focusin", (event) => over(event.target));
  over(doc.activeElement);

  // ---- small helps, by attribute; on the whole document, so that swapped-in parts have them too
  doc.addEventListener("click", async (event) => {
    const at = event.target.closest?.("[data-copy], [data-copies], [data-show], [data-opens], [data-closes], [data-print], [data-all]");
    if (!at) return;
    if (at.dataset.copy !== undefined) {
      await navigator.clipboard?.writeText(at.dataset.copy);
      say("Copied.");
    } else if (at.dataset.copies !== undefined) {
      await navigator.clipboard?.writeText(doc.getElementById(at.dataset.copies)?.textContent ?? "");
      say("Copied.");
    } else if (at.dataset.show !== undefined) {
      const input = doc.getElementById(at.dataset.show), hidden = input.type === "password";
      input.type = hidden ? "text" : "password";
      at.setAttribute("aria-pressed", String(hidden));
    } else if (at.dataset.opens !== undefined) doc.getElementById(at.dataset.opens)?.showModal();
    else if (at.dataset.closes !== undefined) at.closest("dialog")?.close();
    else if (at.dataset.print !== undefined) window.print();
    else if (at.dataset.all !== undefined) {
      const folds = all("details", doc.getElementById(at.dataset.all) ?? doc), open = folds.some((fold) => !fold.open);
      folds.forEach((fold) => { fold.open = open; });
      at.setAttribute("aria-expanded", String(open));
    }
  });
  const say = (text) => { const status = one("#status"); if (status) { status.textContent = ""; requestAnimationFrame(() => { status.textContent = text; }); } };
  doc.addEventListener("input", (event) => {
    const at = event.target;
    if (at.dataset?.sends && at.value.replace(/\D/g, "").length === Number(at.dataset.sends)) at.form?.requestSubmit();
    if (at.form?.dataset.draft !== undefined) at.form.dataset.changed = "yes";
  });
  // A second press while the first is on its way does nothing.
  doc.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.dataset.sent) { event.preventDefault(); return; }
    if (!form.hasAttribute("data-hx-post") && !form.hasAttribute("data-hx-get")) form.dataset.sent = "yes";
  });
  window.addEventListener("pageshow", () => all("form[data-sent]").forEach((form) => delete form.dataset.sent));
  window.addEventListener("beforeprint", () => all("details:not([open])").forEach((fold) => { fold.open = true; fold.dataset.wasClosed = ""; }));
  window.addEventListener("afterprint", () => all("details[data-was-closed]").forEach((fold) => { fold.open = false; delete fold.dataset.wasClosed; }));

  // ---- countdowns
  setInterval(() => all("time[data-until]").forEach((time) => {
    const left = Math.max(0, Math.round((Date.parse(time.dateTime) - Date.now()) / 1000));
    time.textContent = left >= 60 ? `${Math.floor(left / 60)} min ${left % 60} s` : `${left} s`;
  }), 1000);

  // ---- idle lock: the page is covered, the draft stays beneath; signing in again gives it a session to go on with
  const lock = one("#lock");
  if (lock) {
    const secs = Number(lock.dataset.after), form = one("form", lock);
    let used = Date.now();
    for (const kind of ["pointerdown", "keydown", "scroll"]) doc.addEventListener(kind, () => { if (lock.hidden) used = Date.now(); }, { passive: true, capture: true });
    const cover = () => {
      lock.hidden = false;
      all("body > :not(#lock)").forEach((part) => { part.inert = true; part.classList.add("locked-away"); });
      one("input[type=password]", lock)?.focus();
    };
    setInterval(() => { if (lock.hidden && Date.now() - used > secs * 1000) cover(); }, 1000);
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      event.stopPropagation();
      const reply = await fetch("/sign-in/again", { method: "POST", body: new URLSearchParams(new FormData(form)) });
      const body = await reply.json();
      if (reply.ok && body.csrf) {
        all("input[name=csrf]").forEach((input) => { input.value = body.csrf; });
        form.reset();
        used = Date.now();
        lock.hidden = true;
        all("body > :not(#lock)").forEach((part) => { part.inert = false; part.classList.remove("locked-away"); });
      } else {
        const wrong = one("[data-wrong]", lock);
        wrong.hidden = false;
        wrong.textContent = body.detail ?? "That did not work. Reload the page and sign in.";
      }
    });
  }
})();
