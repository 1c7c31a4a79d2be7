import { ago, clockText, local, now, setServerTime, watchClock } from "/static/clock.js";

const MUTED = "cityops_muted";
const RUNG = "cityops_rung";
const remembered = () => new Set(JSON.parse(sessionStorage.getItem(RUNG) ?? "[]"));

function ring() {
  const audio = new AudioContext();
  [0, 0.22, 0.44].forEach((at, n) => {
    const tone = audio.createOscillator();
    const volume = audio.createGain();
    tone.frequency.value = n % 2 ? 660 : 880;
    volume.gain.setValueAtTime(0.15, audio.currentTime + at);
    volume.gain.exponentialRampToValueAtTime(0.001, audio.currentTime + at + 0.2);
    tone.connect(volume).connect(audio.destination);
    tone.start(audio.currentTime + at);
    tone.stop(audio.currentTime + at + 0.2);
  });
  setTimeout(() => audio.close(), 1500);
}

export default {
  template: `
    <div class="pulse">
      <span v-if="problem" class="frozen" role="alert"><i aria-hidden="true">⚠</i>{{ problem
        }}<small v-if="stopped">{{ texts.since }} {{ stopped }}</small></span>
      <span v-else class="fresh">{{ texts.age }} {{ age }}</span>
      <button type="button" class="bell" :class="{ ringing: count }" @click="toggle"
        :aria-pressed="String(muted)" :title="muted ? texts.unmute : texts.mute">
        <i class="material-icons" aria-hidden="true">{{ muted ? "notifications_off" : "notifications" }}</i><b v-if="count">{{ count }}</b>
        <span class="sr">{{ muted ? texts.unmute : texts.mute }} {{ texts.urgent }} {{ count }}</span>
      </button>
      <time class="clock"><span>{{ clock.slice(0, 10) }} <span class="zone">{{ texts.zone }}</span></span> {{ clock.slice(11) }}</time>
    </div>`,
  props: { texts: Object, lang: String, frozenS: Number, beat: Object },
  data: () => ({ at: 0, felt: 0, muted: localStorage.getItem(MUTED) === "1", title: document.title }),
  computed: {
    clock() { return clockText(this.at || now()); },
    age() { return this.beat.at ? ago(this.beat.at, this.at) : "–"; },
    count() { return this.beat.urgent?.length ?? 0; },
    problem() {
      const [at, patience] = [this.at, this.frozenS * 1000]; // reading the clock first makes this tick
      if (this.felt && performance.now() - this.felt > patience) return this.texts.lost;
      if (this.beat.trouble) return this.texts.frozen;
      if (this.beat.at && at - new Date(this.beat.at).getTime() > patience) return this.texts.frozen;
      return this.beat.silent ? this.texts.silent : "";
    },
    stopped() {
      const since = this.problem === this.texts.silent ? this.beat.newest : this.beat.at;
      return since ? local(since) : "";
    },
  },
  watch: {
    beat(beat) {
      this.felt = performance.now();
      const known = remembered();
      const fresh = (beat.urgent ?? []).filter((alert) => !known.has(alert.id));
      sessionStorage.setItem(RUNG, JSON.stringify((beat.urgent ?? []).map((alert) => alert.id)));
      document.title = (this.count ? `(${this.count}) ` : "") + this.title;
      document.body.dataset.rung = String(Number(document.body.dataset.rung ?? 0) + fresh.length);
      if (fresh.length && !this.muted) try { ring(); } catch { /* no sound device: the badge stays */ }
    },
    problem(text) { document.body.classList.toggle("is-frozen", Boolean(text)); },
  },
  mounted() {
    document.querySelector(".q-loading-bar")?.setAttribute("aria-label", this.texts.age);
    document.documentElement.lang = this.lang; // Quasar puts its own there
    setServerTime(document.documentElement.dataset.serverTime);
    this.felt = performance.now();
    this.unwatch = watchClock((at) => (this.at = at));
  },
  unmounted() { this.unwatch(); },
  methods: {
    toggle() {
      this.muted = !this.muted;
      localStorage.setItem(MUTED, this.muted ? "1" : "0");
    },
  },
};
