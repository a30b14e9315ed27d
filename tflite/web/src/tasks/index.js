/** The tasks by the names that ondevice.json has. */

import { BertkitError } from "../errors.js";
import { Answering } from "./answer.js";
import { Classification, Documents, Regression } from "./classify.js";
import { Choosing, Embedding, Ranking } from "./pairs.js";
import { LexRank, Summarising } from "./summarise.js";
import { Tagging } from "./tag.js";

const TASKS = {
  classify: Classification,
  long_documents: Documents,
  score: Regression,
  tag: Tagging,
  answer: Answering,
  choose: Choosing,
  embed: Embedding,
  rank: Ranking,
  summarise: Summarising,
  "summarise-central": LexRank,
};

/** Return the task that ondevice.json states. @param {{name: string}} settings */
export function taskOf(settings) {
  const make = TASKS[settings.name];
  if (!make)
    throw new BertkitError(
      `A model of the task ${settings.name} came; this package has ${Object.keys(TASKS).join(", ")}.`,
    );
  return new make(settings);
}
