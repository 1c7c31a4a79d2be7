import { ago, local, localShort, now, watchClock } from "/static/clock.js";

export default {
  template: `
    <div class="table-box" tabindex="-1">
      <table class="grid" :aria-label="label">
        <thead><tr>
          <th v-if="selectable" class="tick"><input type="checkbox" :checked="allTicked"
            :aria-label="label" @change="tickAll($event.target.checked)"></th>
          <th v-for="c in columns" :key="c.key" :class="[c.kind, { narrow: c.hide }]"
              :style="c.width ? { width: c.width } : null" :aria-sort="sorting(c)">
            <button v-if="c.label && c.kind !== 'actions'" type="button" @click="sortBy(c)">{{ c.label
              }}<span aria-hidden="true">{{ arrow(c) }}</span></button>
          </th>
        </tr></thead>
        <tbody>
          <tr v-for="row in shown" :key="row.id" :class="row.mark ? 'mark-' + row.mark : null">
            <td v-if="selectable" class="tick"><input type="checkbox" :checked="ticked.has(row.id)"
              :aria-label="row.id" @change="tick(row.id, $event.target.checked)"></td>
            <td v-for="c in columns" :key="c.key" :class="[c.kind, { narrow: c.hide }]" :title="hint(c, row)">
              <template v-if="row[c.key] === null || row[c.key] === undefined || row[c.key] === ''">–</template>
              <template v-else-if="c.kind === 'link'"><a :href="row[c.key].href">{{ row[c.key].text }}</a><span v-if="row[c.key].sub" class="sub">{{ row[c.key].sub }}</span></template>
              <span v-else-if="c.kind === 'level' || c.kind === 'state'" class="badge"
                :class="'mark-' + row[c.key].mark"><i aria-hidden="true">{{ row[c.key].icon }}</i>{{ row[c.key].text }}</span>
              <time v-else-if="c.kind === 'age'" :datetime="row[c.key]">{{ ago(row[c.key], now) }}</time>
              <time v-else-if="c.kind === 'time'" :datetime="row[c.key]">{{ localShort(row[c.key]) }}</time>
              <template v-else-if="c.kind === 'number'">{{ row[c.key].text }} <small>{{ row[c.key].unit }}</small></template>
              <template v-else-if="c.kind === 'actions'"><button v-for="a in row[c.key]" :key="a.act" type="button"
                class="act" :class="a.look" @click="$emit('act', a.act, row.id)">{{ a.text }}</button></template>
              <template v-else>{{ row[c.key] }}</template>
            </td>
          </tr>
        </tbody>
      </table>
      <p v-if="!rows?.length" class="empty">{{ rows ? empty : loading }}</p>
    </div>`,
  props: { columns: Array, rows: Array, label: String, empty: String, loading: String, selectable: Boolean },
  data: () => ({ now: 0, order: null, down: false, ticked: new Set() }),
  computed: {
    shown() {
      if (!this.order || !this.rows) return this.rows ?? [];
      const sign = this.down ? -1 : 1;
      const value = (row) => {
        const cell = row[this.order];
        if (cell === null || cell === undefined) return -Infinity;
        return typeof cell === "object" ? (cell.sort ?? cell.text) : cell;
      };
      return [...this.rows].sort((x, y) => {
        const [a, b] = [value(x), value(y)];
        if (typeof a === "string" && typeof b === "string") return sign * a.localeCompare(b, "zh");
        return sign * (a > b ? 1 : a < b ? -1 : 0);
      });
    },
    allTicked() {
      return this.rows?.length > 0 && this.rows.every((row) => this.ticked.has(row.id));
    },
  },
  watch: {
    rows(rows) {
      if (!this.ticked.size) return;
      const there = new Set(rows.map((row) => row.id));
      const left = [...this.ticked].filter((id) => there.has(id));
      if (left.length !== this.ticked.size) this.choose(left);
    },
  },
  mounted() {
    this.unwatch = watchClock((now) => (this.now = now));
  },
  unmounted() {
    this.unwatch();
  },
  methods: {
    ago,
    localShort,
    hint(column, row) {
      const cell = row[column.key];
      if (column.kind === "age" || column.kind === "time") return cell ? local(cell) : null;
      return cell && typeof cell === "object" ? (cell.title ?? cell.text) : cell;
    },
    sortBy(column) {
      this.down = this.order === column.key ? !this.down : false;
      this.order = column.key;
    },
    arrow(column) {
      return this.order === column.key ? (this.down ? " ▾" : " ▴") : "";
    },
    sorting(column) {
      return this.order === column.key ? (this.down ? "descending" : "ascending") : null;
    },
    tick(id, on) {
      const next = new Set(this.ticked);
      on ? next.add(id) : next.delete(id);
      this.choose([...next]);
    },
    download() {
      const safe = (text) => (/^[=+\-@\t\r]/.test(text) && Number.isNaN(Number(text)) ? `'${text}` : text);
      const quoted = (cell) => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);
      const rows = this.shown;
      const own = (c) => this.columns.filter((o) => o.kind === "number" && rows.some((r) => r[o.key]?.unit)).includes(c);
      const heads = this.columns.filter((c) => c.kind !== "actions");
      const cells = (c, row) => {
        const cell = row[c.key];
        if (cell === null || cell === undefined) return own(c) ? ["", ""] : [""];
        if (c.kind === "age" || c.kind === "time") return [local(cell)];
        if (c.kind === "number") return own(c) ? [cell.text, cell.unit] : [cell.text];
        return [String(cell.text ?? cell)];
      };
      const lines = [
        heads.flatMap((c) => (own(c) ? [c.label, document.documentElement.lang.startsWith("en") ? "Unit" : "单位"] : [c.label])),
        ...rows.map((row) => heads.flatMap((c) => cells(c, row))),
      ];
      const text = lines.map((line) => line.map((cell) => quoted(safe(cell))).join(",")).join("\r\n");
      const link = document.createElement("a");
      link.href = URL.createObjectURL(new Blob(["\ufeff" + text + "\r\n"], { type: "text/csv;charset=utf-8" }));
      link.download = `${this.label} ${local(new Date(now()).toISOString()).replaceAll(":", "")}.csv`;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 10000);
    },
    book() { // the server writes the workbook, from the rows in the order in which they stand here
      this.$emit("book", this.shown.map((row) => row.id));
    },
    tickAll(on) {
      this.choose(on ? this.rows.map((row) => row.id) : []);
    },
    choose(ids) {
      this.ticked = new Set(ids);
      this.$emit("select", ids);
    },
  },
};
