/** A tag for each word, and the entities that the tags mark; twin of bertkit/tasks/tagging.py and words_read.py. */

import { atApostrophes, Convention, isUnbroken } from "../text/convention.js";
import { codesOf, textOf } from "../text/unicode.js";
import { maxContext, windows } from "../text/windows.js";
import { coveringPieces, joinWords, words } from "../text/words.js";
import { areTexts, argmax, check, isText } from "./task.js";

const OUTSIDE = "O",
  WRITTEN = /^[BIESLUM](?:[-_][^]*)?$/u,
  SPELLING = { L: "E", U: "S", M: "I" };

export class Tagging {
  output = "logits";
  eachToken = true;

  constructor({ labels, stride = 128, convention = null }) {
    Object.assign(this, { labels, stride, width: labels.length, tags: spelt(labels) });
    this.convention = convention && new Convention(convention);
  }

  check(inputs) {
    return check(inputs, "single texts: give a string", input => isText(input) || areTexts(input, 0));
  }

  pack(tokenizer, inputs, length) {
    let begin = 0;
    const rows = [],
      origin = inputs.map(given => {
        const whole = readWords(given, this.convention),
          { ids, offsets } = tokenizer.encode(textOf(whole.encoded));
        const read = inPieces(whole, offsets),
          cut = windows(tokenizer, ids, length, null, this.stride);
        const counts = maxContext(cut, ids.length),
          begins = cut.map(({ row }) => (begin += row.ids.length) - row.ids.length);
        rows.push(...cut.map(({ row }) => row));
        const places = coveringPieces(offsets, read.spans).map(([piece]) => {
          const window = cut[counts[piece]];
          return piece < 0 ? -1 : begins[counts[piece]] + window.place + piece - window.start;
        });
        return { read, places, isRaw: isText(given) };
      });
    return { rows, origin };
  }

  /** @param {ArrayLike<number>[][]} outputs the logits of each row's tokens */
  answers(outputs, { origin }) {
    const best = outputs.flatMap(row => row.map(argmax));
    return origin.map(({ read, places, isRaw }) => {
      const tags = places.map(place => (place < 0 ? OUTSIDE : this.tags[best[place]]));
      const found = isRaw ? settled(read, tags) : { tags, spans: read.own };
      return {
        entities: entities(found.tags).map(([type, first, last]) => {
          const start = found.spans[first][0],
            end = found.spans[last - 1][1];
          return { text: textOf(read.given, start, end), type, start, end };
        }),
      };
    });
  }
}

/** Read an input: words as they are, raw text as the training data part words. */
function readWords(given, convention) {
  if (!isText(given)) {
    const { text, spans } = joinWords(given.map(codesOf));
    return { given: text, encoded: text, spans, own: spans, words: null };
  }
  const codes = codesOf(given);
  if (convention) {
    // with the blanks that the words of the training data had between them
    const own = convention.words(codes),
      { text, spans } = joinWords(own.map(([start, end]) => codes.slice(start, end)));
    return { given: codes, encoded: text, spans, own, words: null };
  }
  const parts = words(codes).map(([start, end]) => atApostrophes(codes, start, end)),
    own = parts.flat();
  return {
    given: codes,
    encoded: codes,
    spans: own,
    own,
    words: parts.flatMap((part, number) => part.map(() => number)),
  };
}

/** Give a unit to each piece of Thai, Khmer and the like, where a run may be several words. */
function inPieces(read, offsets) {
  if (!read.words) return read;
  const spans = [],
    numbers = [];
  read.spans.forEach((span, i) => {
    const found = isUnbroken(read.encoded.slice(...span)) ? piecesIn(offsets, span) : [];
    for (const unit of found.length ? found : [span]) {
      spans.push(unit);
      numbers.push(read.words[i]);
    }
  });
  return { ...read, spans, own: spans, words: numbers };
}

function piecesIn(offsets, span) {
  const [[first, last]] = coveringPieces(offsets, [span]);
  const pieces = first < 0 ? [] : offsets.slice(first, last + 1).filter(([start, end]) => start < end);
  return pieces.map(([start, end]) => [Math.max(start, span[0]), Math.min(end, span[1])]);
}

/** Return the tags of a raw text whose words were found without a convention, as the model's tags decide. */
function settled(read, tags) {
  if (!read.words) return { tags, spans: read.own };
  const found = { tags: [], spans: [] };
  const put = (tag, first, last) => {
    found.tags.push(tag);
    found.spans.push([read.own[first][0], read.own[last][1]]);
  };
  for (let begin = 0, end; begin < tags.length; begin = end) {
    for (end = begin + 1; end < tags.length && read.words[end] === read.words[begin];) end++;
    if (isUnbroken(read.encoded.slice(read.own[begin][0], read.own[end - 1][1]))) {
      for (let unit = begin; unit < end; unit++)
        put(continued(unit > begin ? tags[unit - 1] : OUTSIDE, tags[unit]), unit, unit);
      continue;
    }
    let first = begin;
    while (first < end && tags[first] === OUTSIDE) first++;
    if (first === end) first = begin;
    if (first > begin) put(OUTSIDE, begin, first - 1);
    put(tags[first], first, end - 1);
  }
  return found;
}

/** Return a tag that goes on with the entity before it, if that is of its type. */
function continued(before, tag) {
  return tag !== OUTSIDE && before.slice(2) === tag.slice(2) ? `I-${tag.slice(2)}` : tag;
}

/** Return the tags that labels mean, whatever scheme they are written in. */
function spelt(labels) {
  if (labels.some(label => label !== OUTSIDE && WRITTEN.test(label))) {
    return labels.map(label =>
      WRITTEN.test(label) && label !== OUTSIDE
        ? (SPELLING[label[0]] ?? label[0]) + (label.length > 1 ? "-" : "") + label.slice(2)
        : label,
    );
  }
  return labels.map(label => (label === OUTSIDE ? label : `${labels.includes(OUTSIDE) ? "I" : "B"}-${label}`));
}

/** Return [type, first word, last word + 1] of the entities, by the rule of conlleval. */
function entities(tags) {
  const continues = i =>
    i > 0 && "BI".includes(tags[i - 1][0]) && "IE".includes(tags[i][0]) && tags[i - 1].slice(2) === tags[i].slice(2);
  const found = [];
  for (let first = 0, last; first < tags.length; first = last) {
    for (last = first + 1; last < tags.length && continues(last);) last++;
    if (tags[first] !== OUTSIDE) found.push([tags[first].slice(2) || "_", first, last]);
  }
  return found;
}
