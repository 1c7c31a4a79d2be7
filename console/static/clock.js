// One clock for all widgets: the server's time, once a second, shown in the city's time zone.
export const zone = document.documentElement.dataset.zone;
const full = new Intl.DateTimeFormat("sv-SE", { timeZone: zone, dateStyle: "short", timeStyle: "medium" });
const listeners = new Set();
let offset = 0;
let started = false;
const units = document.documentElement.lang.startsWith("en") || document.cookie.includes("cityops_language=en")
  ? ["s", "min", "h", "d"]
  : [" 秒", " 分", " 小时", " 天"];

export const now = () => Date.now() + offset;
export const setServerTime = (iso) => (offset = new Date(iso).getTime() - Date.now());
export const local = (iso) => full.format(new Date(iso));
export const localShort = (iso) => local(iso).slice(5); // without the year
export const clockText = (ms) => full.format(new Date(ms));

export function ago(iso, at) {
  const s = Math.max(0, Math.floor(((at || now()) - new Date(iso).getTime()) / 1000));
  const sep = units[0] === "s" ? " " : "";
  if (s < 120) return s + sep + units[0];
  if (s < 7200) return Math.floor(s / 60) + sep + units[1];
  if (s < 172800) return Math.floor(s / 3600) + sep + units[2];
  return Math.floor(s / 86400) + sep + units[3];
}

export function watchClock(listener) {
  if (!started) {
    started = true;
    setInterval(() => listeners.forEach((tell) => tell(now())), 1000);
  }
  listeners.add(listener);
  listener(now());
  return () => listeners.delete(listener);
}
