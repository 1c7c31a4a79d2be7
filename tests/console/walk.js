// What one walk over a page asks of it; see test_walk.py.
window.walk = (() => {
  const CONTROLS = "a[href], button, input, select, textarea, summary, [tabindex='0'], [role=combobox]";
  const shown = (e) => e.checkVisibility({ checkVisibilityCSS: true }) && e.getClientRects().length > 0;
  const html = (e) => e.outerHTML.slice(0, 200);
  const text = (e) => (e?.innerText ?? "").trim();
  const name = (e) =>
    e.getAttribute("aria-label") || text(e) || e.title || e.querySelector("img")?.alt ||
    [...(e.labels ?? [])].map(text).join(" ").trim() || text(e.closest("label")) || e.placeholder || "";

  const met = []; // every control that got the focus, and whether one sees it
  document.addEventListener("focusin", ({ target: e }) => {
    const style = getComputedStyle(e);
    const outlined = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 1;
    const ringed = e.matches(".q-btn") && style.boxShadow !== "none"; // Quasar forbids it an outline
    const field = e.closest(".q-field"); // whose border changes a moment later
    met.push({ id: e.dataset.stop ?? "", seen: outlined || ringed || !!field, html: html(e) });
  });

  return {
    overflow() {
      const nav = document.querySelector(".top nav");
      const wide = [document.documentElement, ...(nav && shown(nav) ? [nav] : [])];
      return wide.filter((e) => e.scrollWidth > e.clientWidth + 1).map(html);
    },
    labels() {
      const own = (e) => shown(e) && !e.closest("script, style, .code, .source, .who, [lang]:not(html)");
      const found = [];
      const nodes = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
      while (nodes.nextNode()) if (own(nodes.currentNode.parentElement)) found.push(nodes.currentNode.textContent);
      for (const attribute of ["aria-label", "title", "placeholder", "alt"])
        for (const e of document.querySelectorAll(`[${attribute}]`)) if (own(e)) found.push(e.getAttribute(attribute));
      return found.map((t) => t.trim()).filter(Boolean);
    },
    stops() {
      const all = [...document.querySelectorAll(CONTROLS)].filter((e) => shown(e) && !e.disabled);
      all.forEach((e, n) => (e.dataset.stop = n));
      return all.map((e) => ({ id: e.dataset.stop, name: name(e), html: html(e) }));
    },
    met() {
      return met;
    },
  };
})();
