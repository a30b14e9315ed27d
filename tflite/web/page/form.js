/** The fields of each task, with examples. */

const FILM = [
  "A warm and funny film, and the ending is a delight.",
  "The plot is dull, and I was bored after ten minutes.",
];
const PAIR = [
  ["A man plays the guitar.", "Someone makes music."],
  ["The shop opens at nine.", "The river is frozen in winter."],
];
const PLACES = [
  "Angela Merkel flew from Berlin to Paris to meet Emmanuel Macron.",
  "Ada Lovelace worked with Charles Babbage in London.",
];
const LAKE =
  "Lake Baikal lies in southern Siberia. It is about 25 million years old and 1,642 metres deep, which makes it the " +
  "deepest lake on Earth. About 330 rivers flow into it, and one, the Angara, flows out.";
const SENTENCES =
  "The train stopped at the border\nA dog sleeps in the garden\nBread is made of flour and water\n" +
  "The harbour was full of boats";
const STORY =
  "The harbour was quiet that morning. Two boats had come in during the night. Nobody knew where they were from. The " +
  "captain of the larger one asked for water and bread. By noon the whole town was at the quay.";

const SINGLE = ["Text"],
  FIRST_SECOND = ["First text", "Second text"];
/**
 * For each task: what the page says, the fields (those in `lines` take a text a line), and examples, a text a field.
 */
const FORMS = {
  classify: {
    says: "Type a text; the model says which class it is of.",
    fields: SINGLE,
    examples: FILM.map(text => [text]),
  },
  score: { says: "Type a text; the model gives it a score.", fields: SINGLE, examples: FILM.map(text => [text]) },
  tag: {
    says: "Type a text; the model marks what it finds in it.",
    fields: SINGLE,
    examples: PLACES.map(text => [text]),
  },
  answer: {
    says: "Ask a question about a text; the model marks the answer in it.",
    fields: ["Question", "Text"],
    examples: [
      ["How deep is Lake Baikal?", LAKE],
      ["Which river flows out of it?", LAKE],
    ],
  },
  choose: {
    says: "Type a beginning, and two or more ways to go on, one a line; the model chooses.",
    fields: ["Beginning", "Ways to go on"],
    lines: 1,
    examples: [["She opened her umbrella because", "it had begun to rain\nthe soup was too hot\nher shoes were new"]],
  },
  embed: {
    says: "Type a text, and others, one a line; the model puts them in order of their likeness.",
    fields: ["Text", "Others"],
    lines: 1,
    examples: [
      ["Ships lay in the port", SENTENCES],
      ["She bakes a loaf", SENTENCES],
    ],
  },
  rank: {
    says: "Type a query, and documents, one a line; the model puts them in order.",
    fields: ["Query", "Documents"],
    lines: 1,
    examples: [
      ["where ships lie", SENTENCES],
      ["what bread is made of", SENTENCES],
    ],
  },
  summarise: {
    says: "Type a document; the model chooses the sentences that say most of it.",
    fields: ["Document"],
    examples: [[STORY]],
  },
};
FORMS.long_documents = FORMS.classify;
FORMS["summarise-central"] = FORMS.summarise;
const LONG = new Set(["Text", "Document", "Documents", "Others", "Ways to go on", "First text", "Second text"]);

/** Make the fields of a task. @param {{name: string, pairs?: boolean | null}} task @param {HTMLElement} place
 * @returns {{says: string, input: () => any, example: () => void, more?: Function}} */
export function formOf(task, place) {
  const paired = task.pairs === true,
    form = FORMS[task.name];
  const names = paired ? FIRST_SECOND : form.fields,
    examples = paired ? PAIR : form.examples;
  const fields = names.map((name, number) => field(place, name, number));
  const values = () => fields.map(element => element.value),
    lines = text => text.split("\n").filter(line => line.trim());
  let next = 0;
  return {
    says: paired
      ? form.says.replace("a text", "two texts").replace("it is", "they are").replace("gives it", "gives them")
      : form.says,
    example() {
      examples[next++ % examples.length].forEach((text, i) => (fields[i].value = text));
    },
    input() {
      const [first, ...others] = values();
      if (task.name === "embed") return first;
      if (form.lines && !paired) return [first, ...lines(others[0])];
      return others.length ? [first, ...others] : first;
    },
    more:
      task.name === "embed"
        ? async model => {
            const texts = lines(values()[1]);
            return { texts, vectors: (await model.predict(texts)).map(answer => answer.embedding) };
          }
        : undefined,
  };
}

function field(place, name, number) {
  const label = document.createElement("label"),
    element = document.createElement(LONG.has(name) ? "textarea" : "input");
  label.textContent = name;
  label.htmlFor = element.id = `field${number}`;
  element.dir = "auto";
  element.autocomplete = "off";
  if (element.tagName === "TEXTAREA") element.rows = number === 0 || name === "Second text" ? 3 : 5;
  else element.type = "text";
  place.append(label, element);
  return element;
}
