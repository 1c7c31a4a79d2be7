import { localShort } from "/static/clock.js";

const STEPS = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] };

export default {
  template: `
    <div class="board" role="group" :aria-label="label" @keydown="go">
      <section v-for="lane in lanes" :key="lane.name" class="lane" :class="{ bare: !lane.count }"
          :aria-label="lane.title">
        <h3><a :href="lane.href">{{ lane.title }}</a> <b>{{ lane.count }}</b>
          <em v-if="lane.late">· {{ lane.late }}</em></h3>
        <ol>
          <li v-for="card in lane.cards" :key="card.id">
            <a class="card" :class="{ late: card.late }" :href="card.href">
              <strong>{{ card.id }}</strong> {{ card.text }}
              <small v-if="card.due || card.late"><i v-if="card.late">! {{ card.late }}</i>
                <time v-if="card.due" :datetime="card.due">{{ localShort(card.due) }}</time></small>
            </a>
          </li>
        </ol>
        <p v-if="!lane.count" class="empty">{{ empty }}</p>
        <a v-if="lane.more" class="more" :href="lane.href">{{ lane.more }}</a>
      </section>
    </div>`,
  props: { lanes: Array, label: String, empty: String },
  methods: {
    localShort,
    go(event) {
      const step = STEPS[event.key];
      if (!step || !event.target.classList.contains("card")) return;
      event.preventDefault();
      const lanes = [...this.$el.querySelectorAll(".lane")].map((lane) => [...lane.querySelectorAll(".card")]);
      const filled = lanes.filter((cards) => cards.length);
      const x = filled.findIndex((cards) => cards.includes(event.target));
      const lane = filled[Math.min(Math.max(x + step[0], 0), filled.length - 1)];
      const y = filled[x].indexOf(event.target) + step[1];
      lane[Math.min(Math.max(y, 0), lane.length - 1)].focus();
    },
  },
};
