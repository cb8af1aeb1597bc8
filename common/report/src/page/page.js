// What paper cannot do: zoom, pointing at spans and at their lines of code, slow motion. All else is on the
// page without this.
'use strict';
(() => {
  const UNITS = 100000, ROW = 16, SVG = 'http://www.w3.org/2000/svg', MOST_ZOOM = 400;
  const calm = matchMedia('(prefers-reduced-motion: reduce)');
  const runs = JSON.parse(document.getElementById('runs').textContent);
  const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

  function seconds(value) {
    const size = Math.abs(value);
    const digits = (x) => (Math.abs(x) >= 99.95 ? x.toFixed(0) : Math.abs(x) >= 9.995 ? x.toFixed(1) : x.toFixed(2));
    if (value === 0) return '0 s';
    if (size < 1e-6) return `${digits(value * 1e9)} ns`;
    if (size < 1e-3) return `${digits(value * 1e6)} µs`;
    return size < 0.9995 ? `${digits(value * 1e3)} ms` : `${digits(value)} s`;
  }

  function make(tag, attributes, text = '', element = document.createElement(tag)) {
    for (const name in attributes) element.setAttribute(name, attributes[name]);
    element.textContent = text;
    return element;
  }

  const draw = (tag, attributes, into) => into.appendChild(make(tag, attributes, '', document.createElementNS(SVG, tag)));

  function tickStep(least) {
    const power = 10 ** Math.floor(Math.log10(least));
    return ([1, 2, 5, 10].find((step) => step * power >= least * 0.999) || 10) * power;
  }

  const tip = document.body.appendChild(make('p', { class: 'tip', role: 'status', hidden: '' }));

  /** Shows a text beside a place of the window; nothing hides it. */
  function tell(text, x = 0, y = 0) {
    tip.textContent = text;
    tip.hidden = text === '';
    const below = y + 18;
    tip.style.left = `${clamp(x + 12, 4, Math.max(innerWidth - tip.offsetWidth - 4, 4))}px`;
    tip.style.top = `${below + tip.offsetHeight < innerHeight ? below : y - tip.offsetHeight - 10}px`;
  }

  const length = (span) => span.end_s - span.start_s;

  /** Whether a span ran at a moment: as its polls have it, or for most of its time. */
  function ran(span, time) {
    if (span.polls_s) return span.polls_s.some(([start, end]) => start <= time && time < end);
    return span.busy_s > length(span) / 2;
  }

  /** The code beside the timelines. */
  class Code {
    constructor(element) {
      this.element = element;
      this.lines = new Map();
      this.lit = [];
      for (const list of element ? element.querySelectorAll('ol') : []) {
        [...list.children].forEach((item, index) => this.lines.set(`${list.dataset.file}:${index + 1}`, item));
      }
    }

    line(span) { return this.lines.get(`${span.file}:${span.line}`); }

    /** The innermost of these spans that has a line here. */
    innermost(spans) {
      return spans.filter((span) => this.line(span)).reduce((one, other) => (one && one.depth > other.depth ? one : other), null);
    }

    /** Marks the lines that spans name, and shows the first of the first file, which is the lesson's own. */
    name(spans) {
      const items = spans.map((span) => this.line(span)).filter(Boolean);
      items.forEach((item) => item.classList.add('named'));
      const own = items.find((item) => item.parentElement.matches('p:first-child + ol'));
      if (own) this.show(own);
    }

    point(span) {
      if (this.pointed) this.pointed.classList.remove('pointed');
      this.pointed = span && this.line(span);
      if (!this.pointed) return;
      this.pointed.classList.add('pointed');
      this.show(this.pointed);
    }

    show(item) {
      const top = item.offsetTop, { scrollTop, clientHeight } = this.element;
      if (top < scrollTop || top > scrollTop + clientHeight - 40) this.element.scrollTop = top - clientHeight / 3;
    }

    /** Lights the lines of these lanes, each with who runs and who waits there. */
    light(lanes) {
      for (const item of this.lit) { item.classList.remove('runs', 'waits'); delete item.dataset.lanes; }
      const places = Map.groupBy(lanes, (lane) => this.line(lane.span));
      this.lit = [...places.keys()];
      for (const [item, there] of places) {
        item.classList.add(there.some((lane) => lane.runs) ? 'runs' : 'waits');
        const few = new Set(there.map((lane) => lane.variant)).size < 3;
        const groups = Map.groupBy(there, (lane) => `${few ? lane.variant : 'all'}\n${lane.runs ? 'run' : 'wait'}`);
        item.dataset.lanes = [...groups].map(([key, all]) => {
          const [variant, what] = key.split('\n');
          return `${variant}: ${all.length > 1 ? `${all.length} ${what}` : `${all[0].name} ${what}s`}`;
        }).join(' · ');
      }
    }
  }

  /** One variant: its picture, its levels, its spans. */
  class Variant {
    constructor(element, step) {
      this.step = step;
      this.axis = step.longest;
      this.picture = element.querySelector('.picture');
      this.svgs = [...element.querySelectorAll('.picture, .level')];
      this.items = [...element.querySelectorAll('ol.lanes li')];
      const { name, lanes } = step.run.variants[element.dataset.index];
      this.name = name;
      this.lanes = lanes;
      this.chosen = null;
      this.listen();
    }

    unit(time) { return (time / this.axis) * UNITS; }

    show(from, to) {
      for (const svg of this.svgs) {
        svg.setAttribute('viewBox', `${from * UNITS} 0 ${(to - from) * UNITS} ${svg.viewBox.baseVal.height}`);
      }
    }

    /** What lies under a pointer. */
    under(event) {
      const box = this.picture.getBoundingClientRect(), { from, to } = this.step;
      const part = from + ((event.clientX - box.left) / box.width) * (to - from);
      const lane = Math.floor((event.clientY - box.top) / ROW), time = part * this.axis;
      const reach = (4 * (to - from) * this.axis) / box.width;
      const off = (span) => Math.max(span.start_s - time, time - span.end_s, 0);
      const near = (this.lanes[lane]?.spans || []).filter((span) => off(span) <= reach);
      near.sort((one, other) => off(one) - off(other) || length(one) - length(other));
      return { part, lane, span: near[0] };
    }

    /** Marks a span and its line, and says what it is at `x`, `y`, or beside it. */
    choose(lane, span, x, y) {
      this.step.variants.forEach((one) => { one.mark?.remove(); one.chosen = null; });
      const around = span && this.lanes[lane].spans.filter((one) => one.start_s <= span.start_s && one.end_s >= span.end_s && one.depth <= span.depth);
      this.step.code.point(span ? this.step.code.innermost(around) : null);
      if (!span) return tell('');
      this.chosen = { lane, span };
      this.mark = draw('rect', {
        class: 'chosen', x: this.unit(span.start_s), y: lane * ROW + 1, width: Math.max(this.unit(length(span)), 1), height: ROW - 2,
      }, this.picture);
      const box = this.mark.getBoundingClientRect();
      const rest = Math.max(length(span) - span.busy_s, 0);
      const waits = span.wait ? `waited ${seconds(rest)} (${span.wait})` : `did not run ${seconds(rest)}`;
      return tell([
        `${this.lanes[lane].name}: ${span.name}`, `${seconds(span.start_s)} to ${seconds(span.end_s)}, ${seconds(length(span))}`,
        span.cut ? 'cut off: how it ran is not known' : `ran ${seconds(span.busy_s)}, ${waits}`,
        ...(span.file ? [`${span.file}:${span.line}`] : []),
      ].join('\n'), x ?? Math.max(box.left, 0), y ?? box.top);
    }

    listen() {
      const { picture, step } = this;
      for (const [name, value] of [['tabindex', 0], ['role', 'application'], ['aria-roledescription', 'timeline']]) picture.setAttribute(name, value);
      let grip = null;
      const point = (event) => { const { lane, span } = this.under(event); this.choose(lane, span, event.clientX, event.clientY); };
      picture.addEventListener('pointerdown', (event) => {
        grip = { x: event.clientX, from: step.from, to: step.to };
        picture.setPointerCapture(event.pointerId);
        point(event);
      });
      for (const name of ['pointerup', 'pointercancel']) picture.addEventListener(name, () => { grip = null; });
      picture.addEventListener('pointermove', (event) => {
        if (!grip) return point(event);
        const width = grip.to - grip.from;
        return step.look(grip.from - ((event.clientX - grip.x) / picture.clientWidth) * width, width);
      });
      picture.addEventListener('pointerleave', () => { if (document.activeElement !== picture) this.choose(0, null); });
      picture.addEventListener('wheel', (event) => {
        if (!event.ctrlKey) return;
        event.preventDefault();
        step.zoom(Math.exp(-clamp(event.deltaY, -60, 60) / 100), this.under(event).part);
      }, { passive: false });
      picture.addEventListener('focus', () => { if (!this.chosen && picture.matches(':focus-visible')) this.walk(0, 0); });
      picture.addEventListener('blur', () => this.choose(0, null));
      picture.addEventListener('keydown', (event) => this.key(event));
    }

    key(event) {
      const { step } = this;
      if (event.ctrlKey || event.altKey || event.metaKey) return;
      const pan = (part) => () => step.look(step.from + part * (step.to - step.from), step.to - step.from);
      const keys = {
        '+': () => step.zoom(2), '=': () => step.zoom(2), '-': () => step.zoom(0.5), 0: () => step.look(0, 1), ' ': () => step.toggle(),
        ArrowRight: event.shiftKey ? pan(0.2) : () => this.walk(0, 1), ArrowLeft: event.shiftKey ? pan(-0.2) : () => this.walk(0, -1),
        ArrowDown: () => this.walk(1, 0), ArrowUp: () => this.walk(-1, 0), Escape: () => this.choose(0, null),
      };
      if (!keys[event.key]) return;
      event.preventDefault();
      keys[event.key]();
    }

    /** Goes to another lane or span; the view follows. */
    walk(down, right) {
      const now = this.chosen || { lane: 0, span: null };
      let lane = now.lane;
      do lane += down; while (down && this.lanes[lane] && !this.lanes[lane].spans.length);
      const spans = this.lanes[lane]?.spans || [];
      if (!spans.length) return;
      let index = now.span && down === 0 ? spans.indexOf(now.span) + right : 0;
      if (now.span && down !== 0) index = Math.max(spans.findIndex((span) => span.end_s > now.span.start_s), 0);
      const span = spans[clamp(index, 0, spans.length - 1)];
      const middle = (Math.max(span.start_s, 0) + Math.min(span.end_s, this.axis)) / 2 / this.axis, { from, to } = this.step;
      if (middle < from || middle > to) this.step.look(middle - (to - from) / 2, to - from);
      this.choose(lane, span);
    }

    /** Hides what comes after a moment, `null` nothing; returns the lanes that are at a line of the code then. */
    reveal(time) {
      for (const svg of this.svgs) {
        svg.querySelectorAll('.veil, .cursor').forEach((old) => old.remove());
        if (time === null) continue;
        const at = Math.min(this.unit(time), UNITS), height = svg.viewBox.baseVal.height;
        if (svg === this.picture) draw('rect', { class: 'veil', x: at, y: 0, width: UNITS, height }, svg);
        draw('path', { class: 'cursor', d: `M${at} 0v${height}` }, svg);
      }
      return this.lanes.flatMap(({ name, spans }, index) => {
        const open = time === null ? [] : spans.filter((span) => span.start_s <= time && time < span.end_s);
        const span = this.step.code.innermost(open);
        const runs = open.some((one) => ran(one, time));
        this.items[index].className = open.length ? (runs ? 'runs' : 'waits') : '';
        return span ? [{ variant: this.name, name, span, runs: ran(span, time) }] : [];
      });
    }
  }

  /** All variants of a step: one view, one clock. */
  class Step {
    constructor(element) {
      this.element = element;
      this.run = runs[element.dataset.run];
      this.longest = Number(element.dataset.longest);
      this.sharedAxis = element.querySelector('.axis.shared');
      Object.assign(this, { from: 0, to: 1, time: null, playing: false });
      this.code = new Code(element.querySelector('.code'));
      this.variants = [...element.querySelectorAll('.variant')].map((one) => new Variant(one, this));
      this.controls();
      const named = () => this.code.name(this.variants.flatMap((variant) => variant.lanes.flatMap((lane) => lane.spans)));
      element.closest('details').addEventListener('toggle', named, { once: true });
    }

    controls() {
      const bar = make('div', { class: 'controls', role: 'group', 'aria-label': 'Timeline' });
      const button = (text, label, name, act) => {
        const one = bar.appendChild(make('button', { type: 'button', 'aria-label': label, title: label, class: name }, text));
        one.addEventListener('click', act);
        return one;
      };
      this.player = button('Play', 'Play the recording', 'play', () => this.toggle());
      this.speed = bar.appendChild(make('select', { 'aria-label': 'Speed of the recording', class: 'speed' }));
      [[4, 'in 4 s'], [10, 'in 10 s'], [30, 'in 30 s'], [0, 'as it was']].forEach(([value, text]) => this.speed.append(make('option', { value }, text)));
      this.speed.value = '10';
      this.slider = bar.appendChild(make('input', { type: 'range', min: 0, max: 1000, value: 1000, 'aria-label': 'Moment of the recording', class: 'moment' }));
      this.slider.addEventListener('input', () => { this.pause(); this.seek((this.slider.value / 1000) * this.longest); });
      this.clock = bar.appendChild(make('output', { class: 'clock' }, `whole: ${seconds(this.longest)}`));
      button('+', 'Zoom in', 'zoom-in', () => this.zoom(2));
      button('−', 'Zoom out', 'zoom-out', () => this.zoom(0.5));
      button('0', 'Show all', 'zoom-all', () => this.look(0, 1));
      bar.append(make('span', { class: 'soft' }, 'Point at a bar. Keys: arrows, + − 0, Shift and arrows, space. Ctrl and the wheel zoom, dragging moves.'));
      this.element.prepend(bar);
    }

    look(from, width) {
      width = clamp(width, 1 / MOST_ZOOM, 1);
      this.from = clamp(from, 0, 1 - width);
      this.to = this.from + width;
      this.variants.forEach((variant) => variant.show(this.from, this.to));
      this.ticks();
    }

    zoom(times, around = (this.from + this.to) / 2) {
      const width = clamp((this.to - this.from) / times, 1 / MOST_ZOOM, 1);
      const part = (around - this.from) / (this.to - this.from);
      this.look(around - part * width, width);
    }

    ticks() {
      const { sharedAxis: axis, longest: whole } = this;
      const from = this.from * whole, width = (this.to - this.from) * whole, step = tickStep(width / 6);
      axis.replaceChildren();
      for (let number = Math.ceil(from / step - 1e-6); number * step <= from + width * 1.000001; number += 1) {
        const left = ((number * step - from) / width) * 100;
        axis.append(make('span', { class: left > 93 ? 'last' : '', style: `left:${left}%` }, seconds(number * step)));
      }
    }

    seek(time) {
      const over = time >= this.longest;
      this.time = over ? null : time;
      this.slider.value = Math.round((time / this.longest) * 1000);
      this.clock.textContent = over ? `whole: ${seconds(this.longest)}` : `${seconds(time)} of ${seconds(this.longest)}`;
      this.code.light(this.variants.flatMap((variant) => variant.reveal(this.time)));
      return over;
    }

    toggle() { if (this.playing) this.pause(); else this.play(); }

    pause() { this.playing = false; this.player.textContent = 'Play'; this.player.setAttribute('aria-label', 'Play the recording'); }

    play() {
      this.playing = true;
      this.player.textContent = 'Pause';
      this.player.setAttribute('aria-label', 'Pause the recording');
      if (this.time === null) this.seek(0);
      if (this.code.lit[0]) this.code.show(this.code.lit[0]);
      let before = performance.now();
      const frame = (now) => {
        if (!this.playing) return;
        // The first picture may be due before this was asked for.
        const real = Math.max(0, now - before) / 1000, whole = Number(this.speed.value) || this.longest;
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
