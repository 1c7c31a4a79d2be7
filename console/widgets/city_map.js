import { echarts } from "nicegui-echart";

// worst first; the shape repeats what the colour says
const SHAPES = {
  red: ["diamond", 17], orange: ["triangle", 15], yellow: ["rect", 12], blue: ["circle", 12],
  stale: ["circle", 9], never: ["circle", 7], normal: ["circle", 6],
};
const HOLLOW = ["stale", "never"];
const ORDER = Object.keys(SHAPES);
const VIEWS = {
  city: { center: [103.95, 30.75], zoom: 1 },
  centre: { center: [104.075, 30.645], zoom: 6.2 },
};
const ASPECT = 1.22; // width of the city over its height
const CITY_KM = 190; // height of the city
const CELL = 32; // pixels within which sensors become one mark
const LISTED = 8;
const maps = {};

const loadMap = (url) => (maps[url] ??= fetch(url).then((answer) => answer.json()).then((all) => {
  const kind = (name) => all.features.filter((f) => f.properties.kind === name);
  echarts.registerMap("city", { type: "FeatureCollection", features: kind("district") });
  return { districts: kind("district"), rings: kind("ring"), rivers: kind("river") };
}));

const escaped = (text) => echarts.format.encodeHTML(String(text));

export default {
  template: `<div class="city-map" role="img" :aria-label="label"></div>`,
  props: {
    url: String, language: String, view: String, still: Boolean, label: String, more: String,
    sensors: Array, districts: Array, areas: Array, tracks: Array, focus: Object,
  },
  async mounted() {
    this.shapes = await loadMap(this.url);
    await new Promise((resolve) => setTimeout(resolve, 0));
    this.chart = echarts.init(this.$el, null, { renderer: "canvas" });
    this.observer = new ResizeObserver(() => { this.chart.resize(); this.chart.setOption({ geo: { layoutSize: this.side() } }); this.draw(); });
    this.observer.observe(this.$el);
    this.chart.setOption(this.base());
    this.draw();
    this.chart.on("georoam", () => this.draw());
    this.chart.on("click", (event) => { if (event.data?.href) window.location.href = event.data.href; });
  },
  unmounted() {
    this.observer?.disconnect();
    this.chart?.dispose();
  },
  watch: {
    sensors() { this.draw(); },
    districts() { this.draw(); },
    areas() { this.draw(); },
    tracks() { this.draw(); },
    view() { this.chart?.setOption({ geo: VIEWS[this.view] }); this.draw(); },
    focus() { this.chart?.setOption({ geo: this.looked() }); this.draw(); },
  },
  methods: {
    colour(name) {
      return getComputedStyle(this.$el).getPropertyValue("--" + name).trim();
    },
    base() {
      const line = (features, colour, width) => ({
        type: "lines", coordinateSystem: "geo", polyline: true, silent: true, zlevel: 0,
        lineStyle: { color: colour, width, opacity: 0.9 },
        data: features.map((f) => ({ coords: f.geometry.coordinates })),
      });
      return {
        animation: false, textStyle: { fontFamily: getComputedStyle(document.body).fontFamily },
        tooltip: {
          trigger: "item", confine: true, enterable: false, backgroundColor: this.colour("panel"),
          borderColor: this.colour("line"), textStyle: { color: this.colour("ink"), fontSize: 12 },
          formatter: (event) => event.data?.html ?? "",
        },
        geo: {
          map: "city", roam: !this.still, aspectScale: 0.86, scaleLimit: { min: 0.9, max: 30 },
          layoutCenter: ["50%", "51%"], layoutSize: this.side(), silent: true, ...this.looked(),
          itemStyle: { areaColor: this.colour("land"), borderColor: this.colour("border"), borderWidth: 1 },
        },
        series: [
          line(this.shapes.rivers, this.colour("river"), 1.5),
          line(this.shapes.rings, this.colour("ring"), 1),
          { id: "areas", type: "custom", coordinateSystem: "geo", data: [], renderItem: this.area, z: 3 },
          { ...line([], this.colour("accent") || this.colour("ink"), 3), id: "tracks", zlevel: 1 },
          { id: "names", type: "scatter", coordinateSystem: "geo", symbolSize: 0, silent: true, z: 4, data: [] },
          { id: "sensors", type: "scatter", coordinateSystem: "geo", data: [], z: 5 },
        ],
      };
    },
    looked() { // a place is shown with as much around it again
      if (!this.focus) return VIEWS[this.view];
      return { center: [this.focus.lon, this.focus.lat], zoom: Math.min(20, Math.max(1, CITY_KM / (4 * this.focus.radius_km))) };
    },
    scale() { // a wall's marks grow with the screen
      return this.still ? (parseFloat(getComputedStyle(document.documentElement).fontSize) / 16) * 1.4 : 1;
    },
    side() {
      return Math.min(this.$el.clientWidth - 16, (this.$el.clientHeight - 20) * ASPECT);
    },
    draw() {
      if (!this.chart || !this.$el.offsetParent) return; // drawn when it is shown
      this.chart.setOption({
        geo: { regions: this.regions() },
        series: [
          { id: "areas", data: this.areas.map((a) => ({ ...a, value: [a.lon, a.lat, a.radius_km], html: escaped(a.text) })) },
          { id: "tracks", data: this.tracks.map((coords) => ({ coords })) },
          { id: "names", data: this.names(), labelLayout: { hideOverlap: true } },
          { id: "sensors", data: this.clusters() },
        ],
      });
    },
    regions() {
      return this.districts.filter((d) => d.mark !== "normal").map((d) => ({
        name: d.id,
        itemStyle: { areaColor: this.colour(`land-${d.mark}`) || this.colour("land") },
      }));
    },
    names() {
      const title = this.language === "en" ? "title_en" : "title_zh";
      const titles = Object.fromEntries(this.shapes.districts.map((f) => [f.properties.name, f.properties[title]]));
      return this.districts.map((d) => ({
        value: [d.lon, d.lat],
        label: {
          show: true, formatter: titles[d.id], fontSize: this.still ? 15 * this.scale() : 12, color: this.colour("muted"),
          position: "top", distance: this.still ? 14 * this.scale() : 13,
        },
      }));
    },
    clusters() {
      const cells = new Map();
      for (const sensor of this.sensors) {
        const at = this.chart.convertToPixel("geo", [sensor.lon, sensor.lat]);
        if (!at || Number.isNaN(at[0])) continue;
        const key = at.map((x) => Math.round(x / (CELL * this.scale()))).join();
        cells.has(key) ? cells.get(key).push(sensor) : cells.set(key, [sensor]);
      }
      return [...cells.values()].map((group) => this.mark(group)).sort((a, b) => b.rank - a.rank);
    },
    mark(group) {
      group.sort((a, b) => ORDER.indexOf(a.mark) - ORDER.indexOf(b.mark));
      const worst = group[0].mark;
      const same = group.filter((s) => s.mark === worst);
      const [symbol, size] = SHAPES[worst];
      const middle = ["lon", "lat"].map((k) => same.reduce((sum, s) => sum + s[k], 0) / same.length);
      const many = same.length > 1;
      const big = this.scale() * (size + (many ? Math.min(10, 4 + same.length / 2) : 0));
      const calm = worst === "normal";
      const hollow = HOLLOW.includes(worst);
      return {
        value: middle, symbol, symbolSize: big, rank: ORDER.indexOf(worst), mark: worst,
        href: group.length === 1 ? group[0].href : null,
        itemStyle: hollow
          ? { color: this.colour("panel"), borderColor: this.colour("muted"), borderWidth: 1.5 * this.scale(), borderType: "dashed", opacity: 1 }
          : { color: this.colour(worst), borderColor: this.colour("panel"), borderWidth: calm ? 0 : 1, opacity: 1 },
        label: {
          show: many, formatter: String(same.length), fontSize: 10 * this.scale(), fontWeight: calm || hollow ? 400 : 700,
          color: this.colour(hollow ? "ink" : calm ? "panel" : "on-mark"),
        },
        html: this.told(group),
      };
    },
    told(group) {
      const lines = group.slice(0, LISTED).map((s) => `<b>${escaped(s.text)}</b> ${escaped(s.title)}`);
      if (group.length > LISTED) lines.push(escaped(this.more.replace("{count}", group.length - LISTED)));
      return lines.join("<br>");
    },
    area(params, api) {
      const item = this.areas[params.dataIndex];
      const middle = api.coord([item.lon, item.lat]);
      const edge = api.coord([item.lon, item.lat + item.radius_km / 111.32]);
      return {
        type: "circle",
        shape: { cx: middle[0], cy: middle[1], r: Math.max(14, Math.abs(middle[1] - edge[1])) },
        style: { fill: this.colour(item.mark), opacity: 0.18, stroke: this.colour(item.mark), lineWidth: 2 },
      };
    },
  },
};
