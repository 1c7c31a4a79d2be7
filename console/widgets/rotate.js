export default {
  template: `
    <nav class="rotation" :aria-label="texts.pages">
      <button v-for="p in pages" :key="p.name" type="button" :aria-current="p.name === shown ? 'page' : null"
        @click="show(p.name)">{{ p.title }}<span v-if="p.name === shown && turning" class="left" :style="{ animationDuration: every + 's' }"></span></button>
      <button v-if="every" type="button" class="pause" :aria-pressed="String(!turning)" @click="turning = !turning"
        :title="turning ? texts.pause : texts.turn"><i class="material-icons" aria-hidden="true">{{ turning ? "pause" : "play_arrow" }}</i><span
        class="sr">{{ turning ? texts.pause : texts.turn }}</span></button>
    </nav>`,
  props: { pages: Array, seconds: Number, texts: Object },
  data: () => ({ shown: "", turning: true, every: 0, begun: 0 }),
  mounted() {
    const asked = new URLSearchParams(location.search);
    this.every = Number(asked.get("seconds") ?? this.seconds) || 0;
    this.turning = this.every > 0;
    const known = this.pages.some((p) => p.name === asked.get("page"));
    this.show(known ? asked.get("page") : this.pages[0].name);
    this.timer = setInterval(() => this.tick(), 250);
    window.addEventListener("keydown", this.pressed);
  },
  unmounted() {
    clearInterval(this.timer);
    window.removeEventListener("keydown", this.pressed);
  },
  methods: {
    show(name) {
      this.shown = name;
      this.begun = performance.now();
      document.querySelectorAll("[data-page]").forEach((page) => (page.hidden = page.dataset.page !== name));
    },
    turn(by) {
      const at = this.pages.findIndex((p) => p.name === this.shown);
      this.show(this.pages[(at + by + this.pages.length) % this.pages.length].name);
    },
    tick() {
      if (!this.turning) this.begun = performance.now();
      else if (performance.now() - this.begun > this.every * 1000) this.turn(1);
    },
    pressed(event) {
      const by = { ArrowRight: 1, PageDown: 1, ArrowLeft: -1, PageUp: -1 }[event.key];
      if (by) this.turn(by);
      else if (event.key === " " && event.target === document.body) this.turning = !this.turning && this.every > 0;
      else return;
      event.preventDefault();
    },
  },
};
