export default {
  template: `
    <ul class="vitals" :aria-label="label">
      <li v-for="t in tiles" :key="t.id" :class="'mark-' + t.mark">
        <component :is="t.href ? 'a' : 'div'" class="tile" :href="t.href" :title="t.title">
          <span class="title">{{ t.title }}</span>
          <span class="value">{{ t.text }} <small>{{ t.unit }}</small></span>
          <span v-if="t.state" class="state"><i aria-hidden="true">{{ t.icon }}</i>{{ t.state }}<b v-if="t.alerts">× {{ t.alerts }}</b></span>
        </component>
      </li>
    </ul>`,
  props: { tiles: Array, label: String },
};
