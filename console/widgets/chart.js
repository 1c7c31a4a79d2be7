import { echarts } from "nicegui-echart";
import { local, zone } from "/static/clock.js";

// Lines over time with band, limits, shaded spans and dots; times are the city's, not the browser's.
const clock = (options) => new Intl.DateTimeFormat("sv-SE", { timeZone: zone, ...options });
const HOUR = clock({ hour: "2-digit", minute: "2-digit" });
const SECOND = clock({ hour: "2-digit", minute: "2-digit", second: "2-digit" });
const DAY = clock({ month: "2-digit", day: "2-digit" });
const DASHES = ["solid", "dashed", "dotted"];
const HUES = ["series-1", "series-2", "series-3", "series-4", "series-5", "series-6"];
const ROOM = 3; // limits may stretch the axis to so many times the data's own range

const escaped = (text) => echarts.format.encodeHTML(String(text));

export default {
  template: `
    <figure class="chart" :aria-label="label">
      <div ref="canvas" role="img" :aria-label="label"></div>
      <figcaption v-if="empty" class="empty">{{ empty }}</figcaption>
    </figure>`,
  props: {
    label: String, unit: String, decimals: Number, still: Boolean, none: String,
    lines: Array, limits: Array, spans: Array, dots: Array, range: Array,
  },
  computed: {
    empty() { return this.lines && !this.lines.some((l) => l.points.length) ? this.none : ""; },
  },
  async mounted() {
    await new Promise((resolve) => setTimeout(resolve, 0));
    this.chart = echarts.init(this.$refs.canvas, null, { renderer: "canvas" });
    this.observer = new ResizeObserver(() => { this.chart.resize(); this.draw(); });
    this.observer.observe(this.$refs.canvas);
    this.draw();
  },
  unmounted() {
    this.observer?.disconnect();
    this.chart?.dispose();
  },
  watch: {
    lines() { this.draw(); }, limits() { this.draw(); }, spans() { this.draw(); }, dots() { this.draw(); }, range() { this.draw(); },
  },
  methods: {
    colour(name) {
      return getComputedStyle(this.$el).getPropertyValue("--" + name).trim();
    },
    size() {
      return this.still ? parseFloat(getComputedStyle(document.documentElement).fontSize) * 1.3 : 12;
    },
    shown(value) {
      return value === null || value === undefined ? "–" : `${value.toFixed(this.decimals)} ${this.unit}`.trim();
    },
    draw() {
      if (!this.chart || !this.$refs.canvas.offsetParent || !this.lines) return;
      const many = this.lines.length > 1 || this.lines.some((l) => l.bars);
      const [low, high] = this.extent();
      this.chart.setOption({
        animation: false,
        textStyle: { fontFamily: getComputedStyle(document.body).fontFamily },
        grid: { left: 8, right: this.limits.some((l) => l.value >= low && l.value <= high) ? this.size() * 7 : this.still ? this.size() * 1.8 : 14, top: many ? this.size() * 2.6 : 12, bottom: 6, containLabel: true },
        legend: many ? { type: "scroll", top: 0, left: 0, icon: "roundRect", itemWidth: 14, itemHeight: 4, textStyle: this.ink(), data: this.lines.map((l) => l.name) } : undefined,
        tooltip: this.still ? undefined : this.tooltip(),
        xAxis: this.xAxis(),
        yAxis: this.yAxis(low, high),
        series: [...this.lines.flatMap((line, n) => this.line(line, n, low, high)), this.dotted()],
      }, { notMerge: true });
    },
    ink(name = "muted") {
      return { color: this.colour(name), fontSize: this.size() };
    },
    xAxis() {
      const [from, to] = (this.range ?? []).map((t) => new Date(t).getTime());
      const days = (to - from) / 86400000;
      const form = days > 2 ? DAY : days > 0.02 ? HOUR : SECOND;
      return {
        type: "time", min: from, max: to, splitNumber: this.still ? 4 : 6,
        axisLine: { lineStyle: { color: this.colour("border") } },
        axisLabel: { ...this.ink(), formatter: (t) => form.format(t), hideOverlap: true },
      };
    },
    yAxis(low, high) {
      return {
        type: "value", min: low, max: high, scale: true, splitNumber: 4,
        axisLabel: { ...this.ink(), formatter: (v) => String(+v.toFixed(4)), showMinLabel: low === 0, showMaxLabel: false },
        splitLine: { lineStyle: { color: this.colour("line") } },
      };
    },
    extent() {
      if (this.lines.some((l) => l.bars)) return [0, undefined];
      const values = this.lines.flatMap((l) => l.points.flatMap((p) => p.slice(1).filter((v) => v !== null)));
      values.push(...this.dots.map((d) => d.value).filter((v) => v !== null));
      if (!values.length) return [undefined, undefined];
      let [low, high] = values.reduce(([a, b], v) => [Math.min(a, v), Math.max(b, v)], [Infinity, -Infinity]);
      const own = Math.max(high - low, Math.abs(high) * 0.02, 10 ** -this.decimals);
      const far = (v) => Math.max(v - high, low - v, 0);
      for (const { value } of [...this.limits].sort((a, b) => far(a.value) - far(b.value))) {
        if (Math.max(high, value) - Math.min(low, value) <= ROOM * own) [low, high] = [Math.min(low, value), Math.max(high, value)];
      }
      const room = Math.max(high - low, own) * 0.08;
      const round = (v) => +v.toPrecision(3);
      return [low >= 0 && low - room < 0 ? 0 : round(low - room), round(high + room)];
    },
    line(line, n, low, high) {
      const colour = line.mark ? this.colour(line.mark) : this.colour(HUES[n % HUES.length]);
      const at = (p) => new Date(p[0]).getTime();
      if (line.bars) return [{ type: "bar", name: line.name, stack: "bars", barMaxWidth: 16, barMinWidth: 3, itemStyle: { color: colour }, data: this.bars(line) }];
      const own = {
        type: "line", name: line.name, showSymbol: line.points.length < 3, symbolSize: 5, connectNulls: false, z: 3,
        lineStyle: { width: this.still ? this.size() / 7 : 1.6, color: colour, type: DASHES[Math.floor(n / HUES.length) % 3] }, itemStyle: { color: colour },
        data: line.points.map((p) => [at(p), p[1]]),
      };
      if (n === 0) Object.assign(own, { markLine: this.limitLines(low, high), markArea: this.shades() });
      if ((this.lines.length > 1 && !line.band) || !line.points.some((p) => p.length > 3)) return [own];
      const edge = { type: "line", silent: true, showSymbol: false, stack: `band${n}`, stackStrategy: "all", lineStyle: { opacity: 0 }, z: 1, tooltip: { show: false } };
      return [
        { ...edge, data: line.points.map((p) => [at(p), p[2]]) },
        { ...edge, areaStyle: { color: colour, opacity: 0.18 }, data: line.points.map((p) => [at(p), p[3] === null ? null : p[3] - p[2]]) },
        own,
      ];
    },
    bars(line) { // bars stack by position, so each line has one at every time of any, zero where it has none
      const own = new Map(line.points.map((p) => [new Date(p[0]).getTime(), p[1]]));
      const times = this.lines.filter((l) => l.bars).flatMap((l) => l.points.map((p) => new Date(p[0]).getTime()));
      return [...new Set(times)].sort((a, b) => a - b).map((t) => [t, own.get(t) ?? 0]);
    },
    limitLines(low, high) {
      const room = (this.size() * 1.2 * (high - low)) / Math.max(this.$refs.canvas.clientHeight - 40, 1);
      const told = []; // labels that would lie on another one are left out, lowest level first
      const free = (limit) => told.every((v) => Math.abs(v - limit.value) >= room) && told.push(limit.value);
      const shown = [...this.limits].reverse().filter(free);
      return {
        symbol: "none", silent: true, data: this.limits.map((limit) => ({
          yAxis: limit.value,
          lineStyle: { color: this.colour(limit.mark), type: "dashed", width: this.still ? this.size() / 9 : 1.5 },
          label: { show: shown.includes(limit), formatter: `${limit.icon} ${this.shown(limit.value)}`, position: "end", color: this.colour("ink"), fontSize: this.size() },
        })),
      };
    },
    shades() {
      return {
        silent: true, data: this.spans.map((span) => [
          {
            xAxis: new Date(span.from).getTime(), name: span.text,
            itemStyle: { color: this.colour(span.mark), opacity: 0.13 },
            label: { color: this.colour("ink"), fontSize: this.size(), position: "insideTopLeft" },
          },
          { xAxis: new Date(span.to).getTime() },
        ]),
      };
    },
    dotted() {
      return {
        type: "scatter", z: 6, symbol: "diamond", symbolSize: this.still ? 14 : 9,
        data: this.dots.map((d) => ({ value: [new Date(d.at).getTime(), d.value], name: d.text, itemStyle: { color: this.colour(d.mark), borderColor: this.colour("panel"), borderWidth: 1 } })),
      };
    },
    tooltip() {
      return {
        trigger: "axis", confine: true, backgroundColor: this.colour("panel"), borderColor: this.colour("line"), textStyle: this.ink("ink"),
        formatter: (items) => {
          const lines = items.filter((i) => i.seriesName && this.lines.some((l) => l.name === i.seriesName) && ["line", "bar"].includes(i.seriesType));
          const dots = items.filter((i) => i.seriesType === "scatter");
          return [
            local(new Date(items[0].axisValue).toISOString()),
            ...lines.map((i) => `${i.marker}${escaped(i.seriesName)} <b>${this.shown(i.value[1])}</b>`),
            ...dots.map((i) => `${i.marker}${escaped(i.name)} ${this.shown(i.value[1])}`),
          ].join("<br>");
        },
      };
    },
  },
};
