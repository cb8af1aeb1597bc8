// What a paper cannot do: zoom, pointing at spans, slow motion. Without this the page reads as well.
'use strict';
(() => {
  const UNITS = 100000, ROW = 20, SVG = 'http://www.w3.org/2000/svg', MOST_ZOOM = 400;
  const calm = matchMedia('(prefers-reduced-motion: reduce)');

  function seconds(value) {
    const size = Math.abs(value);
    const digits = (x) => (Math.abs(x) >= 99.95 ? x.toFixed(0) : Math.abs(x) >= 9.995 ? x.toFixed(1) : x.toFixed(2));
    if (value === 0) return '0 s';
    if (size < 1e-6) return digits(value * 1e9) + ' ns';
    if (size < 1e-3) return digits(value * 1e6) + ' µs';
    return size < 0.9995 ? digits(value * 1e3) + ' ms' : digits(value) + ' s';
  }

  function make(tag, attributes, text) {
    const element = document.createElement(tag);
    for (const name in attributes) element.setAttribute(name, attributes[name]);
    if (text !== undefined) element.textContent = text;
    return element;
  }

  function draw(tag, attributes, into) {
    const element = document.createElementNS(SVG, tag);
    for (const name in attributes) element.setAttribute(name, attributes[name]);
    return into.appendChild(element);
  }

  const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

  function tickStep(least) {
    const power = 10 ** Math.floor(Math.log10(least));
    return ([1, 2, 5, 10].find((step) => step * power >= least * 0.999) || 10) * power;
  }

  /** One variant: its picture, its levels, what its spans tell. */
  class Variant {
    constructor(element, step) {
      this.step = step;
      this.axis = Number(element.dataset.axis);
      this.picture = element.querySelector('.picture');
      this.svgs = [...element.querySelectorAll('.picture, .level')];
      this.ownAxis = element.querySelector('.axis.own');
      this.names = [...element.querySelectorAll('ol.lanes li')].map((item) => item.textContent.trim());
      const data = JSON.parse(element.querySelector('script.spans').textContent);
      this.lanes = data.lanes.map((lane) => lane.map(([name, start, length, busy, wait = -1, cut = 0]) => ({
        name: data.words[name], wait: wait < 0 ? null : data.words[wait], cut: cut === 1,
        start: start * data.tick_s, end: (start + length) * data.tick_s, busy: busy * data.tick_s,
      })));
      this.chosen = null;
      this.listen();
    }

    get enlarged() { return this.axis < this.step.longest; }
    /** How many times its own axis the view spans when not zoomed. */
    get factor() { return this.enlarged && this.step.toScale ? this.step.longest / this.axis : 1; }
    unit(time) { return (time / this.axis) * UNITS; }

    show(from, to) {
      for (const svg of this.svgs) {
        const height = svg.viewBox.baseVal.height;
        svg.setAttribute('viewBox', `${from * UNITS * this.factor} 0 ${(to - from) * UNITS * this.factor} ${height}`);
      }
      if (this.ownAxis) this.step.ticks(this.ownAxis, this.axis * this.factor);
    }

    /** The time under a pointer, and the lane. */
    at(event) {
      const box = this.picture.getBoundingClientRect();
      const { from, to } = this.step;
      const fraction = from + ((event.clientX - box.left) / box.width) * (to - from);
      return { fraction, time: fraction * this.axis * this.factor, lane: Math.floor((event.clientY - box.top) / ROW), pixel: ((to - from) * this.axis * this.factor) / box.width };
    }

    find({ time, lane, pixel }) {
      const reach = 4 * pixel;
      const near = (this.lanes[lane] || []).filter((span) => span.start - reach <= time && time <= span.end + reach);
      const off = (span) => Math.max(span.start - time, time - span.end, 0);
      near.sort((one, other) => off(one) - off(other) || (one.end - one.start) - (other.end - other.start));
      return near[0];
    }

    choose(lane, span) {
      this.step.variants.forEach((one) => one.unmark());
      this.chosen = span ? { lane, span } : null;
      if (!span) return this.step.tell('');
      const mark = { class: 'chosen', x: this.unit(span.start), y: lane * ROW + 2, width: Math.max(this.unit(span.end - span.start), 1), height: ROW - 4 };
      this.mark = draw('rect', mark, this.picture);
      const still = Math.max(span.end - span.start - span.busy, 0);
      const words = [`${this.names[lane]}: ${span.name}`, `${seconds(span.start)} to ${seconds(span.end)} (${seconds(span.end - span.start)})`,
        ...(span.cut ? ['cut off: how it ran, nobody told']
          : [`ran ${seconds(span.busy)}`, `did not run ${seconds(still)}` + (span.wait ? `, ${span.wait}` : '')])];
      return this.step.tell(words.join(' · '));
    }

    unmark() { if (this.mark) this.mark.remove(); this.mark = null; }

    listen() {
      const { picture, step } = this;
      picture.setAttribute('tabindex', '0');
      picture.setAttribute('role', 'application');
      picture.setAttribute('aria-roledescription', 'timeline');
      let grip = null;
      picture.addEventListener('pointerdown', (event) => { grip = { x: event.clientX, from: step.from, to: step.to }; picture.setPointerCapture(event.pointerId); });
      picture.addEventListener('pointerup', () => { grip = null; });
      picture.addEventListener('pointercancel', () => { grip = null; });
      picture.addEventListener('pointermove', (event) => {
        if (grip) {
          const width = grip.to - grip.from;
          step.look(grip.from - ((event.clientX - grip.x) / picture.clientWidth) * width, width);
        } else {
          const place = this.at(event);
          this.choose(place.lane, this.find(place));
        }
      });
      picture.addEventListener('pointerleave', () => { if (document.activeElement !== picture) this.choose(0, null); });
      picture.addEventListener('wheel', (event) => {
        if (!event.ctrlKey) return;
        event.preventDefault();
        step.zoom(Math.exp(-clamp(event.deltaY, -60, 60) / 100), this.at(event).fraction);
      }, { passive: false });
      picture.addEventListener('focus', () => { if (!this.chosen && picture.matches(':focus-visible')) this.walk(0, 0); });
      picture.addEventListener('blur', () => this.choose(0, null));
      picture.addEventListener('keydown', (event) => this.key(event));
    }

    key(event) {
      const { step } = this;
      if (event.ctrlKey || event.altKey || event.metaKey) return;
      const pan = (part) => () => step.look(step.from + part * (step.to - step.from), step.to - step.from);
      const keys = { '+': () => step.zoom(2), '=': () => step.zoom(2), '-': () => step.zoom(0.5), 0: () => step.look(0, 1), ' ': () => step.toggle(),
        ArrowRight: event.shiftKey ? pan(0.2) : () => this.walk(0, 1), ArrowLeft: event.shiftKey ? pan(-0.2) : () => this.walk(0, -1),
        ArrowDown: () => this.walk(1, 0), ArrowUp: () => this.walk(-1, 0), Escape: () => this.choose(0, null) };
      if (!keys[event.key]) return;
      event.preventDefault();
      keys[event.key]();
    }

    /** Goes to another lane or span; the view follows. */
    walk(down, right) {
      const now = this.chosen || { lane: 0, span: null };
      let lane = now.lane;
      do lane += down; while (down && this.lanes[lane] && !this.lanes[lane].length);
      const spans = this.lanes[lane];
      if (!spans || !spans.length) return;
      let index = now.span && down === 0 ? spans.indexOf(now.span) + right : 0;
      if (now.span && down !== 0) index = Math.max(spans.findIndex((span) => span.end > now.span.start), 0);
      const span = spans[clamp(index, 0, spans.length - 1)];
      this.choose(lane, span);
      const middle = (Math.max(span.start, 0) + Math.min(span.end, this.axis)) / 2 / this.axis / this.factor;
      const width = this.step.to - this.step.from;
      if (middle < this.step.from || middle > this.step.to) this.step.look(middle - width / 2, width);
    }

    /** Hides what comes after this moment; `null` shows everything. */
    reveal(time) {
      for (const svg of this.svgs) {
        svg.querySelectorAll('.veil, .cursor').forEach((old) => old.remove());
        if (time === null) continue;
        const at = Math.min(this.unit(time), UNITS * this.factor), height = svg.viewBox.baseVal.height;
        if (svg === this.picture) draw('rect', { class: 'veil', x: at, y: 0, width: UNITS * Math.max(this.factor, 1), height }, svg);
        draw('path', { class: 'cursor', d: `M${at} 0v${height}` }, svg);
      }
    }
  }

  /** All variants of a step: one view, one clock. */
  class Step {
    constructor(element) {
      this.element = element;
      this.longest = Number(element.dataset.longest);
      this.sharedAxis = element.querySelector('.axis.shared');
      this.told = element.querySelector('.told');
      this.from = 0; this.to = 1; this.toScale = false; this.time = null; this.playing = false;
      this.variants = [...element.querySelectorAll('.variant')].map((one) => new Variant(one, this));
      this.controls();
      element.querySelectorAll('.to-scale').forEach((place) => this.scaleButton(place));
    }

    controls() {
      const bar = make('div', { class: 'controls', role: 'group', 'aria-label': 'Timeline' });
      const button = (text, label, act) => {
        const one = bar.appendChild(make('button', { type: 'button', 'aria-label': label, title: label }, text));
        one.addEventListener('click', act);
        return one;
      };
      button('+', 'Zoom in', () => this.zoom(2)).classList.add('zoom-in');
      button('−', 'Zoom out', () => this.zoom(0.5)).classList.add('zoom-out');
      button('0', 'Show all', () => this.look(0, 1)).classList.add('zoom-all');
      this.player = button('Play', 'Play the recording', () => this.toggle());
      this.player.classList.add('play');
      this.speed = bar.appendChild(make('select', { 'aria-label': 'Speed of the recording', class: 'speed' }));
      [[4, 'in 4 s'], [10, 'in 10 s'], [30, 'in 30 s'], [0, 'as it was']].forEach(([value, text]) => this.speed.append(make('option', { value }, text)));
      this.speed.value = '10';
      this.slider = bar.appendChild(make('input', { type: 'range', min: 0, max: 1000, value: 1000, 'aria-label': 'Moment of the recording', class: 'moment' }));
      this.slider.addEventListener('input', () => { this.pause(); this.seek((this.slider.value / 1000) * this.longest); });
      this.clock = bar.appendChild(make('output', { class: 'clock' }, `whole: ${seconds(this.longest)}`));
      bar.append(make('span', { class: 'hint' }, 'Point at a bar, or focus a picture: arrows choose a span, + − 0 zoom, Shift and arrows move, space plays; Ctrl and the wheel zoom, dragging moves.'));
      this.element.prepend(bar);
    }

    scaleButton(place) {
      const text = () => (this.toScale ? 'enlarge it again' : 'show it to scale');
      const one = place.appendChild(make('button', { type: 'button' }, text()));
      one.addEventListener('click', () => {
        this.toScale = !this.toScale;
        this.element.querySelectorAll('.to-scale button').forEach((each) => { each.textContent = text(); });
        this.look(this.from, this.to - this.from);
      });
    }

    tell(text) { this.told.textContent = text; }

    look(from, width) {
      width = clamp(width, 1 / MOST_ZOOM, 1);
      this.from = clamp(from, 0, 1 - width);
      this.to = this.from + width;
      this.variants.forEach((variant) => variant.show(this.from, this.to));
      this.ticks(this.sharedAxis, this.longest);
      if (this.time !== null) this.variants.forEach((variant) => variant.reveal(this.time));
    }

    zoom(times, around = (this.from + this.to) / 2) {
      const width = clamp((this.to - this.from) / times, 1 / MOST_ZOOM, 1);
      const part = (around - this.from) / (this.to - this.from);
      this.look(around - part * width, width);
    }

    ticks(axis, span) {
      const from = this.from * span, width = (this.to - this.from) * span, step = tickStep(width / 6);
      axis.replaceChildren();
      for (let number = Math.ceil(from / step - 1e-6); number * step <= from + width * 1.000001; number += 1) {
        const tick = make('span', {}, seconds(number * step));
        const left = ((number * step - from) / width) * 100;
        tick.style.left = `${left}%`;
        if (left > 93) tick.className = 'last';
        axis.append(tick);
      }
    }

    seek(time) {
      const over = time >= this.longest;
      this.time = over ? null : time;
      this.slider.value = Math.round((time / this.longest) * 1000);
      this.clock.textContent = over ? `whole: ${seconds(this.longest)}` : `${seconds(time)} of ${seconds(this.longest)}`;
      this.variants.forEach((variant) => variant.reveal(this.time));
      return over;
    }

    toggle() { if (this.playing) this.pause(); else this.play(); }

    pause() { this.playing = false; this.player.textContent = 'Play'; this.player.setAttribute('aria-label', 'Play the recording'); }

    play() {
      this.playing = true;
      this.player.textContent = 'Pause';
      this.player.setAttribute('aria-label', 'Pause the recording');
      if (this.time === null) this.seek(0);
      let before = performance.now();
      const frame = (now) => {
        if (!this.playing) return;
        const real = (now - before) / 1000, whole = Number(this.speed.value) || this.longest;
        // Who wants less motion gets ten pictures instead of a film.
        if (!calm.matches || real >= whole / 10) {
          before = now;
          if (this.seek((this.time || 0) + (real / whole) * this.longest)) return void this.pause();
        }
        requestAnimationFrame(frame);
      };
      requestAnimationFrame(frame);
    }
  }

  document.querySelectorAll('.timelines').forEach((element) => new Step(element));
  document.documentElement.dataset.ready = 'yes';
})();
