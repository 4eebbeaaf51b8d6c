// Everything works without this file; it only saves steps. Listeners sit on the document,
// so parts that htmx replaces need no second start.
"use strict";

const on = (event, selector, act) =>
  document.addEventListener(event, (e) => {
    const hit = e.target.closest?.(selector);
    if (hit) act(hit, e);
  });

// Menus close on Escape (focus goes back to their button) and on a click elsewhere.
document.addEventListener("keydown", (e) => {
  if (e.key !== "Escape") return;
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    const inside = menu.contains(document.activeElement);
    menu.open = false;
    if (inside) menu.querySelector("summary").focus();
  }
});
document.addEventListener("click", (e) => {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(e.target)) menu.open = false;
  }
});

// A menu in a row opens upwards where it has room there only; where it has none, the page scrolls.
const place = (menu) => {
  menu.classList.remove("opens-up");
  const list = menu.querySelector(".menu-list");
  const { bottom, height } = list.getBoundingClientRect();
  const bar = document.querySelector(".bottom-bar")?.offsetHeight ?? 0;
  menu.classList.toggle("opens-up", bottom > innerHeight - bar && menu.getBoundingClientRect().top > height);
  list.scrollIntoView({ block: "nearest" });
};
document.addEventListener("toggle", (e) => {
  if (e.target.matches?.("details.row-menu[open]")) place(e.target);
}, true);

// A panel is the part of another page, read when it opens. Where that page has none, the browser goes there.
const readPart = async (address) => {
  const answer = await fetch(address);
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  return answer.ok && !answer.redirected && page.querySelector("[data-part]");
};
document.addEventListener("toggle", async (e) => {
  const menu = e.target;
  if (!menu.matches?.("details[data-panel]")) return;
  const list = menu.querySelector(".menu-list");
  list.replaceChildren();
  if (!menu.open) return;
  const address = menu.dataset.panel + location.search;
  const part = await readPart(address).catch(() => null);
  if (!menu.open) return;
  if (!part) location = address;
  else list.replaceChildren(part);
  place(menu);
}, true);

// Check box lists: search and number chosen.
on("input", "[data-checklist] [data-find]", (find) => {
  const list = find.closest("[data-checklist]");
  const wanted = find.value.trim().toLowerCase();
  let shown = 0;
  for (const row of list.querySelectorAll(".check")) {
    row.hidden = !row.textContent.toLowerCase().includes(wanted);
    shown += !row.hidden;
  }
  list.querySelector("[data-none]").hidden = shown > 0;
});
on("keydown", "[data-find]", (_, e) => {
  if (e.key === "Enter") e.preventDefault();
});
on("change", "[data-checklist] [type=checkbox]", (box) => {
  const list = box.closest("[data-checklist]");
  const boxes = [...list.querySelectorAll("[type=checkbox]")];
  list.querySelector("[data-chosen]").textContent =
    `${boxes.filter((one) => one.checked).length} of ${boxes.length} chosen`;
});

// Selected rows.
const rowBoxes = (list) => [...list.querySelectorAll(".cell-check [type=checkbox]")];
const showSelection = (list) => {
  const boxes = rowBoxes(list);
  const chosen = boxes.filter((box) => box.checked).length;
  const number = list.querySelector("[data-selected]");
  if (number) number.textContent = `${chosen} selected`;
  const all = list.querySelector("[data-check-all]");
  if (!all) return;
  all.checked = chosen > 0 && chosen === boxes.length;
  all.indeterminate = chosen > 0 && !all.checked;
};
on("change", "[data-check-all]", (all) => {
  const list = all.closest(".list");
  for (const box of rowBoxes(list)) box.checked = all.checked;
  showSelection(list);
});
on("change", ".list .cell-check [type=checkbox]", (box) => showSelection(box.closest(".list")));
on("click", "[data-clear]", (link, e) => {
  const list = link.closest(".list");
  if (list.classList.contains("all-selected")) return;
  e.preventDefault();
  for (const box of rowBoxes(list)) box.checked = false;
  showSelection(list);
  list.querySelector("[data-check-all]")?.focus();
});

// A question about a mistyped address, asked while typing: its answer sends nothing yet.
on("click", "[data-use], [data-keep]", (button, e) => {
  e.preventDefault();
  const { email, kept } = button.form.elements;
  if ("use" in button.dataset) email.value = button.value;
  else kept.value = email.value;
  email.dispatchEvent(new Event("change", { bubbles: true }));
  email.focus();
});

// Passwords and copying.
on("click", "[data-reveal]", (button) => {
  const input = document.getElementById(button.dataset.reveal);
  const show = input.type === "password";
  input.type = show ? "text" : "password";
  button.setAttribute("aria-pressed", show);
});
on("click", "[data-copy]", async (button) => {
  const input = document.getElementById(button.dataset.copy);
  input.select();
  try {
    await navigator.clipboard.writeText(input.value);
  } catch {
    document.execCommand("copy");
  }
  (button.querySelector("[data-copy-words]") ?? button).textContent = "Copied";
});

// A file that is too large stays here, so that the page comes back with what was typed and says so.
document.addEventListener("submit", (e) => {
  const input = e.target.querySelector("[data-max-bytes]");
  if (!input) return;
  const isTooLarge = input.files[0]?.size > Number(input.dataset.maxBytes);
  if (isTooLarge) input.value = "";
  e.target.elements.too_large.value = isTooLarge ? "yes" : "";
});

// A form is sent once; coming back to the page makes it usable again.
document.addEventListener("submit", (e) => {
  if (e.defaultPrevented || e.target.method !== "post") return;
  if (e.target.dataset.sent) e.preventDefault();
  e.target.dataset.sent = "yes";
});
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
  document.querySelectorAll(".list").forEach(showSelection);
});

// Times: the server learns the zone from a cookie; until it knows, exact times are rewritten here.
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
const zoneKnown = document.cookie.split("; ").includes(`tz=${zone}`);
const showLocalTimes = (root) => {
  if (zoneKnown || !zone) return;
  const format = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "long", year: "numeric", hour: "2-digit", minute: "2-digit" });
  for (const time of root.querySelectorAll("time[datetime*=T]")) {
    const exact = format.format(new Date(time.dateTime)).replace(" at ", ", ");
    time.title = exact;
    if ("exact" in time.dataset) time.textContent = exact;
  }
  for (const name of root.querySelectorAll("[data-zone]")) name.textContent = zone;
};
if (zone && !zoneKnown) {
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `tz=${zone}; Path=/; Max-Age=31536000; SameSite=Lax${secure}`;
}

// What a filter found is read out.
document.addEventListener("htmx:after:swap", () => {
  showLocalTimes(document);
  const found = document.querySelector("[data-found]")?.dataset.found;
  const here = document.querySelector("[data-found-here]");
  if (found && here) here.textContent = found;
});

showLocalTimes(document);
document.querySelector("[data-focus]")?.focus();

// Progress: what a part that renews itself says is read out at most every ten seconds; its end is a page of its own.
let lastSaid = Date.now();
document.addEventListener("htmx:after:swap", () => {
  if (document.querySelector("[data-reload]")) location.reload();
  const said = document.querySelector("[data-said]");
  const words = document.querySelector("[data-say]")?.dataset.say;
  if (!said || !words || Date.now() - lastSaid < 10_000) return;
  lastSaid = Date.now();
  said.textContent = words;
});

// An invitation's page that a person sees says so once; mail scanners do not come this far.
const opened = document.querySelector("form[data-opened]");
const sayOpened = () => {
  if (document.visibilityState !== "visible") return;
  document.removeEventListener("visibilitychange", sayOpened);
  fetch(opened.action, { method: "POST", body: new FormData(opened) });
};
if (opened) {
  document.addEventListener("visibilitychange", sayOpened);
  sayOpened();
}
