// The three views of bertkit's attention page. Data: see bertkit/report/attention.py.
"use strict";
const data = JSON.parse(document.getElementById("attention").textContent);
const {layers, heads, tokens, size} = data;
const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
const roots = bytes(data.roots);                 // 255 √a of each probability a, [L,N,T,T]
const neurons = data.neurons && {
  width: data.neurons.width, scales: data.neurons.scales,
  queries: new Int8Array(bytes(data.neurons.queries).buffer), keys: new Int8Array(bytes(data.neurons.keys).buffer)};
const shown = {layer: 0, head: 0, token: null};
const find = (name) => document.getElementById(name);
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const probability = (layer, head, from, to) =>
  (roots[((layer * heads + head) * size + from) * size + to] / 255) ** 2;

function element(name, text, words) {
  const made = Object.assign(document.createElement(name), words);
  if (text !== undefined) made.textContent = text;
  return made;
}

// An element that begins with a token, whose direction of writing ends with it.
function named(name, token, more = "", words = {}) {
  const made = element(name, undefined, words);
  made.append(element("bdi", tokens[token]), more);
  return made;
}

// A canvas as sharp as the screen, cleared, with lengths in CSS pixels.
function clear(canvas, width, height) {
  const ratio = window.devicePixelRatio || 1;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  canvas.style.height = height + "px";
  const pen = canvas.getContext("2d");
  pen.scale(ratio, ratio);
  return pen;
}

// ---------------------------------------------------------------- model view: every head as a picture of T x T

function picture(layer, head) {
  const canvas = Object.assign(document.createElement("canvas"), {width: size, height: size});
  const pen = canvas.getContext("2d"), image = pen.createImageData(size, size);
  const [red, green, blue] = colour("--heat").split(",").map(Number), begin = (layer * heads + head) * size * size;
  const points = new Uint32Array(image.data.buffer), hue = blue << 16 | green << 8 | red;
  for (let i = 0; i < size * size; i++) points[i] = roots[begin + i] << 24 | hue;
  pen.putImageData(image, 0, 0);
  return canvas;
}

let pictures = [];
function drawModel() {
  const canvas = find("model"), cell = canvas.clientWidth / heads, pen = clear(canvas, canvas.clientWidth, cell * layers);
  pen.imageSmoothingEnabled = size > cell;
  for (let i = 0; i < layers * heads; i++) {
    const [x, y] = [i % heads * cell, Math.floor(i / heads) * cell];
    pen.drawImage(pictures[i], x + 2, y + 2, cell - 4, cell - 4);
  }
  pen.strokeStyle = colour("--ink");
  pen.lineWidth = 2;
  pen.strokeRect(shown.head * cell + 1, shown.layer * cell + 1, cell - 2, cell - 2);
}

// ---------------------------------------------------------------- head view: from each token to those that it looks at

const LINE = 22;
function drawHead() {
  const canvas = find("lines"), width = canvas.clientWidth, pen = clear(canvas, width, size * LINE);
  pen.strokeStyle = `rgb(${colour("--heat")})`;
  pen.lineWidth = 2;
  const froms = shown.token === null ? tokens.keys() : [shown.token];
  for (const from of froms) {
    for (let to = 0; to < size; to++) {
      const share = probability(shown.layer, shown.head, from, to);
      if (share < 0.01) continue;
      pen.globalAlpha = share;
      pen.beginPath();
      pen.moveTo(0, (from + 0.5) * LINE);
      pen.lineTo(width, (to + 0.5) * LINE);
      pen.stroke();
    }
  }
  for (const [place, button] of [...find("from").children].entries()) {
    button.setAttribute("aria-pressed", String(place === shown.token));
  }
  for (const [place, cell] of [...find("to").children].entries()) {
    const share = shown.token === null ? 0 : probability(shown.layer, shown.head, shown.token, place);
    cell.style.backgroundColor = `rgba(${colour("--heat")}, ${0.7 * share})`;
  }
  find("most").replaceChildren(...strongest().map(([to, share]) => named("li", to, ` ${(100 * share).toFixed(1)} %`)));
  find("who").textContent = shown.token === null ? "Choose a token on the left." :
    `Token ${shown.token + 1}, “\u2068${tokens[shown.token]}\u2069”, looks most at`;
}

function strongest() {
  if (shown.token === null) return [];
  const shares = tokens.map((_, to) => [to, probability(shown.layer, shown.head, shown.token, to)]);
  return shares.sort((a, b) => b[1] - a[1]).slice(0, 8);
}

// ---------------------------------------------------------------- neuron view: q, k and their product, number by number

function vector(values, token) {
  const at = (shown.layer * heads + shown.head) * size + token;
  return values.subarray(at * neurons.width, (at + 1) * neurons.width);
}

function strip(pen, values, top, most, cell) {
  for (const [place, value] of values.entries()) {
    pen.globalAlpha = Math.min(1, Math.abs(value) / most);
    pen.fillStyle = `rgb(${colour(value < 0 ? "--against" : "--heat")})`;
    pen.fillRect(place * cell, top + 2, cell, LINE - 4);
  }
}

function drawNeurons() {
  if (!neurons) return;
  find("neurons").hidden = shown.token === null;
  if (shown.token === null) return;
  const canvas = find("products"), cell = canvas.clientWidth / neurons.width;
  const pen = clear(canvas, canvas.clientWidth, (size + 1) * LINE);
  const [q, k] = neurons.scales[shown.layer * heads + shown.head];
  const query = Array.from(vector(neurons.queries, shown.token), (value) => value * q);
  const products = tokens.map((_, to) => Array.from(vector(neurons.keys, to), (value, i) => value * k * query[i]));
  const most = Math.max(...products.map((row) => Math.max(...row.map(Math.abs)))) || 1;
  strip(pen, query, 0, Math.max(...query.map(Math.abs)) || 1, cell);
  products.forEach((row, to) => strip(pen, row, (to + 1) * LINE, most, cell));
  const score = (row) => row.reduce((sum, value) => sum + value, 0) / Math.sqrt(neurons.width);
  [...find("scores").children].forEach((item, to) => {
    item.replaceChildren(...(to === 0 ? ["q"] : named("i", to - 1, ` ${score(products[to - 1]).toFixed(2)}`).childNodes));
  });
}

// ---------------------------------------------------------------- what is chosen

function draw() {
  find("layer").value = shown.layer;
  find("head").value = shown.head;
  const numbers = data.numbers[shown.layer * heads + shown.head];
  find("numbers").textContent = `entropy ${numbers.entropy.toFixed(3)} nats, distance ${numbers.distance.toFixed(2)} tokens, ` +
    `${(100 * numbers.special).toFixed(1)} % to special tokens`;
  drawModel();
  drawHead();
  drawNeurons();
}

function choose(layer, head) {
  shown.layer = (layer + layers) % layers;
  shown.head = (head + heads) % heads;
  draw();
}

function begin() {
  for (const [name, count] of [["layer", layers], ["head", heads]]) {
    find(name).append(...Array.from({length: count}, (_, i) => element("option", i + 1, {value: i})));
    find(name).addEventListener("change", () => choose(Number(find("layer").value), Number(find("head").value)));
  }
  find("model").addEventListener("click", (event) => {
    const cell = find("model").clientWidth / heads;
    choose(Math.min(layers - 1, Math.floor(event.offsetY / cell)), Math.min(heads - 1, Math.floor(event.offsetX / cell)));
  });
  find("model").addEventListener("keydown", (event) => {
    const step = {ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0]}[event.key];
    if (!step) return;
    event.preventDefault();
    choose(shown.layer + step[0], shown.head + step[1]);
  });
  tokens.forEach((_, place) => {
    const button = named("button", place, "", {type: "button"});
    button.addEventListener("click", () => { shown.token = shown.token === place ? null : place; draw(); });
    find("from").append(button);
    find("to").append(named("div", place));
  });
  if (neurons) find("scores").append(...Array.from({length: size + 1}, () => element("div")));
  recolour();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", recolour);
  window.addEventListener("resize", draw);
}

function recolour() {
  pictures = Array.from({length: layers * heads}, (_, i) => picture(Math.floor(i / heads), i % heads));
  draw();
}

begin();
