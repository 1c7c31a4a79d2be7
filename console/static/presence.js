// Tell the server, at most once a minute, that somebody is there: a session ends without use.
const EVERY_MS = 60_000;
let told = Date.now();

function seen() {
  if (Date.now() - told < EVERY_MS) return;
  told = Date.now();
  fetch("/session/seen", { method: "POST", keepalive: true }).catch(() => {});
}

for (const kind of ["pointerdown", "keydown", "wheel", "touchstart"]) {
  addEventListener(kind, seen, { passive: true, capture: true });
}
