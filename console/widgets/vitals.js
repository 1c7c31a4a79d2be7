import { ago, watchClock } from "/static/clock.js";

const WIDE = 200;
const HIGH = 40;
const OLD_MS = 120000; // younger than that is said by the state alone

export default {
  template: `
    <ul class="vitals" :aria-label="label">
      <li v-for="t in tiles" :key="t.id" :class="'mark-' + t.mark">
        <component :is="t.href ? 'a' : 'div'" class="tile" :href="t.href" :title="t.hint ?? t.title">
          <span class="title">{{ t.title }}</span>
          <span class="value" :class="t.limit ? 'over-' + t.limit.mark : null"><i v-if="t.limit"
            aria-hidden="true">{{ t.limit.icon }}</i>{{ t.text }} <small>{{ t.unit }}</small></span>
          <span v-if="t.of" class="of">{{ t.of }}</span>
          <svg v-if="t.points" class="spark" viewBox="0 0 ${WIDE} ${HIGH}" preserveAspectRatio="none" aria-hidden="true"><path :d="path(t.points, t.span)"/></svg>
          <span v-if="t.state" class="state"><i aria-hidden="true">{{ t.icon }}</i>{{ t.state }}<b v-if="t.alerts">× {{ t.alerts }}</b>
            <span v-if="t.foot" class="foot">{{ t.foot.text }}<template v-if="old(t)"> · {{ ago(t.foot.newest, now) }}</template></span></span>
        </component>
      </li>
    </ul>`,
  props: { tiles: Array, label: String },
  data: () => ({ now: 0 }),
  mounted() { this.unwatch = watchClock((now) => (this.now = now)); },
  unmounted() { this.unwatch(); },
  methods: {
    ago,
    old(tile) {
      return tile.foot.newest && this.now - new Date(tile.foot.newest).getTime() > OLD_MS;
    },
    path(points, span) { // over the whole span, so that a line that begins late is seen to begin late
      const known = points.filter((p) => p[1] !== null);
      if (known.length < 2) return "";
      const [times, values] = [known.map((p) => new Date(p[0]).getTime()), known.map((p) => p[1])];
      const [first, last] = span ? span.map((at) => new Date(at).getTime()) : [times[0], times[times.length - 1]];
      const [low, high] = [Math.min(...values), Math.max(...values)];
      const x = (t) => ((t - first) / (last - first || 1)) * WIDE;
      const y = (v) => HIGH - 2 - ((v - low) / (high - low || 1)) * (HIGH - 4);
      return times.map((t, n) => `${n ? "L" : "M"}${x(t).toFixed(1)} ${y(values[n]).toFixed(1)}`).join("");
    },
  },
};
