// Prints a strategy's outcomes, each once and in order, and keeps its position in a file.
//
//   node subscribe.js STRATEGY POSITION_FILE [OUTCOMES INTAKE [OUR_SECRET_KEY_FILE WORKERS_PUBLIC_KEY_FILE]]
import { loadCurveKeys, loadPosition, savePosition, Subscriber } from "../src/index.js";

const [strategy, positionFile, outcomes, intake, ...keyFiles] = process.argv.slice(2);
const keys = keyFiles.length ? await loadCurveKeys(...keyFiles) : undefined;
const subscriber = new Subscriber(strategy, { after: await loadPosition(positionFile), outcomes, intake, keys });
for await (const outcome of subscriber) {
  console.log(JSON.stringify(outcome));
  // Only now: an outcome that was not handled comes again.
  await savePosition(positionFile, subscriber.position);
}
