const LONGEST = 1600; // pixels: a plate is read, a photo is a few hundred kB
const QUALITY = 0.85;

const smaller = async (file) => {
  if (!file.type.startsWith("image/")) return file;
  const image = await createImageBitmap(file);
  const share = Math.min(1, LONGEST / Math.max(image.width, image.height));
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [Math.round(image.width * share), Math.round(image.height * share)];
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((done) => canvas.toBlob((blob) => done(blob ?? file), "image/jpeg", QUALITY));
};

export default {
  template: `
    <div class="photos">
      <input type="file" accept="image/jpeg,image/png,application/pdf" multiple :aria-label="texts.pick"
        @change="pick($event.target)">
      <ul v-if="files.length"><li v-for="f in files" :key="f.id">{{ f.name }}
        <button type="button" class="act" :aria-label="texts.drop + ' ' + f.name" @click="drop(f.id)">✕</button></li></ul>
      <p role="status">{{ said }}</p>
    </div>`,
  props: { url: String, texts: Object },
  data: () => ({ files: [], said: "" }),
  methods: {
    async pick(input) {
      const chosen = [...input.files];
      for (const [n, file] of chosen.entries()) {
        this.said = `${this.texts.sending} ${n + 1}/${chosen.length}`;
        await this.send(file);
      }
      input.value = "";
    },
    async send(file) {
      try {
        const answer = await fetch(`${this.url}?name=${encodeURIComponent(file.name.slice(-100))}`, {
          method: "POST", headers: { "Content-Type": "application/octet-stream" }, body: await smaller(file),
        });
        const body = await answer.json();
        if (!answer.ok) throw new Error(body.detail ?? answer.status);
        this.files = [...this.files, { id: body.id, name: file.name }];
        this.said = "";
        this.tell();
      } catch (error) {
        this.said = `${this.texts.failed} ${file.name}: ${error.message}`;
      }
    },
    drop(id) {
      this.files = this.files.filter((f) => f.id !== id);
      this.tell();
    },
    clear() {
      this.files = [];
      this.said = "";
    },
    tell() {
      this.$emit("kept", this.files.map((f) => f.id));
    },
  },
};
