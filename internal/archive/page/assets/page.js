// What the pages cannot do alone: update what runs, copy an id, tell the local
// time, and walk through a list with the arrow keys. All of it is an addition.
(() => {
  "use strict";

  // replace puts a new version of the part that changes in the place of the old
  // one. What is open stays open, and what has the focus keeps it.
  const replace = (old, fresh) => {
    const opened = new Set([...old.querySelectorAll("details[open][data-key]")].map((d) => d.dataset.key));
    fresh.querySelectorAll("details[data-key]").forEach((d) => { d.open = opened.has(d.dataset.key); });
    const path = [];
    for (let e = document.activeElement; e && e !== old && old.contains(e); e = e.parentElement) {
      path.unshift(e.id || e.dataset.key ? e : [...e.parentElement.children].indexOf(e));
    }
    const had = path.length > 0;
    // Only a status that is other than before is read out.
    const status = [old.querySelector("[role=status]"), fresh.querySelector("[role=status]")];
    const same = status[0] && status[1] && status[0].textContent === status[1].textContent;
    if (status[0] && status[1]) {
      if (!same) status[0].textContent = status[1].textContent;
      status[1].replaceWith(status[0]);
    }
    old.replaceWith(fresh);
    decorate(fresh);
    if (had) {
      let e = fresh;
      for (const step of path) {
        const next = typeof step === "number" ? e.children[step]
          : step.id ? document.getElementById(step.id) : fresh.querySelector(`[data-key="${CSS.escape(step.dataset.key)}"]`);
        if (!next) break;
        e = next;
      }
      if (e !== fresh && e.focus) e.focus({ preventScroll: true });
    }
  };

  const keysOf = (e) => new Set([...e.querySelectorAll("tr[data-key]")].map((row) => row.dataset.key));

  // refreshEnded brings what ended into its list: a row has left the list of what runs.
  const refreshEnded = async () => {
    const old = document.getElementById("ended");
    if (!old) return;
    const response = await fetch(location.href, { cache: "no-store", signal: AbortSignal.timeout(15000) });
    if (!response.ok) throw new Error(String(response.status));
    const fresh = new DOMParser().parseFromString(await response.text(), "text/html").getElementById("ended");
    if (fresh) replace(old, document.importNode(fresh, true));
  };

  // holds tells whether the reader has text of the part selected: it waits for that, for
  // half a minute at most.
  let heldSince = 0;
  const holds = (region) => {
    const selection = document.getSelection();
    const held = !selection.isCollapsed && (region.contains(selection.anchorNode) || region.contains(selection.focusNode));
    if (!held) heldSince = 0;
    else if (!heldSince) heldSince = Date.now();
    return held && Date.now() - heldSince < 30000;
  };

  // live asks for the part that changes, as long as somebody can see it. After a
  // failure it waits longer, a minute at most.
  const live = () => {
    let failures = 0;
    let last = "";
    let timer = 0;
    const part = () => document.querySelector("[data-live]");
    const wait = () => {
      clearTimeout(timer);
      const region = part();
      if (!region || document.hidden) return;
      timer = setTimeout(ask, Math.min(60, Number(region.dataset.live) * 2 ** failures) * 1000);
    };
    const ask = async () => {
      const region = part();
      if (!region || document.hidden) return;
      try {
        const address = new URL(location.href);
        address.searchParams.set("live", "1");
        address.hash = "";
        const response = await fetch(address, { cache: "no-store", signal: AbortSignal.timeout(15000) });
        if (!response.ok) throw new Error(String(response.status));
        const text = await response.text();
        failures = 0;
        if (text !== last && !holds(region)) {
          last = text;
          const fresh = new DOMParser().parseFromString(text, "text/html").getElementById(region.id);
          if (fresh) {
            const keys = keysOf(fresh);
            const gone = [...keysOf(region)].some((key) => !keys.has(key));
            replace(region, document.importNode(fresh, true));
            if (gone) await refreshEnded();
          }
        }
      } catch {
        failures++;
      }
      wait();
    };
    document.addEventListener("visibilitychange", () => (document.hidden ? clearTimeout(timer) : ask()));
    wait();
  };

  const local = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;

  // decorate adds to elements what only the browser knows.
  const decorate = (root) => {
    root.querySelectorAll("time[datetime]").forEach((t) => {
      const at = new Date(t.dateTime);
      if (!isNaN(at)) t.title = `${local.format(at)} (${zone})`;
    });
    root.querySelectorAll("[data-copy]").forEach((b) => {
      b.hidden = false;
      b.addEventListener("click", async () => {
        const source = document.getElementById(b.dataset.copy);
        try {
          await navigator.clipboard.writeText(source.textContent);
          b.textContent = "Copied";
        } catch {
          // Without the right to the clipboard, as over plain HTTP: mark it.
          document.getSelection().selectAllChildren(source);
          b.textContent = "Marked";
        }
        setTimeout(() => { b.textContent = "Copy"; }, 2000);
      });
    });
  };

  // In a list the arrow keys go from row to row, once one of its links has the focus.
  document.addEventListener("keydown", (event) => {
    if ((event.key !== "ArrowDown" && event.key !== "ArrowUp") || event.altKey || event.ctrlKey || event.metaKey) return;
    const inList = event.target.closest("tbody th a, .rows summary");
    if (!inList) return;
    const all = [...document.querySelectorAll("main tbody th a, main .rows summary")].filter((e) => e.offsetParent);
    const next = all[all.indexOf(inList) + (event.key === "ArrowDown" ? 1 : -1)];
    if (next) {
      next.focus();
      event.preventDefault();
    }
  });

  // A link to a span opens it.
  const open = () => {
    const target = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
    const details = target && target.querySelector("details");
    if (details) {
      details.open = true;
      target.scrollIntoView({ block: "center" });
    }
  };
  addEventListener("hashchange", open);
  open();

  // The server writes times in the zone that the cookie names: the browser's, unless
  // somebody chose UTC.
  const isUTC = /^(Etc\/)?(UTC|UCT|GMT)$/.test(zone);
  const chosen = () => decodeURIComponent((document.cookie.match(/(?:^|; )zone=([^;]*)/) || [])[1] || "");
  const choose = (name) => {
    const root = new URL(document.querySelector(".brand").href).pathname;
    document.cookie = `zone=${encodeURIComponent(name)}; path=${root}; max-age=31536000; samesite=strict`;
    return chosen() === name;
  };
  // show makes the page anew in a zone; an address that names a zone loses it.
  const show = (name) => {
    if (!choose(name)) return;
    const address = new URL(location.href);
    if (!address.searchParams.has("from") && !address.searchParams.has("to")) address.searchParams.delete("tz");
    if (address.href === location.href) location.reload();
    else location.replace(address);
  };
  const shown = document.querySelector("[data-zone]");
  if (shown && !isUTC) {
    if (chosen() !== "UTC" && chosen() !== zone && shown.dataset.zone !== zone) show(zone);
    const utc = shown.querySelector("[data-utc]");
    if (utc) utc.addEventListener("click", (event) => { event.preventDefault(); show("UTC"); });
    if (shown.dataset.zone !== zone) {
      const own = document.createElement("a");
      own.href = "?";
      own.textContent = zone.replaceAll("_", " ");
      own.addEventListener("click", (event) => { event.preventDefault(); show(zone); });
      shown.append(" · ", own);
    }
  }
  decorate(document);
  live();
})();
