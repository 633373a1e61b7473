// Publishes one decision and prints its acknowledgement; exit code 1 where it is refused.
//
//   node publish.js DECISION [INTAKE [OUR_SECRET_KEY_FILE WORKERS_PUBLIC_KEY_FILE]]
import { DEFAULT_INTAKE, loadCurveKeys, Publisher, Refused } from "../src/index.js";

const [decision, intake = DEFAULT_INTAKE, ...keyFiles] = process.argv.slice(2);
const keys = keyFiles.length ? await loadCurveKeys(...keyFiles) : undefined;
const publisher = new Publisher(intake, keys);
try {
  console.log(JSON.stringify(await publisher.publish(JSON.parse(decision))));
} catch (error) {
  if (!(error instanceof Refused)) throw error;
  console.log(JSON.stringify(error.answer));
  process.exitCode = 1;
} finally {
  publisher.close();
}
